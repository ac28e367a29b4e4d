"""Whole stores, for commands that copy, verify or look at one."""

from dataclasses import dataclass

from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.ports import Archive, FleetView
from cronicorn.wiring.settings import Settings
from cronicorn.wiring.timekeeping import system_clock


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeStore:
    """One store, seen as a whole. It is connected to whenever it is asked something, and left as it was."""

    archive: Archive
    fleet: FleetView


def whole_store(settings: Settings) -> WholeStore:
    """The store that *settings* name, which may not be there yet: it is looked for when it is asked something.

    Raises InvalidInputError for one that no other process sees, UnavailableError without its driver.
    """
    url = settings.database_url
    match url.backend:
        case "sqlite":
            from cronicorn.adapters.sqlite.archive import SqliteArchive
            from cronicorn.adapters.sqlite.connection import SqliteFile
            from cronicorn.adapters.sqlite.fleet_view import SqliteFleetView

            file, clock = SqliteFile(path=url.file), system_clock()
            return WholeStore(archive=SqliteArchive(file, clock), fleet=SqliteFleetView(file, clock))
        case "postgresql":
            from cronicorn.wiring.stores import postgres_options

            options = postgres_options(settings)
            from cronicorn.adapters.postgres.archive import PostgresArchive
            from cronicorn.adapters.postgres.fleet_view import PostgresFleetView

            return WholeStore(
                archive=PostgresArchive(url.connection, options), fleet=PostgresFleetView(url.connection, options)
            )
        case _:
            raise InvalidInputError(
                f"{url.given_as} is memory:, which no other process can see; name a file or a server."
            )
