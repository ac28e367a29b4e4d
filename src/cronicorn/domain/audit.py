"""One endpoint held against what must be: its rows first, then its runs, then its skips. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cronicorn.domain.books_audit import BooksAudit
from cronicorn.domain.cadence import Grid
from cronicorn.domain.cells import UNREADABLE, Cell
from cronicorn.domain.endpoint import BaselineKind, EndpointState, JobEndpoint
from cronicorn.domain.fields import us
from cronicorn.domain.instant import shifted
from cronicorn.domain.plan import Source
from cronicorn.domain.ports import Cron
from cronicorn.domain.rows import done_of, endpoint_from, endpoint_row, number_or_zero, run_of, skip_from, state_row
from cronicorn.domain.run import Run
from cronicorn.domain.slot import SlotState
from cronicorn.domain.trace import Trace
from cronicorn.domain.verification import Check, Findings

_HELD = (
    "worker_id", "mechanism", "claimed_us", "leased_slot", "leased_attempt", "leased_manual", "lease_until_us",
    "takeover_us",
)  # fmt: skip
_STATED = ("due_us", "slot", "attempt", "manual_slot")

StoredRow = Mapping[str, Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditBounds:
    """What an audit measures by."""

    taken_at: datetime
    """The instant of the rows, by the store's clock."""
    kept_since: datetime
    """What ended since has not been pruned."""
    wait_max: timedelta
    """How long a slot may be due, or a lease expired, before somebody takes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFacts:
    """What an audit needs of a job."""

    id: str
    tenant_id: str
    active: bool


class EndpointAudit:
    """The account of one endpoint. Give it the runs by slot and attempt, then the skips, then `close` it."""

    def __init__(
        self, findings: Findings, bounds: AuditBounds, cron: Cron, row: StoredRow, schedule: StoredRow
    ) -> None:
        self._findings = findings
        self._bounds = bounds
        self._cron = cron
        self._row = row
        self._schedule = schedule
        self._where = f"endpoint {row['id']!s}"
        self._endpoint = self._read()
        self._books: BooksAudit | None = None
        self._last: tuple[int, int] | None = None
        self._fences: list[tuple[int, int]] = []

    @property
    def endpoint(self) -> JobEndpoint | None:
        """The endpoint; None where it can't be read."""
        return self._endpoint

    def begin(self, job: JobFacts | None) -> None:
        """Look at the endpoint and its schedule, then at what `job` means for them."""
        self._look_at_lease()
        self._look_at_wait()
        endpoint = self._endpoint
        if endpoint is None:
            return
        self._look_at_columns(endpoint, job)
        self._look_at_rest(endpoint, job)
        self._books = BooksAudit(endpoint, self._cron, self._bounds.kept_since, self._bounds.taken_at)

    def run(self, row: StoredRow) -> None:
        """Look at the next run."""
        try:
            run = run_of(str(self._row["tenant_id"]), str(self._row["id"]), row)
            if run.trace:
                Trace.decode(run.trace)
        except UNREADABLE:
            self._expect(Check.READABLE, holds=False, what=f"run {row['slot']!s}:{row['attempt']!s} can't be read")
            return
        self._expect(Check.READABLE, holds=True)
        early = run.due_at - run.started_at
        self._expect(Check.NEVER_EARLY, run.started_at >= run.due_at, f"run {run.id} began {early} early")
        again = (run.slot, run.attempt) == self._last
        self._expect(Check.ONCE, not again, f"there are several runs {run.id}")
        self._last = (run.slot, run.attempt)
        if run.source is not Source.TEST:
            self._fences.append((number_or_zero(row["number"]), run.fence))
        if self._endpoint is not None:
            self._look_at_slot(run, self._endpoint.state)
        if self._books is not None:
            self._books.run(run)

    def skip(self, row: StoredRow) -> None:
        """Look at the next skip."""
        try:
            skip = skip_from(row)
        except UNREADABLE:
            self._expect(Check.READABLE, holds=False, what=f"skip {row['number']!s} can't be read")
            return
        self._expect(Check.READABLE, holds=True)
        what = f"skip {row['number']!s} holds nothing"
        beside = skip.state is SlotState.SKIPPED_QUOTA and skip.count == 0  # A slot that stood for no instant.
        self._expect(Check.BOOKS, skip.first_at <= skip.last_at and (skip.count > 0 or beside), what)
        if self._books is not None:
            self._books.skip(skip)

    def close(self) -> None:
        """Look at all of it together."""
        self._look_at_fences()
        if self._books is not None:
            checked, faults = self._books.faults()
            self._findings.note(Check.BOOKS, checked, [f"{self._where}: {fault}" for fault in faults])

    def _expect(self, check: Check, holds: object, what: str = "") -> bool:
        return self._findings.expect(check, holds, self._where, what)

    def _read(self) -> JobEndpoint | None:
        row, schedule = self._row, self._schedule
        try:
            endpoint = endpoint_from(str(row["document"]), str(schedule["state"]))
            done = schedule["done"]
            done_of(str(done) if done is not None else None, endpoint.state)
        except UNREADABLE as error:
            self._expect(Check.READABLE, holds=False, what=f"it can't be read ({error!r})")
            return None
        self._expect(Check.READABLE, holds=True)
        return endpoint

    def _look_at_columns(self, endpoint: JobEndpoint, job: JobFacts | None) -> None:
        row, schedule = self._row, self._schedule
        told = endpoint_row(endpoint)
        differ = [
            name for name in ("id", "tenant_id", "version", "created_us", "archived_us") if row[name] != told[name]
        ]
        state = state_row(endpoint.state)
        differ += [name for name in _STATED if schedule[name] != state[name]]
        if schedule["tenant_id"] != endpoint.tenant_id:
            differ.append("tenant_id of its schedule")
        if job is None or (job.id, job.tenant_id) != (endpoint.job_id, endpoint.tenant_id):
            differ.append("job")
        self._expect(Check.AGREEMENT, not differ, f"its document does not fit its {', '.join(differ)}")

    def _look_at_rest(self, endpoint: JobEndpoint, job: JobFacts | None) -> None:
        state = endpoint.state
        shall_rest = endpoint.archived_at is not None or (job is not None and not job.active)
        self._expect(
            Check.RESTING,
            state.suspended == shall_rest,
            "it rests although it is not archived and its job is active"
            if state.suspended
            else "it does not rest although it is archived or its job is not active",
        )
        if self._schedule["due_us"] is None:
            self._expect(Check.RESTING, self._may_rest(endpoint), "it is never due again, for no reason")

    def _may_rest(self, endpoint: JobEndpoint) -> bool:
        plan = endpoint.state.plan
        if plan is None:
            return False
        if plan.source in {Source.SUSPENDED, Source.DORMANT}:
            return True
        grid = Grid(endpoint, self._cron)
        return endpoint.baseline.kind is BaselineKind.CRON and grid.next(self._bounds.taken_at) is None

    def _look_at_lease(self) -> None:
        row = self._schedule
        present = [name for name in _HELD if row[name] is not None]
        if row["claim_id"] is None:
            what = f"it is free, but {', '.join(present) or 'cancelled'} is set"
            self._expect(Check.LEASES, not present and not row["cancelled"], what)
            return
        absent = [name for name in _HELD if name not in present]
        if self._expect(Check.LEASES, not absent, f"it is leased without {', '.join(absent)}"):
            order = [number_or_zero(row[name]) for name in ("claimed_us", "lease_until_us", "takeover_us")]
            self._expect(Check.LEASES, order == sorted(order), "its lease ends before it begins")

    def _look_at_wait(self) -> None:
        row, latest_us = self._schedule, us(shifted(self._bounds.taken_at, -self._bounds.wait_max))
        due_us, takeover_us = row["due_us"], row["takeover_us"]
        if not isinstance(due_us, int):
            return
        leased = row["claim_id"] is not None
        since_us = max(due_us, number_or_zero(takeover_us)) if leased else due_us
        what = "its lease expired, and nobody took it over" if leased else "it is due, and nobody takes it"
        self._expect(Check.TAKEN, since_us >= latest_us, what)

    def _look_at_slot(self, run: Run, state: EndpointState) -> None:
        manual = run.source in {Source.MANUAL, Source.TEST}
        issued = 1 <= run.slot <= state.slots_issued and run.attempt >= 1
        passed = manual or run.slot <= state.slot
        self._expect(Check.SLOTS, issued and passed, f"run {run.id} is of a slot that is still to come")
        to_come = {(state.slot, state.attempt)} | ({(state.manual.slot, 1)} if state.manual is not None else set())
        self._expect(Check.ONCE, (run.slot, run.attempt) not in to_come, f"run {run.id} is done and due again")

    def _look_at_fences(self) -> None:
        row = self._schedule
        newest = number_or_zero(row["fence"])
        done = number_or_zero(row["done_fence"])
        whole = (row["done_fence"] is None) == (row["done_claim_id"] is None)
        self._expect(Check.FENCES, whole and done <= newest, f"it was settled with fence {done}, after {newest}")
        before = 0
        for _, fence in sorted(self._fences):
            # An optimistic run carries the fence that it saw, which may be that of the run before it.
            what = f"a run with fence {fence} follows one with {before}; the newest is {newest}"
            self._expect(Check.FENCES, before <= fence <= newest, what)
            before = fence
        free = row["claim_id"] is None or newest > before
        self._expect(Check.FENCES, free, f"its lease has fence {newest}, with which a run was settled")
