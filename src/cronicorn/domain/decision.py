"""`decide`: the one place where an outcome becomes consequences. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from cronicorn.domain.admission import PUNCTUAL, admit
from cronicorn.domain.bodies import body_mark
from cronicorn.domain.cadence import Grid
from cronicorn.domain.editing import edited, without_owed
from cronicorn.domain.endpoint import CatchUpMode, EndpointState, JobEndpoint
from cronicorn.domain.governor import GovernorEvent
from cronicorn.domain.hint import Hint, HintKind, fresh_hints, paused_until
from cronicorn.domain.instant import ZERO, shifted, stable_fraction
from cronicorn.domain.ledger import LATE, Books, Note, beside, books_after_run, books_without_run
from cronicorn.domain.plan import Plan, Source
from cronicorn.domain.planning import Basis, plan_of
from cronicorn.domain.policy.acting import Order
from cronicorn.domain.ports import Cron
from cronicorn.domain.retry import may_retry, retry_backoff
from cronicorn.domain.run import Run, RunStatus
from cronicorn.domain.settlement import NO_CHANGES, Change, Settlement, Sibling, Stored
from cronicorn.domain.slot import Skip, SlotState
from cronicorn.domain.steering import Heard, Steered, heard, ordered, steered, steered_by_sibling
from cronicorn.domain.steering_memory import SteeringMemory
from cronicorn.domain.steering_record import SteeringRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What `decide` is told besides the endpoint."""

    stored: Stored
    run: Run | None
    """The attempt to settle; None when the claimed slot came too late to run, or was not allowed to."""
    manual: bool
    cron: Cron
    watched: bool = False
    """Whether rules of other endpoints of the job may read this one's answers."""
    steers: bool = True
    """Whether the answer steers; without it the run is accounted for and planned again, and no more."""
    over_limit: str | None = None
    """Why a slot that is in time ends without a call all the same: a limit on runs."""
    seed: str = ""
    """Decides the jitter of retries and signals: the same seed gives the same history."""

    @property
    def now(self) -> datetime:
        """The store's now; never before the run's end, which the worker's own clock may have put a little later."""
        return self.stored.now if self.run is None else max(self.stored.now, self.run.finished_at)


def decide(endpoint: JobEndpoint, facts: Facts) -> Settlement:
    """All that follows from settling a slot of *endpoint*, which is as stored now, with every hint written meanwhile.

    A manual run leaves the cadence alone. A slot that ran or was missed is accounted for, its answer steers (failures,
    retries, signals and rules, those of siblings too), and the endpoint is planned again. May be called more than once.
    """
    if facts.run is None and not facts.manual:
        in_time = admit(endpoint, facts.now, facts.cron).run
        if in_time and facts.over_limit is None:
            return Settlement(state=endpoint.state)  # An instant came due since it was found too late: it stays due.
        facts = facts if in_time else replace(facts, over_limit=None)
    steering = _steering(endpoint, facts)
    changes, record = _siblings_after(facts, steering)
    state, skips = _after_manual(endpoint, facts, steering) if facts.manual else _after_slot(endpoint, facts, steering)
    return Settlement(state, skips, changes, record)


_After: TypeAlias = tuple[EndpointState, tuple[Skip, ...]]
"""Where the schedule stands, and the instants that ended without a run."""
_NOBODY: Mapping[str, Steered] = MappingProxyType({})


class _Steering(NamedTuple):
    """What the answer makes of hints, the endpoint's own and its siblings'; nothing of a call that ended unheard."""

    hints: tuple[Hint, ...]
    memory: SteeringMemory
    own: Steered | None = None
    readers: Mapping[str, Steered] = _NOBODY
    """What the rules of siblings that read the answer made of it, by their names."""
    orders: tuple[Order, ...] = ()
    """What all these rules want of others."""
    events: tuple[GovernorEvent, ...] = ()


