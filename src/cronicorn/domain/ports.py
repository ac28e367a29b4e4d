"""What the domain needs from the world, as protocols: what, never how. Further ones are in `<part>.ports`.

Every sentence of a docstring here is a promise with a test in `cronicorn.testing`. Stores raise UnavailableError
when they can't be reached; nothing is then half written. Whoever changes something is named by `by`, and an entry of
the audit log is written with the change, if anything changed.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from cronicorn.domain.archive import Table
from cronicorn.domain.call import Call, Outcome
from cronicorn.domain.cells import Row
from cronicorn.domain.claims import Claim
from cronicorn.domain.cron import CronSchedule
from cronicorn.domain.endpoint import Job, JobEndpoint, JobStatus
from cronicorn.domain.fleet import Fleet
from cronicorn.domain.history import EndpointQuery, Health, JobQuery, RunPage, RunQuery, SkipPage, SpanQuery
from cronicorn.domain.lease import Lease, NextDue, Renewal
from cronicorn.domain.principal import Principal
from cronicorn.domain.run import Run
from cronicorn.domain.settlement import Change, Settlement, Stored
from cronicorn.domain.slot import SlotState
from cronicorn.domain.unchanged import Unchanged
from cronicorn.domain.verification import Findings

T = TypeVar("T")


class Clock(Protocol):
    """The time of this process."""

    def now(self) -> datetime:
        """The instant, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some fixed moment, never going back: for deadlines. The clock of `asyncio`'s event loop."""
        ...


class Cron(Protocol):
    """Evaluates cron schedules."""

    def next(self, schedule: CronSchedule, after: datetime) -> datetime | None:
        """The first instant of *schedule* strictly after *after*, in UTC; None when it never comes again.

        Raises InvalidInputError for an expression or zone that can't be read. Pure: same arguments, same answer.
        """
        ...

    def check(self, schedule: CronSchedule, now: datetime) -> None:
        """Raise InvalidInputError, saying what is wrong and how to mend it, for a schedule no door should accept.

        Refuses, quickly, whatever can't be read or never fires after *now*.
        """
        ...


class Dispatcher(Protocol):
    """Makes calls."""

    async def dispatch(self, call: Call) -> Outcome:
        """Make *call* and say how it ended.

        Never raises for what a server or a network may do. Raises UnavailableError when this machine has no room for a
        call: nothing was sent. Cancelling the awaiting task stops the call and closes its connection.
        """
        ...


Decide = Callable[[JobEndpoint, Stored], Settlement]
"""Makes a settlement of the endpoint as stored now: `decide` with its facts bound."""
EndpointEdit = Callable[[JobEndpoint, Job, Stored], Change]
"""Makes a change of the endpoint as stored now, knowing its job."""


class JobStore(Protocol):
    """Endpoints that are due, and the leases on them: what the scheduler needs of a store."""

    async def claim_due(
        self, *, worker_id: str, limit: int, ttl: timedelta, endpoint_id: str | None = None
    ) -> Sequence[Lease]:
        """Lease up to *limit* endpoints due now by the store's clock, the longest due first; or *endpoint_id* alone.

        Never one that is not due, and never one under a live lease. A slot whose lease has expired is due again. Fences
        of an endpoint only grow. A waiting manual slot goes before the planned one.
        """
        ...

    def renew(self, leases: Sequence[Lease], *, ttl: timedelta) -> Renewal:
        """Extend *leases* to *ttl* from now and say which are lost and which were asked to stop.

        Where the mechanism extends nothing (`Mechanism.renewable`) it says so all the same.
        Blocks: it is called from the heartbeat's own thread and shares no connection with the event loop.
        """
        ...

    async def settle(self, lease: Lease, run: Run | None, decide: Decide) -> Settlement:
        """Record *run* (None: no call was made), apply what *decide* answers and end *lease*, all or nothing.

        Raises LeaseLostError when another claim came after *lease*, or an edit put its slot aside (`Lease.fits`);
        nothing is written then. Expiry alone loses nothing. Settling the same lease again with the same run is answered
        like the first time and changes nothing. *decide* sees the endpoint as stored now and may be called more than
        once: keep it pure.
        """
        ...

    async def abandon(self, leases: Sequence[Lease]) -> None:
        """End *leases* with nothing recorded; their slots are due again at once. Lost ones are passed over."""
        ...

    async def next_due(self) -> NextDue | None:
        """When `claim_due` will next find something: the earliest due instant or lease expiry, or None.

        By the store's clock alone, which also says how long that is to wait: no clock of the caller is asked.
        """
        ...


