"""What the suites drive: the stores of one database, and the clock that judges their leases."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar, Protocol, Self, TypeVar

import pytest

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
from cronicorn.domain.decision import Facts, decide
from cronicorn.domain.editing import asked_to_run, hinted, started, taken_back
from cronicorn.domain.endpoint import Job, JobEndpoint
from cronicorn.domain.execution.ports import RunBook
from cronicorn.domain.filing.ports import FileSetBook
from cronicorn.domain.finding.ports import EndpointFinder
from cronicorn.domain.fixtures import a_job, a_run, an_endpoint
from cronicorn.domain.flow.ports import FlowBook
from cronicorn.domain.hint import Hint
from cronicorn.domain.lease import Lease
from cronicorn.domain.mechanism import Mechanism
from cronicorn.domain.ports import Decide, EndpointCatalog, JobCatalog, JobStore, RunControl, RunHistory, StoreHealth
from cronicorn.domain.provision.ports import ProvisionBook, RunPruner
from cronicorn.domain.quota.ports import TermsRegister
from cronicorn.domain.repeating.ports import KeyedRequests
from cronicorn.domain.rollup.ports import Rollups, Timeline
from cronicorn.domain.run import Run
from cronicorn.domain.settlement import Change, Settlement, Stored
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.promises import why_not
from cronicorn.testing.cron import EveryMinuteCron

CRON = EveryMinuteCron()
TTL = timedelta(seconds=30)
MINUTE = timedelta(minutes=1)
TENANT = "t1"
OTHER_TENANT = "t2"

T = TypeVar("T")


class ScheduleStores(Protocol):
    """Where endpoints, their schedules and leases are."""

    @property
    def job_store(self) -> JobStore: ...
    @property
    def jobs(self) -> JobCatalog: ...
    @property
    def endpoints(self) -> EndpointCatalog: ...

    async def aclose(self) -> None:
        """Close what is open."""
        ...


class SurveyStores(Protocol):
    """Where it is seen what there is, across all jobs and workers."""

    @property
    def finder(self) -> EndpointFinder: ...
    @property
    def worker_book(self) -> WorkerBook: ...


class TenantStores(Protocol):
    """Where tenants and their keys are, and what was agreed with them."""

    @property
    def keys(self) -> KeyRing: ...
    @property
    def issued_keys(self) -> IssuedKeys: ...
    @property
    def terms(self) -> TermsRegister: ...
    @property
    def provisions(self) -> ProvisionBook: ...


class AccessStores(Protocol):
    """Where it is kept who may do what, and who did what."""

    @property
    def rates(self) -> RateCounter: ...
    @property
    def members(self) -> MemberBook: ...
    @property
    def signed_in(self) -> SignedInStore: ...
    @property
    def sign_in_links(self) -> SignInLinks: ...
    @property
    def audit_log(self) -> AuditLog: ...


class PastStores(Protocol):
    """Where it is what happened, and how often."""

    @property
    def runs(self) -> RunHistory: ...
    @property
    def run_book(self) -> RunBook: ...
    @property
    def rollups(self) -> Rollups: ...
    @property
    def timeline(self) -> Timeline: ...
    @property
    def flow_book(self) -> FlowBook: ...


class FileStores(Protocol):
    """Where it is what files have made, and how all of a file is written at once."""

    @property
    def file_sets(self) -> FileSetBook: ...

    async def together(self, work: Callable[[Self], Awaitable[T]]) -> T:
        """Do *work* with the same stores, in which all that is written stays together, or not at all when it raises."""
        ...


class AlertStores(Protocol):
    """Where it is what people are told."""

    @property
    def alertings(self) -> AlertingBook: ...
    @property
    def alert_watch(self) -> AlertWatch: ...
    @property
    def incidents(self) -> IncidentBook: ...
    @property
    def outbox(self) -> Outbox: ...


class Stores(ScheduleStores, SurveyStores, TenantStores, PastStores, AccessStores, AlertStores, FileStores, Protocol):
    """The stores of one database, one for each port."""

    @property
    def run_control(self) -> RunControl: ...
    @property
    def pruner(self) -> RunPruner: ...
    @property
    def health(self) -> StoreHealth: ...
    @property
    def watches(self) -> WatchStore: ...
    @property
    def keyed_requests(self) -> KeyedRequests: ...


class StoresContract:
    """The fixtures of all suites."""

    mechanism: ClassVar[Mechanism] = Mechanism.LEASE
    """What the store's leases are made by; a test of what it does not promise is skipped."""

    @pytest.fixture(autouse=True)
    def promised(self, request: pytest.FixtureRequest) -> None:
        """Skip what is not promised."""
        reason = why_not(request.function, self.mechanism)
        if reason is not None:
            pytest.skip(reason)

    @pytest.fixture
    def clock(self) -> VirtualClock:
        """The clock that judges leases; it stands still."""
        return VirtualClock()

    @pytest.fixture
    async def stores(self, clock: VirtualClock) -> Stores | AsyncIterator[Stores]:
        """Empty stores. Override this."""
        raise NotImplementedError


