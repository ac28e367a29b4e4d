"""`cronicorn backup` and `cronicorn restore`: a whole installation as one file."""

from pathlib import Path
from typing import Annotated

import typer

from cronicorn.cli.local import DatabaseOption, run
from cronicorn.cli.showing import ObjectOption

VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Also rows and checksum of each table.")]


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to make; it must not be there yet.")],
    *,
    database: DatabaseOption = None,
    verbose: VerboseOption = False,
    as_json: ObjectOption = False,
) -> None:
    """Write everything to one file, while work goes on: from SQLite and PostgreSQL alike.

    The file is a SQLite database that holds what there was when the command began, credentials and sealed keys
    included: keep it as safe as the database. It is whole, or not there.

    Example: cronicorn backup /var/backups/cronicorn.db --verbose
    """
    run(_move(file, database, into_file=True, verbose=verbose, as_json=as_json))


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `cronicorn backup` made; it stays as it is.")],
    *,
    database: DatabaseOption = None,
    verbose: VerboseOption = False,
    as_json: ObjectOption = False,
) -> None:
    """Fill an empty database with a backup, also one of an older version, and compare the two.

    Slots that were leased when the backup was made run again. Whatever stops it, the database is empty as before, or
    whole.

    Example: cronicorn restore /var/backups/cronicorn.db --database sqlite:cronicorn.db
    """
    run(_move(file, database, into_file=False, verbose=verbose, as_json=as_json))


async def _move(file: Path, database: str | None, *, into_file: bool, verbose: bool, as_json: bool) -> None:
    import signal
    import sys

    from cronicorn.cli.copy import progress, show_copied
    from cronicorn.cli.local import store_settings
    from cronicorn.wiring.backups import back_up
    from cronicorn.wiring.backups import restore as restored

    # Half a copy holds credentials: whoever ends this lets it be removed.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    settings = store_settings(database)
    with progress() as told:
        copied = await (back_up(settings, file, told) if into_file else restored(settings, file, told))
    if verbose or as_json:
        show_copied(copied, as_json=as_json)
    rows, way = sum(each.count for each in copied), "to" if into_file else "from"
    print(f"{rows} rows copied and compared: {settings.database_url} {way} {file}.", file=sys.stderr)