def _steering(endpoint: JobEndpoint, facts: Facts) -> _Steering:
    state, run, now = endpoint.state, facts.run, facts.now
    hints = fresh_hints(state.hints, now)
    ended_at = _ended_at(facts)
    if hints and not facts.manual and ended_at is not None:
        hints = tuple(hint for hint in hints if not _consumed(hint, ended_at))
    if run is None:
        return _Steering(hints=hints, memory=state.memory)
    answer = heard(endpoint, run, _failures(state.failure_count, run.status), now) if facts.steers else None
    if answer is None:
        return _Steering(hints=hints, memory=state.memory)
    own = steered(endpoint, hints, answer, facts.seed)
    readers = dict(_read_by_siblings(endpoint, answer, facts)) if facts.watched else _NOBODY
    orders = (*own.orders, *(order for read in readers.values() for order in read.orders))
    hints, memory, events = own.hints, own.memory, own.events
    mine = tuple(order for order in orders if order.sibling == endpoint.name)
    if mine:
        after, more = ordered(endpoint.standing(replace(state, hints=hints, memory=memory)), mine, now)
        hints, memory, events = after.state.hints, after.state.memory, (*events, *more)
    return _Steering(hints=hints, memory=memory, own=own, readers=readers, orders=orders, events=events)


def _read_by_siblings(endpoint: JobEndpoint, answer: Heard, facts: Facts) -> Iterator[tuple[str, Steered]]:
    for sibling in facts.stored.siblings.values():
        policy = sibling.endpoint.policy
        if policy is not None and endpoint.name in policy.siblings:
            yield sibling.endpoint.name, steered_by_sibling(sibling.endpoint, policy, answer)


def _after_slot(endpoint: JobEndpoint, facts: Facts, steering: _Steering) -> _After:
    state, run, now = endpoint.state, facts.run, facts.now
    grid = Grid(endpoint, facts.cron)
    books = _books(grid, facts, now)
    basis = Basis(
        state.suspended, steering.hints, _failures_after(endpoint, facts), _spaced_after(endpoint, facts),
        books.accounted_until, books.owed_at, books.owed_count,
    )  # fmt: skip
    plan = plan_of(now, basis, grid)
    slot, skips = state.slots_issued + 1, books.skips
    retry = _retry(endpoint, basis, facts)
    again = plan_of(now, retry, grid) if retry is not None else None
    if retry is not None and again is not None and again.is_retry and _before(again, plan):
        basis, plan, slot = retry, again, state.slot
    after = EndpointState(
        slot=slot,
        attempt=basis.attempt,
        slots_issued=max(slot, state.slots_issued),
        failure_count=basis.failure_count,
        hints=basis.hints,
        memory=steering.memory,
        suspended=state.suspended,
        last_run_at=state.last_run_at if run is None else run.started_at,
        spaced_from=basis.spaced_from,
        accounted_until=basis.accounted_until,
        retry_at=basis.retry_at,
        owed_at=basis.owed_at,
        owed_count=basis.owed_count,
        manual=state.manual,
        plan=plan,
        body_mark=body_mark(endpoint, run),
        held=None,
    )
    if plan is again:
        return after, skips
    after, gone = without_owed(endpoint, after, facts.cron)
    return after, (*skips, *_skipped_beside_the_schedule(endpoint, facts), *gone)


def _after_manual(endpoint: JobEndpoint, facts: Facts, steering: _Steering) -> _After:
    """The schedule goes on as it was, unless what it rests on has changed.

    The answer may have steered, or a pause or an archive may have come while the planned slot waited for this run.
    """
    state, skips = endpoint.state, _manual_skipped(endpoint, facts)
    steers = steering.hints != fresh_hints(state.hints, facts.now)
    last_run_at = facts.run.started_at if facts.run is not None else state.last_run_at
    state = replace(
        state,
        manual=None,
        body_mark=body_mark(endpoint, facts.run),
        held=None,
        last_run_at=last_run_at,
        hints=steering.hints,
        memory=steering.memory,
    )
    held_back = state.suspended or paused_until(state.hints, facts.now) is not None
    waits = held_back and state.plan is not None and state.plan.source not in {Source.PAUSED, Source.SUSPENDED}
    if not steers and not waits:
        return state, skips
    idle = endpoint.standing(state)
    change = edited(idle, idle, Stored(now=facts.now), facts.cron)
    return change.endpoint.state, (*skips, *change.skips)


