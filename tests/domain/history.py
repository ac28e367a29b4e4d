"""A small scheduler without a store: it drives one endpoint through `admit`, `decide` and the edits, by hand.

And a bookkeeper that knows nothing of them: it expands every schedule that was in force and counts where each of its
instants went.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise

from cronicorn.adapters.cron.cronsim_cron import CronsimCron
from cronicorn.domain.admission import admit
from cronicorn.domain.cadence import stable_offset
from cronicorn.domain.call import Outcome
from cronicorn.domain.decision import Facts, decide
from cronicorn.domain.editing import started
from cronicorn.domain.endpoint import BaselineKind, EndpointState, JobEndpoint
from cronicorn.domain.fixtures import MIDNIGHT, a_lease, a_run, an_outcome
from cronicorn.domain.lease import Lease
from cronicorn.domain.plan import Source
from cronicorn.domain.run import Run
from cronicorn.domain.settlement import Change, Stored
from cronicorn.domain.slot import Skip, SlotState

CRON = CronsimCron()
INSTANTLY = timedelta(0)

Edit = Callable[[JobEndpoint, Stored], Change]


@dataclass
class History:
    """One endpoint, its clock, and all that was recorded of it."""

    endpoint: JobEndpoint
    now: datetime = MIDNIGHT
    lease: Lease | None = None
    runs: list[Run] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)
    schedules: list[tuple[datetime, JobEndpoint]] = field(default_factory=list)
    """From when on each schedule was in force."""
    over_limit: str | None = None
    """Why no call is made for now."""

    def __post_init__(self) -> None:
        self.endpoint = started(self.endpoint, self.now, CRON)
        self.schedules.append((self.now, self.endpoint))

    @property
    def state(self) -> EndpointState:
        return self.endpoint.state

    @property
    def stored(self) -> Stored:
        return Stored(now=self.now, leased_slot=self.lease.slot if self.lease is not None else None)

    def due_in(self) -> timedelta | None:
        """How long until there is something to do, from zero up."""
        due_at = self.state.due_at
        return None if due_at is None else max(due_at - self.now, timedelta(0))

    def wait(self, length: timedelta) -> None:
        self.now += length

    def edit(self, edit: Edit) -> None:
        change = edit(self.endpoint, self.stored)
        if change.endpoint.baseline != self.endpoint.baseline:
            self.schedules.append((self.now, change.endpoint))
        self.endpoint = change.endpoint
        self.skips.extend(change.skips)

    def claim(self) -> bool:
        """Lease the slot that is due, the manual one before the planned one."""
        due_in, manual = self.due_in(), self.state.manual
        if due_in is None or due_in > timedelta(0):
            return False
        self.lease = a_lease(self.endpoint, now=self.now, manual=manual is not None)
        return True

    def run(self, *, lasting: timedelta = INSTANTLY, outcome: Outcome | None = None, **changes: object) -> Run | None:
        """Call and settle at once."""
        run = self.begin()
        self.wait(lasting if run is not None else INSTANTLY)
        return self.end(run, outcome, **changes)

    def begin(self) -> Run | None:
        """The call of the claimed slot; None when it came too late."""
        lease = self.lease
        assert lease is not None
        if lease.manual:
            if self.over_limit is not None:
                return None
            return a_run(lease, source=Source.MANUAL, started_at=self.now, finished_at=self.now)
        admission = admit(lease.endpoint, self.now, CRON, taken_over=lease.taken_over)
        if not admission.run or self.over_limit is not None:
            return None
        return a_run(lease, nominal_at=admission.nominal_at, started_at=self.now, finished_at=self.now)

    def end(self, run: Run | None, outcome: Outcome | None = None, **changes: object) -> Run | None:
        lease = self.lease
        assert lease is not None
        if run is not None:
            outcome = outcome or an_outcome()
            finished = a_run(lease, outcome, started_at=run.started_at, nominal_at=run.nominal_at, **changes)
            run = replace(finished, finished_at=self.now)
            self.runs.append(run)
        facts = Facts(
            stored=Stored(now=self.now, leased_slot=lease.slot),
            run=run,
            manual=lease.manual,
            cron=CRON,
            over_limit=self.over_limit if run is None else None,
            seed="seed",
        )
        settlement = decide(self.endpoint, facts)
        self.endpoint = replace(self.endpoint, state=settlement.state)
        self.skips.extend(settlement.skips)
        self.lease = None
        return run

    def next_run(
        self, *, late: timedelta = INSTANTLY, lasting: timedelta = INSTANTLY, outcome: Outcome | None = None
    ) -> Run:
        """Wait until the slot is due and *late* beyond, and run it."""
        due_in = self.due_in()
        assert due_in is not None
        self.wait(due_in + late)
        assert self.claim()
        run = self.run(lasting=lasting, outcome=outcome)
        assert run is not None
        return run

    def skipped(self, state: SlotState) -> int:
        """How many instants ended in *state*."""
        return sum(skip.count for skip in self.skips if skip.state is state)


def instants(endpoint: JobEndpoint, after: datetime, until: datetime) -> list[datetime]:
    """The nominal instants whose effective time lies in (*after*, *until*], by arithmetic of our own."""
    baseline, offset = endpoint.baseline, stable_offset(endpoint)
    after, until = after - offset, until - offset
    found = []
    if baseline.kind is BaselineKind.ONCE:
        assert baseline.once_at is not None
        found = [baseline.once_at] if after < baseline.once_at <= until else []
    elif baseline.kind is BaselineKind.CRON:
        instant = CRON.next(baseline.cron_schedule, after)
        while instant is not None and instant <= until:
            found.append(instant)
            instant = CRON.next(baseline.cron_schedule, instant)
    elif baseline.kind is BaselineKind.INTERVAL and baseline.anchor_at is not None and baseline.interval is not None:
        instant = baseline.anchor_at + baseline.interval * ((after - baseline.anchor_at) // baseline.interval)
        while instant <= until:
            if instant > after:
                found.append(instant)
            instant += baseline.interval
    return found


def check_books(history: History) -> None:
    """Every instant that has passed is in one place, and in one only; those that wait are in none."""
    watermark = history.state.accounted_until
    assert watermark is not None
    assert watermark <= history.now
    due = _instants_due(history)
    places = _places(history, list(due))
    waiting = _waiting(history, list(due))

    for nominal_at, effective_at in due.items():
        closed = effective_at <= watermark and nominal_at not in waiting
        assert places[nominal_at] == (1 if closed else 0), (nominal_at, places[nominal_at], closed, history.skips)


def _instants_due(history: History) -> dict[datetime, datetime]:
    """Each nominal instant that has come since the beginning, in order, and when it was due."""
    ends = [*(begin for begin, _ in history.schedules[1:]), history.now]
    return {
        nominal_at: nominal_at + stable_offset(endpoint)
        for (begin, endpoint), end in zip(history.schedules, ends, strict=True)
        for nominal_at in instants(endpoint, begin, end)
    }


def _places(history: History, nominal: list[datetime]) -> Counter[datetime]:
    slots = {(run.slot, run.nominal_at) for run in history.runs if run.nominal_at is not None}
    places = Counter(instant for _, instant in slots)
    assert set(places) <= set(nominal), "a run stands for an instant of its schedule"
    ranges = sorted((skip for skip in history.skips if not _of_no_instant(skip)), key=lambda s: s.first_at)
    assert all(left.last_at < right.first_at for left, right in pairwise(ranges)), ranges
    for skip in ranges:
        held = [instant for instant in nominal if skip.first_at <= instant <= skip.last_at]
        assert held[:1] == [skip.first_at], skip
        assert held[-1:] == [skip.last_at], skip
        assert len(held) == skip.count if skip.exact else len(held) > skip.count, skip
        places.update(held)
    return places


def _of_no_instant(skip: Skip) -> bool:
    """Whether *skip* is of a manual run, or of a planned slot that stood for no instant of the schedule."""
    return skip.state is SlotState.CANCELLED or skip.count == 0


def _waiting(history: History, nominal: list[datetime]) -> set[datetime]:
    state = history.state
    waiting = {state.plan.nominal_at} if state.plan is not None and state.attempt == 1 else set()
    if state.owed_at is not None:
        waiting |= set([instant for instant in nominal if instant >= state.owed_at][: 1 + state.owed_count])
    return {instant for instant in waiting if instant is not None}