class JobCatalog(Protocol):
    """Jobs, as the control plane sees them. Every call is confined to one tenant."""

    async def add(self, job: Job, by: Principal | None = None) -> None:
        """Store a new *job*."""
        ...

    async def get(self, tenant_id: str, job_id: str) -> Job:
        """The job. Raises NotFoundError."""
        ...

    async def list(
        self, tenant_id: str, status: JobStatus | None = None, query: JobQuery | None = None
    ) -> Sequence[tuple[Job, int]]:
        """The tenant's jobs, oldest first, each with its number of endpoints that are not archived.

        Without *status* archived jobs are left out; of a *query* there is one page. Raises InvalidInputError where the
        job that it is to begin after is gone.
        """
        ...

    async def change(
        self,
        tenant_id: str,
        job_id: str,
        edit: Callable[[Job, datetime], Job],
        edit_endpoint: EndpointEdit | None = None,
        by: Principal | None = None,
    ) -> Job:
        """Store what *edit* makes of the job now, and *edit_endpoint* of each of its endpoints in it, all or nothing.

        Raises NotFoundError, and whatever the edits raise; nothing is written then.
        """
        ...


class EndpointCatalog(Protocol):
    """Endpoints, as the control plane sees them. Every call is confined to one tenant."""

    async def add(
        self,
        endpoint: JobEndpoint,
        start: Callable[[Job, JobEndpoint, datetime], JobEndpoint],
        endpoints_max: int | None = None,
        by: Principal | None = None,
    ) -> JobEndpoint:
        """Store what *start* makes of the new *endpoint* now. Raises NotFoundError when its job is not there.

        Raises ConflictError where its tenant would have more than *endpoints_max* endpoints that are not archived.
        """
        ...

    async def get(self, tenant_id: str, endpoint_id: str) -> tuple[JobEndpoint, Stored]:
        """The endpoint, and whether it is leased now. Raises NotFoundError."""
        ...

    async def list(
        self, tenant_id: str, job_id: str, query: EndpointQuery | None = None
    ) -> Sequence[tuple[JobEndpoint, Stored]]:
        """The endpoints of a job, archived ones included, oldest first; of a *query* one page.

        Raises NotFoundError for the job, InvalidInputError where the endpoint that the page is to begin after is gone.
        """
        ...

    async def change(
        self,
        tenant_id: str,
        endpoint_id: str,
        edit: EndpointEdit,
        endpoints_max: int | None = None,
        by: Principal | None = None,
    ) -> tuple[JobEndpoint, Stored]:
        """Store what *edit* makes of the endpoint as it is now, and its skips, all or nothing; never touches a lease.

        Raises NotFoundError, and whatever *edit* raises; nothing is written then. *endpoints_max* is as in `add`.
        """
        ...

    async def delete(
        self, tenant_id: str, endpoint_id: str, by: Principal | None = None, unchanged: Unchanged | None = None
    ) -> None:
        """Remove the endpoint with its runs. A call in progress settles as lost. Raises NotFoundError.

        Raises PreconditionFailedError where it is not *unchanged*; nothing is removed then.
        """
        ...


class RunLog(Protocol):
    """Runs in the order in which they began, with their bodies. Every call is confined to one tenant."""

    async def recorded(self, tenant_id: str, endpoint_id: str, query: SpanQuery) -> Sequence[Run]:
        """Runs of an endpoint that began in a span, oldest first; of those that began at once the lower slot first.

        A page that is shorter than its limit is the last one. Raises NotFoundError.
        """
        ...

    async def begun_by_minute(self, tenant_id: str, endpoint_id: str, span: SpanQuery) -> Mapping[int, int]:
        """How many runs began in each minute since 1970 of *span*, those without any left out. Raises NotFoundError."""
        ...

    async def ended_before(self, tenant_id: str, endpoint_id: str, at: datetime) -> Run | None:
        """Of an endpoint's runs that had ended *at* an instant the one begun last, or None. Raises NotFoundError."""
        ...


class RunHistory(RunLog, Protocol):
    """What happened. Every call but `prune` is confined to one tenant."""

    async def list(self, tenant_id: str, endpoint_id: str, query: RunQuery) -> RunPage:
        """Runs of an endpoint, newest first, without bodies. Raises NotFoundError."""
        ...

    async def get(self, tenant_id: str, run_id: str) -> Run:
        """One run with its body. Raises NotFoundError."""
        ...

    async def health(self, tenant_id: str, endpoint_id: str, since: datetime) -> Health:
        """How the endpoint fared since *since*. Raises NotFoundError."""
        ...

    async def skips(self, tenant_id: str, endpoint_id: str, limit: int, state: SlotState | None = None) -> SkipPage:
        """The newest *limit* ranges that did not run, by their last instants; or in *state*. Raises NotFoundError."""
        ...

    async def prune(self, before: datetime, limit: int) -> int:
        """Remove at most *limit* runs and skips that ended before *before*, oldest first; answer how many went.

        A store that keeps runs by the day may remove whole days, and then more than *limit*.
        """
        ...