def _manual_skipped(endpoint: JobEndpoint, facts: Facts) -> tuple[Skip, ...]:
    """What becomes of a manual slot that a limit kept from running."""
    manual = endpoint.state.manual
    if facts.run is not None or facts.over_limit is None or manual is None:
        return ()
    reason = f"manual run {manual.slot}: {facts.over_limit}"
    return (beside(manual.requested_at, SlotState.SKIPPED_QUOTA, reason),)


def _skipped_beside_the_schedule(endpoint: JobEndpoint, facts: Facts) -> tuple[Skip, ...]:
    """The same of a planned slot that stands for no instant of the schedule, which the books would not tell of."""
    plan = endpoint.state.plan
    if facts.run is not None or facts.over_limit is None or plan is None or plan.next_run_at is None:
        return ()
    if plan.nominal_at is not None:
        return ()
    return (beside(plan.next_run_at, SlotState.SKIPPED_QUOTA, f"{plan.source.value}: {facts.over_limit}"),)


_NO_EVENTS: Mapping[str, tuple[GovernorEvent, ...]] = {}  # Kept with the run, as `SteeringRecord` has it.


def _siblings_after(facts: Facts, steering: _Steering) -> tuple[Mapping[str, Change], SteeringRecord | None]:
    """What the answer makes of siblings, by endpoint id, and the record of all decisions."""
    if steering.own is None:
        return NO_CHANGES, None
    if not steering.readers and not steering.orders:
        return NO_CHANGES, _record(steering, steering.own, facts, _NO_EVENTS)
    changes: dict[str, Change] = {}
    events: dict[str, tuple[GovernorEvent, ...]] = {}
    for sibling in facts.stored.siblings.values():
        change, happened = _sibling_after(sibling, steering, facts)
        if change is not None:
            changes[sibling.endpoint.id] = change
        if happened:
            events[sibling.endpoint.id] = happened
    return changes, _record(steering, steering.own, facts, events)


def _sibling_after(
    sibling: Sibling, steering: _Steering, facts: Facts
) -> tuple[Change | None, tuple[GovernorEvent, ...]]:
    """What becomes of *sibling*: its own rules read the answer, and those of others may order something of it."""
    before = after = sibling.endpoint
    events: tuple[GovernorEvent, ...] = ()
    read = steering.readers.get(before.name)
    if read is not None:
        after = after.standing(replace(after.state, hints=read.hints, memory=read.memory))
        events = read.events
    orders = tuple(order for order in steering.orders if order.sibling == before.name)
    if orders:
        after, more = ordered(after, orders, facts.now)
        events = (*events, *more)
    if after.state == before.state:
        return None, events
    if after.state.hints == fresh_hints(before.state.hints, facts.now):
        return Change(endpoint=after), events
    return edited(before, after, Stored(now=facts.now, leased_slot=sibling.leased_slot), facts.cron), events


def _record(
    steering: _Steering, own: Steered, facts: Facts, of_siblings: Mapping[str, tuple[GovernorEvent, ...]]
) -> SteeringRecord | None:
    if own.steps is None and not own.notes and not steering.readers and not steering.events and not of_siblings:
        return None
    siblings = facts.stored.siblings if steering.readers else {}
    read = {siblings[name].endpoint.id: each.steps for name, each in steering.readers.items() if each.steps is not None}
    return SteeringRecord(facts.now, own.notes, own.steps, read, steering.events, of_siblings)


