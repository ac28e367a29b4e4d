"""`decide`: the one place where an outcome becomes consequences. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime

from cronicorn.domain.admission import PUNCTUAL, Admission, admit
from cronicorn.domain.cadence import Grid
from cronicorn.domain.editing import edited, without_owed
from cronicorn.domain.endpoint import CatchUpMode, EndpointState, JobEndpoint
from cronicorn.domain.hint import Hint, HintKind, fresh_hints, paused_until, with_signal
from cronicorn.domain.instant import ZERO, shifted, stable_fraction
from cronicorn.domain.ledger import Books, books_after_run, books_without_run
from cronicorn.domain.plan import Plan, Source
from cronicorn.domain.planning import plan_next_run
from cronicorn.domain.ports import Cron
from cronicorn.domain.retry import may_retry, retry_backoff
from cronicorn.domain.run import Run, RunStatus
from cronicorn.domain.settlement import Settlement, Stored
from cronicorn.domain.signal import signal_hints


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What `decide` is told besides the endpoint."""

    stored: Stored
    run: Run | None
    """The attempt to settle; None when the claimed slot came too late to run."""
    manual: bool
    cron: Cron
    seed: str = ""
    """Decides the jitter of retries: the same seed gives the same history."""

    @property
    def now(self) -> datetime:
        """The store's now; never before the run's end, which the worker's own clock may have put a little later."""
        return self.stored.now if self.run is None else max(self.stored.now, self.run.finished_at)


def decide(endpoint: JobEndpoint, facts: Facts) -> Settlement:
    """All that follows from settling a slot of *endpoint*, which is as stored now, with every hint written meanwhile.

    A manual run leaves the schedule alone. A slot that ran or was missed is accounted for, its answer steers (failures,
    retries and signals; rules will join them here), and the endpoint is planned again. May be called more than once.
    """
    if facts.manual:
        return _after_manual(endpoint, facts)
    if facts.run is None and admit(endpoint, facts.now, facts.cron).run:
        return Settlement(state=endpoint.state)  # An instant came due since the slot was found too late: it stays due.
    books = _books(endpoint, facts)
    steered = replace(endpoint, state=_steer(endpoint, facts, books))
    plan = plan_next_run(facts.now, steered, facts.cron)
    retry = _retry(endpoint, steered, facts)
    if retry is not None and retry.plan is not None and retry.plan.is_retry and _before(retry.plan, plan):
        return Settlement(state=retry, skips=books.skips)
    slot = endpoint.state.slots_issued + 1
    state = replace(steered.state, plan=plan, slot=slot, slots_issued=slot, attempt=1)
    state, dropped = without_owed(endpoint, state, facts.cron)
    return Settlement(state=state, skips=(*books.skips, *dropped))


def _after_manual(endpoint: JobEndpoint, facts: Facts) -> Settlement:
    """The schedule goes on as it was, unless a pause or an archive came while the planned slot waited for this run."""
    last_run_at = facts.run.started_at if facts.run is not None else endpoint.state.last_run_at
    state = replace(endpoint.state, manual=None, last_run_at=last_run_at)
    held_back = state.suspended or paused_until(state.hints, facts.now) is not None
    if not held_back or state.plan is None or state.plan.source in {Source.PAUSED, Source.SUSPENDED}:
        return Settlement(state=state)
    idle = replace(endpoint, state=state)
    change = edited(idle, idle, Stored(now=facts.now), facts.cron)
    return Settlement(state=change.endpoint.state, skips=change.skips)


def _books(endpoint: JobEndpoint, facts: Facts) -> Books:
    grid = Grid(endpoint, facts.cron)
    if facts.run is None:
        return books_without_run(grid, facts.now)
    admission = Admission(run=True, nominal_at=facts.run.nominal_at, owed=_owed(endpoint, facts.run, facts.cron))
    return books_after_run(grid, admission, facts.run.started_at, facts.now)


def _owed(endpoint: JobEndpoint, run: Run, cron: Cron) -> tuple[datetime, ...]:
    """The late instants still to come after what ran. The policy may have changed since the run began."""
    nominal_at = run.nominal_at
    if endpoint.catch_up.mode is not CatchUpMode.ALL or nominal_at is None:
        return ()
    return tuple(instant for instant in admit(endpoint, run.started_at, cron).owed if instant > nominal_at)


def _steer(endpoint: JobEndpoint, facts: Facts, books: Books) -> EndpointState:
    now, run, state = facts.now, facts.run, endpoint.state
    hints = fresh_hints(state.hints, now)
    if run is not None:
        hints = tuple(hint for hint in hints if not _consumed(hint, run.started_at))
        for hint in signal_hints(run.outcome, success=run.status is RunStatus.SUCCESS, now=now):
            hints = with_signal(hints, hint, now)
    return replace(
        state,
        hints=hints,
        owed_at=books.owed_at,
        owed_count=books.owed_count,
        accounted_until=books.accounted_until,
        retry_at=None,
        last_run_at=state.last_run_at if run is None else run.started_at,
        spaced_from=state.spaced_from if run is None else _spaced_from(endpoint, run),
        failure_count=state.failure_count if run is None else _failures(state.failure_count, run.status),
    )


def _consumed(hint: Hint, started_at: datetime) -> bool:
    """Whether the run begun at *started_at* is what a one-shot asked for. One written since asks for another."""
    return (
        hint.kind is HintKind.ONE_SHOT
        and hint.at is not None
        and hint.at <= started_at
        and hint.written_at <= started_at
    )


def _failures(count: int, status: RunStatus) -> int:
    match status:
        case RunStatus.SUCCESS:
            return 0
        case RunStatus.FAILED:
            return count + 1
        case RunStatus.CANCELLED:
            return count


def _spaced_from(endpoint: JobEndpoint, run: Run) -> datetime:
    """From where guardrails and free intervals count: the planned instant when the start was punctual, else the start.

    Counting from the start would make an interval equal to its minimum drift by every start's lateness. Punctual is
    within a second and a tenth of the minimum, so two starts are never closer than nine tenths of it.
    """
    tolerance = PUNCTUAL if endpoint.interval_min is None else min(PUNCTUAL, endpoint.interval_min / 10)
    return run.due_at if ZERO <= run.started_at - run.due_at <= tolerance else run.started_at


def _retry(endpoint: JobEndpoint, steered: JobEndpoint, facts: Facts) -> EndpointState | None:
    """The state with another attempt of the same slot planned; None when the slot has no attempt left.

    The slot has not failed yet, so the failure count stays. `decide` gives the attempt up when it would not come
    before the next instant of the schedule.
    """
    run = facts.run
    if run is None or run.status is not RunStatus.FAILED or not may_retry(endpoint.retries, run.attempt, run.outcome):
        return None
    chance = stable_fraction(facts.seed, run.endpoint_id, str(run.slot), str(run.attempt))
    retry_at = shifted(facts.now, retry_backoff(endpoint.retries, run.attempt, chance))
    failures = endpoint.state.failure_count
    plan = endpoint.state.plan and replace(endpoint.state.plan, nominal_at=run.nominal_at)
    waiting = replace(steered.state, plan=plan, retry_at=retry_at, attempt=run.attempt + 1, failure_count=failures)
    return replace(waiting, plan=plan_next_run(facts.now, replace(steered, state=waiting), facts.cron))


def _before(plan: Plan, other: Plan) -> bool:
    return plan.next_run_at is not None and (other.next_run_at is None or plan.next_run_at < other.next_run_at)