class RunControl(Protocol):
    """Runs in progress and calls outside the schedule, as the control plane sees them."""

    async def held(self, tenant_id: str, endpoint_id: str) -> Lease | None:
        """The live lease on the endpoint, or None. Raises NotFoundError."""
        ...

    async def cancel(self, tenant_id: str, endpoint_id: str, slot: int, by: Principal | None = None) -> bool:
        """Ask the holder of the live lease on *slot* to stop; False when no such lease lives.

        The holder learns of it with its next renewal.
        """
        ...

    async def record_test(self, run: Run) -> int:
        """Store the run of a test call under a slot number of its own, and answer that number. No plan changes."""
        ...


class StoreHealth(Protocol):
    """Whether a store can do its work, and whether the work is being done."""

    async def ping(self) -> None:
        """Return when the store can be read and, as far as it tells, written. Raises UnavailableError.

        Processes that ask at the same time do not wait for one another.
        """
        ...

    async def overdue(self, by: timedelta) -> int:
        """How many slots have been due for longer than *by* without anybody holding a live lease on them."""
        ...


class FleetView(Protocol):
    """The leases in a store, whoever holds them."""

    async def leases(self) -> Fleet:
        """All of them, those of all tenants."""
        ...


class RowSource(Protocol):
    """A store at one instant, read in portions."""

    async def count(self, table: Table) -> int:
        """How many rows *table* has."""
        ...

    def rows(self, table: Table, *, by_endpoint: bool = False) -> AsyncIterator[Sequence[Row]]:
        """All rows of *table* in portions, none empty, each row with COLUMNS, in the order of their first column.

        Tenants come in the order in which they were added. With *by_endpoint* runs and skips come sorted by endpoint,
        those of one endpoint by slot and attempt or by number, and runs have no body.
        """
        ...


class Snapshot(RowSource, Protocol):
    """One state of a store, however long it takes to read it. Nobody waits for a reader."""

    @property
    def taken_at(self) -> datetime:
        """By the store's clock."""
        ...

    async def kept_since(self) -> datetime | None:
        """When the oldest run ended or the oldest skip, whichever is later: what ended since is all there.

        None when there is neither.
        """
        ...

    async def examine(self, findings: Findings) -> None:
        """Note what of the store itself is not as this version needs it: revision, tables, indexes, places."""
        ...


class Restoration(RowSource, Protocol):
    """An empty store that is being filled. Its rows are those written so far."""

    async def write(self, table: Table, rows: Sequence[Row]) -> None:
        """Add *rows* as they are, numbers included. Raises InvalidInputError for text that the store can't hold."""
        ...


class Archive(Protocol):
    """A store as a whole."""

    async def read(self, work: Callable[[Snapshot], Awaitable[T]]) -> T:
        """Do *work* on one snapshot; nothing is made or changed.

        Raises NotFoundError where no installation is, ConflictError when another version wrote it.
        """
        ...

    async def restore(self, work: Callable[[Restoration], Awaitable[T]]) -> T:
        """Do *work* on the store, all or nothing; others may not write meanwhile.

        Raises ConflictError when the store is not empty. A process killed at any moment leaves it empty or whole.
        Numbers given later are higher than any that was written.
        """
        ...


class ClaimService(Protocol):
    """Keeps a key for one claimant at a time, by its own clock.

    It only says who goes first. What a claimant writes afterwards is fenced by the database, so a service that forgets
    or doubts costs calls, never records. All but `aclose` raise UnavailableError within the service's time limit.
    """

    async def acquire(self, claims: Sequence[Claim], *, ttl: timedelta) -> Mapping[str, int]:
        """Take those of *claims* whose key nobody holds, for *ttl* from now; answer a token of each by claim id.

        *claims* name different keys. Tokens of a key grow as long as the service keeps its data. Asking again for what
        the same claim took is answered like the first time, with a token maybe higher. After an error some keys may be
        taken all the same; they expire.
        """
        ...

    def renew(self, claims: Sequence[Claim], *, ttl: timedelta) -> frozenset[str]:
        """Keep *claims* for *ttl* from now, the ttl they were acquired with, and answer the ids of those still held.

        Blocks, as `revive` does: both are called from a thread of their own and share no connection with the event
        loop. What has expired or was taken by another claim stays lost.
        """
        ...

    def revive(self, claims: Sequence[Claim], *, ttl: timedelta) -> frozenset[str]:
        """Do what `acquire` does, for claims that the service lost and whose holders still work; answer their ids."""
        ...

    async def release(self, claims: Sequence[Claim]) -> None:
        """Free the keys of those *claims* that still hold them; others are passed over.

        After an error some may be freed all the same.
        """
        ...

    async def aclose(self) -> None:
        """Close what is open. Claims stay until they expire. Closing again does nothing."""
        ...