def _books(grid: Grid, facts: Facts, now: datetime) -> Books:
    run = facts.run
    if run is None:
        note: Note = LATE if facts.over_limit is None else (SlotState.SKIPPED_QUOTA, facts.over_limit)
        return books_without_run(grid, now, note)
    return books_after_run(grid, run.nominal_at, _owed(grid.endpoint, run, facts.cron), run.started_at, now)


def _owed(endpoint: JobEndpoint, run: Run, cron: Cron) -> tuple[datetime, ...]:
    """The late instants still to come after what ran. The policy may have changed since the run began."""
    nominal_at = run.nominal_at
    if endpoint.catch_up.mode is not CatchUpMode.ALL or nominal_at is None:
        return ()
    return tuple(instant for instant in admit(endpoint, run.started_at, cron).owed if instant > nominal_at)


def _ended_at(facts: Facts) -> datetime | None:
    """When the slot began, or would have, had a limit not kept it from running; None when it came too late."""
    if facts.run is not None:
        return facts.run.started_at
    return facts.now if facts.over_limit is not None else None


def _spaced_after(endpoint: JobEndpoint, facts: Facts) -> datetime | None:
    """From where guardrails and free intervals count next: also from a slot that a limit kept from running."""
    if facts.run is not None:
        return _spaced_from(endpoint, facts.run.due_at, facts.run.started_at)
    plan = endpoint.state.plan
    if facts.over_limit is None or plan is None or plan.next_run_at is None:
        return endpoint.state.spaced_from
    return _spaced_from(endpoint, plan.next_run_at, facts.now)


def _failures_after(endpoint: JobEndpoint, facts: Facts) -> int:
    """A slot whose retry a limit kept from running has failed."""
    count = endpoint.state.failure_count
    if facts.run is not None:
        return _failures(count, facts.run.status)
    return count + 1 if facts.over_limit is not None and endpoint.state.attempt > 1 else count


def _consumed(hint: Hint, started_at: datetime) -> bool:
    """Whether the run begun at *started_at* is what a one-shot asked for. One written since asks for another."""
    return (
        hint.kind is HintKind.ONE_SHOT
        and hint.at is not None
        and hint.at <= started_at
        and hint.written_at <= started_at
    )


def _failures(count: int, status: RunStatus) -> int:
    if status is RunStatus.SUCCESS:
        return 0
    return count + 1 if status is RunStatus.FAILED else count


def _spaced_from(endpoint: JobEndpoint, due_at: datetime, started_at: datetime) -> datetime:
    """From where guardrails and free intervals count: the planned instant when the start was punctual, else the start.

    Counting from the start would make an interval equal to its minimum drift by every start's lateness. Punctual is
    within a second and a tenth of the minimum, so two starts are never closer than nine tenths of it.
    """
    tolerance = PUNCTUAL if endpoint.interval_min is None else min(PUNCTUAL, endpoint.interval_min / 10)
    return due_at if ZERO <= started_at - due_at <= tolerance else started_at


def _retry(endpoint: JobEndpoint, basis: Basis, facts: Facts) -> Basis | None:
    """*basis* with another attempt of the same slot to come; None when the slot has no attempt left.

    The slot has not failed yet, so the failure count stays. `decide` gives the attempt up when it would not come
    before the next instant of the schedule.
    """
    run, state = facts.run, endpoint.state
    if run is None or run.status is not RunStatus.FAILED or not may_retry(endpoint.retries, run.attempt, run.outcome):
        return None
    chance = stable_fraction(facts.seed, run.endpoint_id, str(run.slot), str(run.attempt))
    return basis._replace(
        failure_count=state.failure_count,
        attempt=run.attempt + 1,
        retry_at=shifted(facts.now, retry_backoff(endpoint.retries, run.attempt, chance)),
        retried_at=run.nominal_at if state.plan is not None else None,
    )


def _before(plan: Plan, other: Plan) -> bool:
    return plan.next_run_at is not None and (other.next_run_at is None or plan.next_run_at < other.next_run_at)
