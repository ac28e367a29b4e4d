"""All stores in one PostgreSQL database, as the wiring wants them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Self, TypeVar

from cronicorn.adapters.postgres.alert_watch import PostgresAlertWatch
from cronicorn.adapters.postgres.alerting_book import PostgresAlertingBook
from cronicorn.adapters.postgres.audit_log import PostgresAuditLog
from cronicorn.adapters.postgres.database import PostgresDatabase
from cronicorn.adapters.postgres.drafts import PostgresDrafts
from cronicorn.adapters.postgres.endpoint_catalog import PostgresEndpointCatalog
from cronicorn.adapters.postgres.endpoint_finder import PostgresEndpointFinder
from cronicorn.adapters.postgres.file_sets import PostgresFileSets
from cronicorn.adapters.postgres.flow_book import PostgresFlowBook
from cronicorn.adapters.postgres.incident_book import PostgresIncidentBook
from cronicorn.adapters.postgres.issued_keys import PostgresIssuedKeys
from cronicorn.adapters.postgres.job_catalog import PostgresJobCatalog
from cronicorn.adapters.postgres.job_store import PostgresJobStore
from cronicorn.adapters.postgres.key_ring import PostgresKeyRing
from cronicorn.adapters.postgres.keychains import PostgresKeychains
from cronicorn.adapters.postgres.keyed_requests import PostgresKeyedRequests
from cronicorn.adapters.postgres.member_book import PostgresMemberBook
from cronicorn.adapters.postgres.migration import inspect, migrate
from cronicorn.adapters.postgres.notify import Listener
from cronicorn.adapters.postgres.options import PostgresOptions
from cronicorn.adapters.postgres.outbox import PostgresOutbox
from cronicorn.adapters.postgres.partitions import Partitions
from cronicorn.adapters.postgres.provision_book import PostgresProvisionBook
from cronicorn.adapters.postgres.rate_counter import PostgresRateCounter
from cronicorn.adapters.postgres.rollups import PostgresRollups
from cronicorn.adapters.postgres.run_book import PostgresRunBook
from cronicorn.adapters.postgres.run_pruner import PostgresRunPruner
from cronicorn.adapters.postgres.runs import PostgresRunControl, PostgresRunHistory
from cronicorn.adapters.postgres.sign_in_links import PostgresSignInLinks
from cronicorn.adapters.postgres.signed_in_store import PostgresSignedInStore
from cronicorn.adapters.postgres.store_health import PostgresStoreHealth
from cronicorn.adapters.postgres.timeline import PostgresTimeline
from cronicorn.adapters.postgres.watches import PostgresWatchStore
from cronicorn.adapters.postgres.worker_book import PostgresWorkerBook
from cronicorn.domain.ports import Clock

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresStores:
    """One database behind all its ports."""

    database: PostgresDatabase
    job_store: PostgresJobStore
    jobs: PostgresJobCatalog
    endpoints: PostgresEndpointCatalog
    finder: PostgresEndpointFinder
    runs: PostgresRunHistory
    run_control: PostgresRunControl
    run_book: PostgresRunBook
    rollups: PostgresRollups
    keyed_requests: PostgresKeyedRequests
    timeline: PostgresTimeline
    keys: PostgresKeyRing
    provisions: PostgresProvisionBook
    file_sets: PostgresFileSets
    flow_book: PostgresFlowBook
    pruner: PostgresRunPruner
    issued_keys: PostgresIssuedKeys
    rates: PostgresRateCounter
    keychains: PostgresKeychains
    members: PostgresMemberBook
    signed_in: PostgresSignedInStore
    sign_in_links: PostgresSignInLinks
    audit_log: PostgresAuditLog
    drafts: PostgresDrafts
    health: PostgresStoreHealth
    watches: PostgresWatchStore
    alertings: PostgresAlertingBook
    alert_watch: PostgresAlertWatch
    incidents: PostgresIncidentBook
    outbox: PostgresOutbox
    worker_book: PostgresWorkerBook
    listener: Listener

    @classmethod
    async def open(
        cls,
        url: str,
        judge: Clock | None = None,
        options: PostgresOptions | None = None,
        *,
        existing: bool = False,
    ) -> Self:
        """Open the database that a `postgresql://` URL names, and give it the newest schema if it has another.

        *judge* judges leases in the place of the database's clock: in tests. With *existing* nothing is made: raises
        NotFoundError where no installation is, ConflictError for another version's. Raises UnavailableError,
        InvalidInputError for another URL.
        """
        options = options if options is not None else PostgresOptions()
        if existing:
            await inspect(url, options)
            return cls.over(await PostgresDatabase.open(url, options, judge))
        await migrate(url, options)
        database = await PostgresDatabase.open(url, options, judge)
        try:
            await Partitions(database).make_ahead()
        except BaseException:
            await database.aclose()
            raise
        return cls.over(database)

    @classmethod
    def over(cls, database: PostgresDatabase) -> Self:
        """The stores of an open *database*."""
        return cls(
            database=database,
            job_store=PostgresJobStore(database),
            jobs=PostgresJobCatalog(database),
            endpoints=PostgresEndpointCatalog(database),
            finder=PostgresEndpointFinder(database),
            runs=PostgresRunHistory(database),
            run_control=PostgresRunControl(database),
            run_book=PostgresRunBook(database),
            keyed_requests=PostgresKeyedRequests(database),
            rollups=PostgresRollups(database),
            timeline=PostgresTimeline(database),
            keys=PostgresKeyRing(database),
            provisions=PostgresProvisionBook(database),
            file_sets=PostgresFileSets(database),
            flow_book=PostgresFlowBook(database),
            pruner=PostgresRunPruner(database),
            issued_keys=PostgresIssuedKeys(database),
            rates=PostgresRateCounter(database),
            keychains=PostgresKeychains(database),
            members=PostgresMemberBook(database),
            signed_in=PostgresSignedInStore(database),
            sign_in_links=PostgresSignInLinks(database),
            audit_log=PostgresAuditLog(database),
            drafts=PostgresDrafts(database),
            health=PostgresStoreHealth(database),
            watches=PostgresWatchStore(database),
            alertings=PostgresAlertingBook(database),
            alert_watch=PostgresAlertWatch(database),
            incidents=PostgresIncidentBook(database),
            outbox=PostgresOutbox(database),
            worker_book=PostgresWorkerBook(database),
            listener=Listener(database.url, database.options),
        )

    def listen(self, due: Callable[[], None], cancelled: Callable[[], None]) -> None:
        """As `Listener.listen`, in this event loop."""
        self.listener.listen(due, cancelled)

    def rehearsing(self) -> Self:
        """The same stores, in which nothing stays that is written: each write is done in full, and taken back."""
        return self.over(self.database.rehearsing())

    async def together(self, work: Callable[[Self], Awaitable[T]]) -> T:
        """Do *work* with the same stores, in which all that is written stays together, or not at all when it raises.

        It is called again when it lost against another transaction. What it writes is locked until its end: it asks
        nothing but these stores, and takes no longer than it must.
        """
        return await self.database.together(lambda database: work(self.over(database)))

    @property
    def terms(self) -> PostgresKeyRing:
        """What was agreed with each tenant."""
        return self.keys

    async def aclose(self) -> None:
        """Finish what was begun, then close all connections. Closing again does nothing."""
        await self.listener.aclose()
        await self.job_store.aclose()
        await self.database.aclose()