def start(_: Job, endpoint: JobEndpoint, now: datetime) -> JobEndpoint:
    """Plan a new endpoint."""
    return started(endpoint, now, CRON)


async def plant(stores: Stores, *ids: str, **changes: object) -> None:
    """Add `job1`, unless it is there, and endpoints that run every minute, named as their *ids*."""
    if not await stores.jobs.list(TENANT):
        await stores.jobs.add(a_job())
    for endpoint_id in ids or ("ep1",):
        await stores.endpoints.add(an_endpoint(**({"id": endpoint_id, "name": endpoint_id} | changes)), start)


async def claim(stores: Stores, *, worker_id: str = "w1", limit: int = 10, ttl: timedelta = TTL) -> Sequence[Lease]:
    """Claim what is due."""
    return await stores.job_store.claim_due(worker_id=worker_id, limit=limit, ttl=ttl)


async def claim_one(stores: Stores, *, worker_id: str = "w1", ttl: timedelta = TTL) -> Lease:
    """Claim the one endpoint that is due."""
    leases = await claim(stores, worker_id=worker_id, ttl=ttl)
    assert len(leases) == 1
    return leases[0]


def deciding(lease: Lease, run: Run | None) -> Decide:
    """The real decision about *run*."""

    def decision(endpoint: JobEndpoint, stored: Stored) -> Settlement:
        return decide(endpoint, Facts(stored=stored, run=run, manual=lease.manual, cron=CRON))

    return decision


async def settle(stores: Stores, lease: Lease, run: Run | None = None) -> Settlement:
    """Settle *lease* with *run*, or a successful one."""
    run = run if run is not None else a_run(lease)
    return await stores.job_store.settle(lease, run, deciding(lease, run))


async def hint(stores: Stores, written: Hint, endpoint_id: str = "ep1") -> JobEndpoint:
    """Write a hint and plan again."""

    def edit(endpoint: JobEndpoint, _: Job, stored: Stored) -> Change:
        return hinted(endpoint, written, stored, CRON)

    endpoint, _ = await stores.endpoints.change(TENANT, endpoint_id, edit)
    return endpoint


async def ask_to_run(stores: Stores, endpoint_id: str = "ep1") -> JobEndpoint:
    """Ask for a manual run."""
    endpoint, _ = await stores.endpoints.change(
        TENANT, endpoint_id, lambda endpoint, job, stored: asked_to_run(endpoint, stored)
    )
    return endpoint


async def take_back(stores: Stores, endpoint_id: str = "ep1") -> JobEndpoint:
    """Take back a manual run."""
    endpoint, _ = await stores.endpoints.change(
        TENANT, endpoint_id, lambda endpoint, job, stored: taken_back(endpoint, stored)
    )
    return endpoint


async def rename(stores: Stores, name: str, endpoint_id: str = "ep1") -> JobEndpoint:
    """Change nothing but the name."""
    endpoint, _ = await stores.endpoints.change(
        TENANT, endpoint_id, lambda endpoint, job, stored: Change(endpoint=replace(endpoint, name=name))
    )
    return endpoint


async def endpoint_of(stores: Stores, endpoint_id: str = "ep1") -> JobEndpoint:
    """The endpoint as stored now."""
    endpoint, _ = await stores.endpoints.get(TENANT, endpoint_id)
    return endpoint


async def next_due_at(job_store: JobStore) -> datetime | None:
    """When *job_store* next has something to claim, by its own clock."""
    next_due = await job_store.next_due()
    return next_due.due_at if next_due is not None else None


async def run_once(stores: Stores, clock: VirtualClock, **changes: object) -> Run:
    """Wait until something is due, then claim and settle it."""
    due_at = await next_due_at(stores.job_store)
    assert due_at is not None
    clock.advance(due_at - clock.now())
    lease = await claim_one(stores)
    run = replace(a_run(lease), **changes)  # type: ignore[arg-type]
    await settle(stores, lease, run)
    return run
