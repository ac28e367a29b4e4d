"""`cronicorn migrate`: a database forward to this version, or back to an older one."""

from typing import Annotated

import typer

from cronicorn.cli.local import DatabaseOption, run
from cronicorn.cli.showing import ObjectOption, print_done


def migrate(
    *,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="REVISION", help="Such as 0007; without it, the newest that this version knows."),
    ] = None,
    database: DatabaseOption = None,
    as_json: ObjectOption = False,
) -> None:
    """Bring the tables of a database to a revision, forward or back, all or nothing. Stop all that uses it first.

    Processes bring a database forward by themselves when they start. Going back is for an older version, and takes away
    what that does not know. A SQLite file is copied first.

    Example: cronicorn migrate --to 0019
    """
    run(_migrate(to, database, as_json=as_json))


async def _migrate(to: str | None, database: str | None, *, as_json: bool) -> None:
    from cronicorn.cli.local import store_settings
    from cronicorn.cli.terminal import working
    from cronicorn.wiring.revisions import newest_revision, take_to

    settings = store_settings(database)
    revision = to if to is not None else newest_revision(settings)
    with working("Migrating"):
        await take_to(settings, revision)
    where = str(settings.database_url)
    print_done({"database": where, "revision": revision}, f"{where} is at revision {revision}.", as_json=as_json)
