"""What all stores in memory share: the rows, the lock and the clock that judges leases."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from threading import RLock
from typing import NamedTuple

from cronicorn.adapters.memory.agenda import Agenda
from cronicorn.adapters.memory.grant import BookKey, Grant
from cronicorn.adapters.memory.row import Row
from cronicorn.domain.access.audit_entry import AuditEntry
from cronicorn.domain.access.member import Member, SignedIn, SignInLink
from cronicorn.domain.attendance.worker import KnownWorker
from cronicorn.domain.endpoint import Job, JobEndpoint
from cronicorn.domain.errors import ConflictError, NotFoundError
from cronicorn.domain.filing.file_set import FileSet
from cronicorn.domain.flow.record import FlowKey, FlowRecord
from cronicorn.domain.instant import ZERO
from cronicorn.domain.keychain.keychain import Keychain
from cronicorn.domain.plan import Source
from cronicorn.domain.ports import Clock
from cronicorn.domain.provision.provision import Provision
from cronicorn.domain.quota.book import Book
from cronicorn.domain.rollup.tallies import hour_of
from cronicorn.domain.run import Run, RunStatus
from cronicorn.domain.settlement import Change, Sibling, Siblings, Stored
from cronicorn.domain.slot import Skip
from cronicorn.domain.tenant import ApiKey, Tenant


class RollupKey(NamedTuple):
    """What runs are counted by."""

    job_id: str
    hour: datetime
    endpoint_number: int
    """0 for what is known of the job alone."""
    source: Source
    status: RunStatus


class MemoryDatabase:
    """The rows of all stores in memory. Whoever reads or writes them holds `lock`."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.lock = RLock()
        self.jobs: dict[str, Job] = {}
        self.rows: dict[str, Row] = {}
        self.tenants: dict[str, Tenant] = {}
        self.keys: dict[str, ApiKey] = {}
        self.provisions: dict[str, Provision] = {}
        self.workers: dict[str, KnownWorker] = {}
        self.rates: dict[str, datetime] = {}
        self.keychains: dict[str, Keychain] = {}
        self.members: dict[str, Member] = {}
        self.signed_in: dict[str, SignedIn] = {}
        self.file_sets: dict[tuple[str, str], FileSet] = {}
        """By tenant and name."""
        self.sign_in_links: dict[str, SignInLink] = {}
        """By member."""
        self.audit_log: list[AuditEntry] = []
        self.numbers = count(1)
        self.run_counts: Counter[tuple[str, datetime]] = Counter()
        """Runs by tenant and beginning of the month."""
        self.rollups: dict[RollupKey, tuple[int, timedelta]] = {}
        """How many runs there were, and how long they took together."""
        self.flows: dict[FlowKey, FlowRecord] = {}
        self.books: dict[BookKey, Book] = {}
        self.grants: dict[str, Grant] = {}
        self.agenda = Agenda()
        self._rows_by_job: dict[str, dict[int, Row]] = {}
        self._readers: dict[str, set[str]] = {}
        """Ids of endpoints with rules that read siblings, by job."""

    def tenant(self, tenant_id: str) -> Tenant:
        """The tenant. Raises NotFoundError."""
        tenant = self.tenants.get(tenant_id)
        if tenant is None:
            raise NotFoundError(f"There is no tenant {tenant_id}.")
        return tenant

    def shared(self) -> dict[int, object]:
        """What a copy of the database has in common with it, as `deepcopy` wants to be told."""
        return {id(part): part for part in (self.lock, self.clock, self.numbers)}

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
        rows = self._rows_by_job.get(job_id, {})
        return sorted(rows.values(), key=lambda row: (row.endpoint.created_at, row.number))

    def stored(self, row: Row, now: datetime) -> Stored:
        """What a decision about *row* is told."""
        return Stored(now=now, leased_slot=row.leased_slot(now), siblings=Siblings(lambda: self._siblings(row, now)))

    def apply(self, row: Row, change: Change) -> None:
        """Write an edit."""
        assert change.endpoint.id == row.endpoint.id
        self.put(row, change.endpoint)
        self.record_skips(row, change.skips)

    def put(self, row: Row, endpoint: JobEndpoint) -> None:
        """Write an endpoint."""
        self.rows[endpoint.id] = self._rows_by_job.setdefault(endpoint.job_id, {})[row.number] = row
        self.plan(row, endpoint)
        readers = self._readers.setdefault(endpoint.job_id, set())
        if endpoint.policy is not None and endpoint.policy.siblings:
            readers.add(endpoint.id)
        else:
            readers.discard(endpoint.id)

    def plan(self, row: Row, endpoint: JobEndpoint) -> None:
        """Write an endpoint of which only the state has changed."""
        row.endpoint = endpoint
        self.agenda.put(row)

    def remove(self, row: Row) -> None:
        """Forget an endpoint with all that belongs to it."""
        del self.rows[row.endpoint.id], self._rows_by_job[row.endpoint.job_id][row.number]
        self.agenda.remove(row)
        self._readers.get(row.endpoint.job_id, set()).discard(row.endpoint.id)

    def record_run(self, row: Row, run: Run) -> None:
        """Write a run and count it. Raises ConflictError when its slot and attempt have one."""
        if (run.slot, run.attempt) in row.runs:
            raise ConflictError(f"Run {run.id} is already recorded.")
        row.runs[run.slot, run.attempt] = (next(self.numbers), run)
        key = RollupKey(
            job_id=row.endpoint.job_id,
            hour=hour_of(run.started_at),
            endpoint_number=row.number,
            source=run.source,
            status=run.status,
        )
        self._count(key, 1, run.outcome.duration)

    def forget_endpoints(self, before: datetime) -> None:
        """Of what was counted before *before* keep only what jobs had."""
        for key in [key for key in self.rollups if key.hour < before and key.endpoint_number]:
            self._count(key._replace(endpoint_number=0), *self.rollups.pop(key))

    def _count(self, key: RollupKey, runs: int, duration: timedelta) -> None:
        before = self.rollups.get(key, (0, ZERO))
        self.rollups[key] = (before[0] + runs, before[1] + duration)

    def record_skips(self, row: Row, skips: Iterable[Skip]) -> None:
        """Write skips."""
        row.skips.extend((next(self.numbers), skip) for skip in skips)

    def watched(self, row: Row) -> bool:
        """Whether another endpoint of the job has rules that read siblings."""
        readers = self._readers.get(row.endpoint.job_id, set())
        return len(readers) > (row.endpoint.id in readers)

    def _siblings(self, row: Row, now: datetime) -> dict[str, Sibling]:
        return {
            other.endpoint.name: Sibling(other.endpoint, other.leased_slot(now))
            for other in self.rows_of(row.endpoint.job_id)
            if other is not row and other.endpoint.archived_at is None
        }


def without_body(run: Run) -> Run:
    """*run* as it is listed."""
    return replace(run, outcome=run.outcome._replace(body=None))
