"""Opening the store that a URL names."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from cronicorn.adapters.memory.stores import MemoryStores
    from cronicorn.adapters.sqlite.stores import SqliteStores


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """One store behind all ports."""

    job_store: JobStore
    jobs: JobCatalog
    endpoints: EndpointCatalog
    runs: RunHistory
    run_control: RunControl
    keys: KeyRing
    health: StoreHealth
    aclose: Callable[[], Awaitable[None]]
    """Finishes what was begun and closes the store."""


async def open_stores(url: DatabaseUrl, clock: Clock, *, durable: bool) -> Stores:
    """The store that *url* names, with its newest schema. Raises UnavailableError."""
    if url.backend == "memory":
        from cronicorn.adapters.memory.stores import MemoryStores

        return _over(MemoryStores.open(clock))
    from cronicorn.adapters.sqlite.stores import SqliteStores

    _check_place(url)
    return _over(await SqliteStores.open(url.file, clock, durable=durable))


def _over(opened: "MemoryStores | SqliteStores") -> Stores:
    return Stores(
        job_store=opened.job_store,
        jobs=opened.jobs,
        endpoints=opened.endpoints,
        runs=opened.runs,
        run_control=opened.run_control,
        keys=opened.keys,
        health=opened.health,
        aclose=opened.aclose,
    )


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
