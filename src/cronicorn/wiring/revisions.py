"""Taking a database to another revision of its tables."""

import asyncio
import sqlite3

from cronicorn.domain.errors import InvalidInputError
from cronicorn.wiring.settings import Settings


def newest_revision(settings: Settings) -> str:
    """The revision that this version works with, of the kind of database that *settings* name."""
    if settings.database_url.backend == "postgresql":
        from cronicorn.adapters.postgres.schema import REVISION as POSTGRES_REVISION

        return POSTGRES_REVISION
    from cronicorn.adapters.sqlite.schema import REVISION as SQLITE_REVISION

    return SQLITE_REVISION


async def take_to(settings: Settings, revision: str) -> None:
    """Take the database that *settings* name to *revision*, forward or back, all or nothing.

    Raises NotFoundError where no installation is, InvalidInputError for an unknown revision, UnavailableError.
    """
    url = settings.database_url
    match url.backend:
        case "sqlite":
            from cronicorn.adapters.sqlite.connection import SqliteFile
            from cronicorn.adapters.sqlite.faults import translated
            from cronicorn.adapters.sqlite.migration import migrate_to

            file = SqliteFile(path=url.file, backed_up=settings.sqlite_backup)
            try:
                await asyncio.to_thread(migrate_to, file, revision)
            except sqlite3.Error as error:
                raise translated(error, file.name) from error
        case "postgresql":
            from cronicorn.wiring.stores import postgres_options

            options = postgres_options(settings)
            from cronicorn.adapters.postgres.migration import migrate_to as migrate_server_to

            await migrate_server_to(url.connection, options, revision)
        case _:
            raise InvalidInputError(f"{url.given_as} is memory:, which has no tables; name a file or a server.")
