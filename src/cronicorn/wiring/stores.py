"""Opening the store that a URL names."""

from typing import Protocol

from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.ports import (
    Clock,
    EndpointCatalog,
    JobCatalog,
    JobStore,
    KeyRing,
    RunControl,
    RunHistory,
    StoreHealth,
)
from cronicorn.wiring.database_url import DatabaseUrl


class Stores(Protocol):
    """One store behind all ports."""

    @property
    def job_store(self) -> JobStore: ...
    @property
    def jobs(self) -> JobCatalog: ...
    @property
    def endpoints(self) -> EndpointCatalog: ...
    @property
    def runs(self) -> RunHistory: ...
    @property
    def run_control(self) -> RunControl: ...
    @property
    def keys(self) -> KeyRing: ...
    @property
    def health(self) -> StoreHealth: ...
    async def aclose(self) -> None:
        """Finish what was begun and close."""


async def open_stores(url: DatabaseUrl, clock: Clock, *, durable: bool) -> Stores:
    """The store that *url* names, with its newest schema. Raises UnavailableError."""
    if url.backend == "memory":
        from cronicorn.adapters.memory.stores import MemoryStores

        return MemoryStores.open(clock)
    from cronicorn.adapters.sqlite.stores import SqliteStores

    _check_place(url)
    return await SqliteStores.open(url.file, clock, durable=durable)


def _check_place(url: DatabaseUrl) -> None:
    """Make the default data folder, for this user only. A folder that somebody named must be there."""
    folder = url.file.parent
    try:
        if url.path is None:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UnavailableError(
            f"The data folder {folder} can't be made ({error.strerror}): set CRONICORN_DATABASE_URL to another place."
        ) from error
    if not folder.is_dir():
        raise UnavailableError(
            f"There is no folder {folder.absolute()}: make it, or set CRONICORN_DATABASE_URL to another place "
            "(sqlite:///PATH counts from here, sqlite:////PATH from the root)."
        )
