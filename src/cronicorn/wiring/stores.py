"""Opening the store that a URL names."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Protocol, TypeVar

from cronicorn.domain.access.ports import (
    AuditLog,
    IssuedKeys,
    KeyRing,
    MemberBook,
    RateCounter,
    SignedInStore,
    SignInLinks,
)
from cronicorn.domain.alert.ports import AlertingBook, AlertWatch, IncidentBook, Outbox
from cronicorn.domain.analysis.ports import WatchStore
from cronicorn.domain.attendance.ports import WorkerBook
from cronicorn.domain.compilation.ports import Drafts
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.execution.ports import RunBook
from cronicorn.domain.filing.ports import FileSetBook
from cronicorn.domain.finding.ports import EndpointFinder
from cronicorn.domain.flow.ports import FlowBook
from cronicorn.domain.keychain.ports import KeychainStore
from cronicorn.domain.ports import Clock, EndpointCatalog, JobCatalog, JobStore, RunControl, RunHistory, StoreHealth
from cronicorn.domain.provision.ports import ProvisionBook, RunPruner
from cronicorn.domain.quota.ports import TermsRegister
from cronicorn.domain.repeating.ports import KeyedRequests
from cronicorn.domain.rollup.ports import Rollups, Timeline
from cronicorn.wiring.database_url import DatabaseUrl
from cronicorn.wiring.extras import require
from cronicorn.wiring.settings import Settings

if TYPE_CHECKING:
    from cronicorn.adapters.memory.database import MemoryDatabase
    from cronicorn.adapters.memory.stores import MemoryStores
    from cronicorn.adapters.postgres.database import PostgresDatabase
    from cronicorn.adapters.postgres.options import PostgresOptions
    from cronicorn.adapters.postgres.stores import PostgresStores
    from cronicorn.adapters.sqlite.database import SqliteDatabase
    from cronicorn.adapters.sqlite.stores import SqliteStores

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """One store behind all ports."""

    job_store: JobStore
    jobs: JobCatalog
    endpoints: EndpointCatalog
    finder: EndpointFinder
    runs: RunHistory
    run_control: RunControl
    run_book: RunBook
    rollups: Rollups
    keyed_requests: KeyedRequests
    timeline: Timeline
    keys: KeyRing
    provisions: ProvisionBook
    file_sets: FileSetBook
    flow_book: FlowBook
    pruner: RunPruner
    issued_keys: IssuedKeys
    rates: RateCounter
    keychains: KeychainStore
    members: MemberBook
    signed_in: SignedInStore
    sign_in_links: SignInLinks
    audit_log: AuditLog
    drafts: Drafts
    health: StoreHealth
    watches: WatchStore
    alertings: AlertingBook
    alert_watch: AlertWatch
    incidents: IncidentBook
    outbox: Outbox
    worker_book: WorkerBook
    aclose: Callable[[], Awaitable[None]]
    """Finishes what was begun and closes the store."""
    terms: TermsRegister
    database: "MemoryDatabase | SqliteDatabase | PostgresDatabase"
    """What quotas, and a job store of another mechanism, are built on."""
    together: "Together"
    rehearsing: "Callable[[], Stores]"
    """The same stores, in which nothing stays that is written: the same value at each call."""
    listen: Callable[[Callable[[], None], Callable[[], None]], None] | None = None
    """Calls back from now on, whenever another process has made something due soon, and (the second one) whenever a run
    may have been cancelled; None where nobody tells."""


class Together(Protocol):
    """Writes through many ports of one store at once."""

    async def __call__(self, work: Callable[[Stores], Awaitable[T]]) -> T:
        """Do *work* with the same stores, in which all that is written stays together, or not at all when it raises.

        It may be called more than once, waits for nothing but these stores, and takes no longer than it must.
        """
        ...


async def open_stores(
    url: DatabaseUrl,
    clock: Clock,
    *,
    durable: bool = False,
    postgres: "PostgresOptions | None" = None,
    existing: bool = False,
    backed_up: bool = True,
) -> Stores:
    """The store that *url* names, with its newest schema. Raises UnavailableError.

    With *existing* nothing is made: raises NotFoundError where no installation is, ConflictError for another version's.
    *durable* and *backed_up* are for SQLite, *postgres* (see `postgres_options`) for PostgreSQL.
    """
    if url.backend == "memory":
        from cronicorn.adapters.memory.stores import MemoryStores

        memory = MemoryStores.open(clock)
        return replace(_over(memory), rehearsing=_copying(memory))
    if url.backend == "postgresql":
        return await _open_postgres(url, postgres, existing=existing)
    from cronicorn.adapters.sqlite.stores import SqliteStores

    if not existing:
        _check_place(url)
    opened = await SqliteStores.open(url.file, clock, durable=durable, existing=existing, backed_up=backed_up)
    return _over(opened)


async def open_chosen(settings: Settings, clock: Clock, *, existing: bool = False) -> Stores:
    """The store that *settings* name, opened as they say; see `open_stores` for what is raised."""
    url = settings.database_url
    return await open_stores(
        url,
        clock,
        durable=settings.sqlite_synchronous == "full",
        backed_up=settings.sqlite_backup,
        postgres=postgres_options(settings) if url.backend == "postgresql" else None,
        existing=existing,
    )


def postgres_options(settings: Settings) -> "PostgresOptions":
    """What *settings* say of a PostgreSQL store. Raises UnavailableError when its driver is not installed."""
    _require_driver()
    from cronicorn.adapters.postgres.options import Feature, Isolation, PostgresOptions

    return PostgresOptions(
        without=frozenset(Feature(word) for word in settings.postgres_without),
        isolation=Isolation(settings.postgres_isolation.replace("_", " ")),
        connections_max=settings.postgres_connections,
        shards=settings.postgres_shards,
    )


def _copying(memory: "MemoryStores") -> Callable[[], Stores]:
    """Stores that are a copy of those in *memory* again at each call."""
    copy = memory.rehearsing()
    copies = _over(copy)

    def copied() -> Stores:
        copy.forget(memory)
        return copies

    return copied


async def _open_postgres(url: DatabaseUrl, options: "PostgresOptions | None", *, existing: bool) -> Stores:
    _require_driver()
    from cronicorn.adapters.postgres.options import PostgresOptions
    from cronicorn.adapters.postgres.stores import PostgresStores

    opened = await PostgresStores.open(url.connection, options=options or PostgresOptions(), existing=existing)
    return replace(_over(opened), listen=opened.listen)


def _require_driver() -> None:
    require("asyncpg", "postgres", "A PostgreSQL database")


def _over(opened: "MemoryStores | SqliteStores | PostgresStores") -> Stores:
    async def together(work: Callable[[Stores], Awaitable[T]]) -> T:
        return await opened.together(lambda joined: work(_over(joined)))

    return Stores(
        job_store=opened.job_store,
        jobs=opened.jobs,
        endpoints=opened.endpoints,
        finder=opened.finder,
        runs=opened.runs,
        run_control=opened.run_control,
        run_book=opened.run_book,
        rollups=opened.rollups,
        keyed_requests=opened.keyed_requests,
        timeline=opened.timeline,
        keys=opened.keys,
        provisions=opened.provisions,
        file_sets=opened.file_sets,
        flow_book=opened.flow_book,
        pruner=opened.pruner,
        issued_keys=opened.issued_keys,
        rates=opened.rates,
        keychains=opened.keychains,
        members=opened.members,
        signed_in=opened.signed_in,
        sign_in_links=opened.sign_in_links,
        audit_log=opened.audit_log,
        drafts=opened.drafts,
        health=opened.health,
        watches=opened.watches,
        alertings=opened.alertings,
        alert_watch=opened.alert_watch,
        incidents=opened.incidents,
        outbox=opened.outbox,
        worker_book=opened.worker_book,
        aclose=opened.aclose,
        terms=opened.terms,
        database=opened.database,
        together=together,
        rehearsing=cache(lambda: _over(opened.rehearsing())),
    )


def _check_place(url: DatabaseUrl) -> None:
    """Make the default data folder, for this user only. A folder that somebody named must be there."""
    folder = url.file.parent
    try:
        if url.path is None:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UnavailableError(
            f"The data folder {folder} can't be made ({error.strerror}): set {url.given_as} to another place."
        ) from error
    if not folder.is_dir():
        raise UnavailableError(
            f"There is no folder {folder.absolute()}: make it, or set {url.given_as} to another place "
            "(sqlite:///PATH counts from here, sqlite:////PATH from the root)."
        )
