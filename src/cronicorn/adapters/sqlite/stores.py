"""All stores in one SQLite file, as the wiring wants them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self, TypeVar

from cronicorn.adapters.sqlite.alert_watch import SqliteAlertWatch
from cronicorn.adapters.sqlite.alerting_book import SqliteAlertingBook
from cronicorn.adapters.sqlite.audit_log import SqliteAuditLog
from cronicorn.adapters.sqlite.database import READERS_DEFAULT, SqliteDatabase
from cronicorn.adapters.sqlite.drafts import SqliteDrafts
from cronicorn.adapters.sqlite.endpoint_catalog import SqliteEndpointCatalog
from cronicorn.adapters.sqlite.endpoint_finder import SqliteEndpointFinder
from cronicorn.adapters.sqlite.file_sets import SqliteFileSets
from cronicorn.adapters.sqlite.flow_book import SqliteFlowBook
from cronicorn.adapters.sqlite.incident_book import SqliteIncidentBook
from cronicorn.adapters.sqlite.issued_keys import SqliteIssuedKeys
from cronicorn.adapters.sqlite.job_catalog import SqliteJobCatalog
from cronicorn.adapters.sqlite.job_store import SqliteJobStore
from cronicorn.adapters.sqlite.joined import SqliteJoinedDatabase
from cronicorn.adapters.sqlite.key_ring import SqliteKeyRing
from cronicorn.adapters.sqlite.keychains import SqliteKeychains
from cronicorn.adapters.sqlite.keyed_requests import SqliteKeyedRequests
from cronicorn.adapters.sqlite.member_book import SqliteMemberBook
from cronicorn.adapters.sqlite.outbox import SqliteOutbox
from cronicorn.adapters.sqlite.provision_book import SqliteProvisionBook
from cronicorn.adapters.sqlite.rate_counter import SqliteRateCounter
from cronicorn.adapters.sqlite.rollups import SqliteRollups
from cronicorn.adapters.sqlite.run_book import SqliteRunBook
from cronicorn.adapters.sqlite.run_pruner import SqliteRunPruner
from cronicorn.adapters.sqlite.runs import SqliteRunControl, SqliteRunHistory
from cronicorn.adapters.sqlite.sign_in_links import SqliteSignInLinks
from cronicorn.adapters.sqlite.signed_in_store import SqliteSignedInStore
from cronicorn.adapters.sqlite.store_health import SqliteStoreHealth
from cronicorn.adapters.sqlite.timeline import SqliteTimeline
from cronicorn.adapters.sqlite.watches import SqliteWatchStore
from cronicorn.adapters.sqlite.worker_book import SqliteWorkerBook
from cronicorn.domain.ports import Clock

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteStores:
    """One database file behind all its ports."""

    database: SqliteDatabase
    job_store: SqliteJobStore
    jobs: SqliteJobCatalog
    endpoints: SqliteEndpointCatalog
    finder: SqliteEndpointFinder
    runs: SqliteRunHistory
    run_control: SqliteRunControl
    run_book: SqliteRunBook
    rollups: SqliteRollups
    keyed_requests: SqliteKeyedRequests
    timeline: SqliteTimeline
    keys: SqliteKeyRing
    provisions: SqliteProvisionBook
    file_sets: SqliteFileSets
    flow_book: SqliteFlowBook
    pruner: SqliteRunPruner
    issued_keys: SqliteIssuedKeys
    rates: SqliteRateCounter
    keychains: SqliteKeychains
    members: SqliteMemberBook
    signed_in: SqliteSignedInStore
    sign_in_links: SqliteSignInLinks
    audit_log: SqliteAuditLog
    drafts: SqliteDrafts
    health: SqliteStoreHealth
    watches: SqliteWatchStore
    alertings: SqliteAlertingBook
    alert_watch: SqliteAlertWatch
    incidents: SqliteIncidentBook
    outbox: SqliteOutbox
    worker_book: SqliteWorkerBook

    @classmethod
    async def open(
        cls,
        where: str | Path,
        clock: Clock,
        *,
        busy_timeout: timedelta = timedelta(seconds=5),
        durable: bool = False,
        readers: int = READERS_DEFAULT,
        existing: bool = False,
        backed_up: bool = True,
    ) -> Self:
        """Open, and make if need be, the file that a path or a `sqlite:///` URL names; *clock* judges its leases.

        With *durable* a commit survives a power cut. With *existing* nothing is made: raises NotFoundError where no
        installation is, ConflictError for another version's. Raises UnavailableError, InvalidInputError for another
        URL.
        """
        return cls.over(
            await SqliteDatabase.open(
                where,
                clock,
                busy_timeout=busy_timeout,
                durable=durable,
                readers=readers,
                existing=existing,
                backed_up=backed_up,
            )
        )

    @classmethod
    def over(cls, database: SqliteDatabase) -> Self:
        """The stores of an open *database*."""
        return cls(
            database=database,
            job_store=SqliteJobStore(database),
            jobs=SqliteJobCatalog(database),
            endpoints=SqliteEndpointCatalog(database),
            finder=SqliteEndpointFinder(database),
            runs=SqliteRunHistory(database),
            run_control=SqliteRunControl(database),
            run_book=SqliteRunBook(database),
            keyed_requests=SqliteKeyedRequests(database),
            rollups=SqliteRollups(database),
            timeline=SqliteTimeline(database),
            keys=SqliteKeyRing(database),
            provisions=SqliteProvisionBook(database),
            file_sets=SqliteFileSets(database),
            flow_book=SqliteFlowBook(database),
            pruner=SqliteRunPruner(database),
            issued_keys=SqliteIssuedKeys(database),
            rates=SqliteRateCounter(database),
            keychains=SqliteKeychains(database),
            members=SqliteMemberBook(database),
            signed_in=SqliteSignedInStore(database),
            sign_in_links=SqliteSignInLinks(database),
            audit_log=SqliteAuditLog(database),
            drafts=SqliteDrafts(database),
            health=SqliteStoreHealth(database),
            watches=SqliteWatchStore(database),
            alertings=SqliteAlertingBook(database),
            alert_watch=SqliteAlertWatch(database),
            incidents=SqliteIncidentBook(database),
            outbox=SqliteOutbox(database),
            worker_book=SqliteWorkerBook(database),
        )

    def rehearsing(self) -> Self:
        """The same stores, in which nothing stays that is written: each write is done in full, and taken back."""
        return self.over(self.database.rehearsing())

    async def together(self, work: Callable[[Self], Awaitable[T]]) -> T:
        """Do *work* with the same stores, in which all that is written stays together, or not at all when it raises.

        Nobody else writes meanwhile: *work* asks nothing but these stores, and takes no longer than it must.
        """
        joined = SqliteJoinedDatabase(self.database)
        return await joined.together(lambda database: work(self.over(database)))

    @property
    def terms(self) -> SqliteKeyRing:
        """What was agreed with each tenant."""
        return self.keys

    async def aclose(self) -> None:
        """Finish what was begun, then close the file. Closing again does nothing."""
        await self.database.aclose()
