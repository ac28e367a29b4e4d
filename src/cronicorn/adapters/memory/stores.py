"""All stores in memory, as the wiring wants them."""

from collections.abc import Awaitable, Callable
from copy import deepcopy
from dataclasses import dataclass, fields
from typing import Self, TypeVar

from cronicorn.adapters.memory.alerts import (
    MemoryAlertingBook,
    MemoryAlerts,
    MemoryAlertWatch,
    MemoryIncidentBook,
    MemoryOutbox,
)
from cronicorn.adapters.memory.audit_log import MemoryAuditLog
from cronicorn.adapters.memory.catalogs import MemoryEndpointCatalog, MemoryJobCatalog
from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.adapters.memory.drafts import MemoryDrafts
from cronicorn.adapters.memory.endpoint_finder import MemoryEndpointFinder
from cronicorn.adapters.memory.file_sets import MemoryFileSets
from cronicorn.adapters.memory.flow_book import MemoryFlowBook
from cronicorn.adapters.memory.issued_keys import MemoryIssuedKeys
from cronicorn.adapters.memory.job_store import MemoryJobStore
from cronicorn.adapters.memory.key_ring import MemoryKeyRing
from cronicorn.adapters.memory.keychains import MemoryKeychains
from cronicorn.adapters.memory.keyed_requests import MemoryKeyedRequests
from cronicorn.adapters.memory.member_book import MemoryMemberBook
from cronicorn.adapters.memory.provision_book import MemoryProvisionBook
from cronicorn.adapters.memory.rate_counter import MemoryRateCounter
from cronicorn.adapters.memory.rollups import MemoryRollups, MemoryTimeline
from cronicorn.adapters.memory.run_book import MemoryRunBook
from cronicorn.adapters.memory.run_pruner import MemoryRunPruner
from cronicorn.adapters.memory.runs import MemoryRunControl, MemoryRunHistory
from cronicorn.adapters.memory.sign_in_links import MemorySignInLinks
from cronicorn.adapters.memory.signed_in_store import MemorySignedInStore
from cronicorn.adapters.memory.store_health import MemoryStoreHealth
from cronicorn.adapters.memory.watches import MemoryWatchStore
from cronicorn.adapters.memory.worker_book import MemoryWorkerBook
from cronicorn.domain.ports import Clock

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryStores:
    """One database in memory behind all its ports."""

    database: MemoryDatabase
    job_store: MemoryJobStore
    jobs: MemoryJobCatalog
    endpoints: MemoryEndpointCatalog
    finder: MemoryEndpointFinder
    runs: MemoryRunHistory
    run_control: MemoryRunControl
    run_book: MemoryRunBook
    rollups: MemoryRollups
    keyed_requests: MemoryKeyedRequests
    timeline: MemoryTimeline
    keys: MemoryKeyRing
    provisions: MemoryProvisionBook
    file_sets: MemoryFileSets
    flow_book: MemoryFlowBook
    pruner: MemoryRunPruner
    issued_keys: MemoryIssuedKeys
    rates: MemoryRateCounter
    keychains: MemoryKeychains
    members: MemoryMemberBook
    signed_in: MemorySignedInStore
    sign_in_links: MemorySignInLinks
    audit_log: MemoryAuditLog
    drafts: MemoryDrafts
    health: MemoryStoreHealth
    watches: MemoryWatchStore
    alertings: MemoryAlertingBook
    alert_watch: MemoryAlertWatch
    incidents: MemoryIncidentBook
    outbox: MemoryOutbox
    worker_book: MemoryWorkerBook

    @classmethod
    def open(cls, clock: Clock) -> Self:
        """Empty stores whose leases *clock* judges."""
        return cls.over(MemoryDatabase(clock))

    @classmethod
    def over(cls, database: MemoryDatabase) -> Self:
        """The stores of a *database*."""
        watches = MemoryWatchStore(database)
        alerts = MemoryAlerts(database=database)
        return cls(
            database=database,
            job_store=MemoryJobStore(database),
            jobs=MemoryJobCatalog(database),
            endpoints=MemoryEndpointCatalog(database),
            finder=MemoryEndpointFinder(database),
            runs=MemoryRunHistory(database),
            run_control=MemoryRunControl(database),
            run_book=MemoryRunBook(database),
            keyed_requests=MemoryKeyedRequests(database),
            rollups=MemoryRollups(database, watches),
            timeline=MemoryTimeline(database, watches),
            keys=MemoryKeyRing(database),
            provisions=MemoryProvisionBook(database),
            file_sets=MemoryFileSets(database),
            flow_book=MemoryFlowBook(database),
            pruner=MemoryRunPruner(database),
            issued_keys=MemoryIssuedKeys(database),
            rates=MemoryRateCounter(database),
            keychains=MemoryKeychains(database),
            members=MemoryMemberBook(database),
            signed_in=MemorySignedInStore(database),
            sign_in_links=MemorySignInLinks(database),
            audit_log=MemoryAuditLog(database),
            drafts=MemoryDrafts(database),
            health=MemoryStoreHealth(database),
            watches=watches,
            alertings=MemoryAlertingBook(alerts),
            alert_watch=MemoryAlertWatch(alerts),
            incidents=MemoryIncidentBook(alerts),
            outbox=MemoryOutbox(alerts),
            worker_book=MemoryWorkerBook(database),
        )

    def rehearsing(self) -> Self:
        """A copy of the stores as they are now: what is written there stays nowhere else."""
        with self.database.lock:
            return deepcopy(self, self.database.shared())

    def forget(self, original: Self) -> None:
        """Be a copy of *original* as it is now, whatever was written here."""
        with original.database.lock:  # It is the lock of the copy, too.
            copy = original.rehearsing()
            for each in fields(self):
                vars(getattr(self, each.name)).update(vars(getattr(copy, each.name)))

    async def together(self, work: Callable[[Self], Awaitable[T]]) -> T:
        """Do *work* with these stores; when it raises, they are as they were before it.

        What others write meanwhile is taken back then, too: *work* waits for nothing but these stores, which never let
        it wait.
        """
        before = self.rehearsing()
        try:
            return await work(self)
        except BaseException:
            self.forget(before)
            raise

    @property
    def terms(self) -> MemoryKeyRing:
        """What was agreed with each tenant."""
        return self.keys

    async def aclose(self) -> None:
        """Nothing needs closing; a store on disk has the same method."""
