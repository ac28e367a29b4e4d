"""What all stores in memory share: the rows, the lock and the clock that judges leases."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from threading import RLock

from cronicorn.domain.endpoint import Job, JobEndpoint
from cronicorn.domain.errors import ConflictError, NotFoundError
from cronicorn.domain.ports import Clock
from cronicorn.domain.run import Run
from cronicorn.domain.settlement import Change, Settlement, Siblings, Stored
from cronicorn.domain.slot import Skip
from cronicorn.domain.tenant import ApiKey, Tenant


@dataclass(slots=True, kw_only=True)
class Claim:
    """A claim on an endpoint that has not ended yet. It is live until `expires_at`."""

    id: str
    slot: int
    attempt: int
    manual: bool
    claimed_at: datetime
    expires_at: datetime
    takeover_at: datetime
    """When another worker may claim the endpoint, if it is not renewed."""
    cancelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The last accepted settlement of an endpoint, by which a repeated one is known."""

    claim_id: str
    fence: int
    settlement: Settlement


@dataclass(slots=True, kw_only=True)
class Row:
    """One endpoint with all that belongs to it. Runs and skips carry the number under which they were recorded."""

    number: int
    endpoint: JobEndpoint
    fence: int = 0
    claim: Claim | None = None
    lost_claims: int = 0
    done: Done | None = None
    runs: dict[tuple[int, int], tuple[int, Run]] = field(default_factory=dict)
    skips: list[tuple[int, Skip]] = field(default_factory=list)

    def leased(self, now: datetime) -> bool:
        return self.claim is not None and self.claim.expires_at > now

    def leased_slot(self, now: datetime) -> int | None:
        return self.claim.slot if self.claim is not None and self.leased(now) else None

    def claimable_at(self) -> datetime | None:
        """When `claim_due` may take the row; None for never."""
        due_at = self.endpoint.state.due_at
        if due_at is None or self.claim is None:
            return due_at
        return max(due_at, self.claim.takeover_at)


class MemoryDatabase:
    """The rows of all stores in memory. Whoever reads or writes them holds `lock`."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.lock = RLock()
        self.jobs: dict[str, Job] = {}
        self.rows: dict[str, Row] = {}
        self.tenants: dict[str, Tenant] = {}
        self.keys: dict[str, ApiKey] = {}
        self.numbers = count(1)

    def job(self, tenant_id: str, job_id: str) -> Job:
        """The job. Raises NotFoundError."""
        job = self.jobs.get(job_id)
        if job is None or job.tenant_id != tenant_id:
            raise NotFoundError(f"There is no job {job_id}.")
        return job

    def row(self, tenant_id: str, endpoint_id: str) -> Row:
        """The row of an endpoint. Raises NotFoundError."""
        row = self.rows.get(endpoint_id)
        if row is None or row.endpoint.tenant_id != tenant_id:
            raise NotFoundError(f"There is no endpoint {endpoint_id}.")
        return row

    def rows_of(self, job_id: str) -> list[Row]:
        """The rows of a job's endpoints, oldest first."""
        rows = (row for row in self.rows.values() if row.endpoint.job_id == job_id)
        return sorted(rows, key=lambda row: (row.endpoint.created_at, row.number))

    def stored(self, row: Row, now: datetime) -> Stored:
        """What a decision about *row* is told."""
        return Stored(now=now, leased_slot=row.leased_slot(now), siblings=Siblings(lambda: self._siblings(row)))

    def apply(self, row: Row, change: Change) -> None:
        """Write an edit."""
        assert change.endpoint.id == row.endpoint.id
        row.endpoint = change.endpoint
        self.record_skips(row, change.skips)

    def record_run(self, row: Row, run: Run) -> None:
        """Write a run. Raises ConflictError when its slot and attempt have one."""
        if (run.slot, run.attempt) in row.runs:
            raise ConflictError(f"Run {run.id} is already recorded.")
        row.runs[run.slot, run.attempt] = (next(self.numbers), run)

    def record_skips(self, row: Row, skips: Iterable[Skip]) -> None:
        """Write skips."""
        row.skips.extend((next(self.numbers), skip) for skip in skips)

    def _siblings(self, row: Row) -> dict[str, JobEndpoint]:
        return {
            other.endpoint.name: other.endpoint
            for other in self.rows_of(row.endpoint.job_id)
            if other is not row and other.endpoint.archived_at is None
        }


def without_body(run: Run) -> Run:
    """*run* as it is listed."""
    return replace(run, outcome=replace(run.outcome, body=None))
