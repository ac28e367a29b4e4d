"""Edits: every change a person, agent or rule makes to an endpoint, planned again at once. Pure.

Each edit takes the endpoint as stored now and answers a `Change`. A slot that is due or running is not taken away by an
edit: it runs, and settling it plans with all that was written meanwhile. Only a pause or an archive stops a due slot.
"""

from dataclasses import replace
from datetime import datetime

from cronicorn.domain.cadence import Grid
from cronicorn.domain.endpoint import BaselineKind, EndpointState, JobEndpoint, ManualSlot
from cronicorn.domain.errors import ConflictError
from cronicorn.domain.flow.limits import HeldBack
from cronicorn.domain.governor import CALM
from cronicorn.domain.hint import Hint, paused_until, with_hint, without_model, without_pauses, without_steering
from cronicorn.domain.instant import shifted, whole_millisecond
from cronicorn.domain.ledger import (
    COALESCED,
    HELD_BACK,
    OVERLAPPED,
    REPLACED,
    Note,
    books_at_edit,
    dropped,
    owed_dropped,
)
from cronicorn.domain.plan import Plan, Source
from cronicorn.domain.planning import plan_next_run
from cronicorn.domain.policy.changing import kept_hints, kept_memory
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.ports import Cron
from cronicorn.domain.settlement import Change, Settlement, Stored
from cronicorn.domain.signals.memory import BLANK as NOTHING_LEARNT
from cronicorn.domain.slot import Skip, SlotState


def started(endpoint: JobEndpoint, now: datetime, cron: Cron) -> JobEndpoint:
    """A new *endpoint* with its first plan. Nothing before *now* counts as missed."""
    state = replace(endpoint.state, spaced_from=whole_millisecond(now), accounted_until=now)
    endpoint = endpoint.standing(state)
    return endpoint.standing(replace(state, plan=plan_next_run(now, endpoint, cron)))


def edited(before: JobEndpoint, after: JobEndpoint, stored: Stored, cron: Cron) -> Change:
    """*after*, planned again where *before* leaves room for it, with a version of its own."""
    after = replace(after, version=before.version + 1, updated_at=stored.now)
    if after.policy != before.policy:
        after = _under_new_policy(before, after)
    if before.analysis.enabled and not after.analysis.enabled:  # Nobody would ask the model to take them back.
        after = _with_state(after, hints=without_model(after.state.hints))
    if after.request != before.request:  # What was learnt of another resource says nothing about this one.
        after = _with_state(after, memory=replace(after.state.memory, signals=NOTHING_LEARNT))
    if after.state.held is not None and (after.flow, after.request) != (before.flow, before.request):
        after = _with_state(after, held=None)  # It asks at once, by what holds now.
    if _running(before, stored):
        return _left_planned(before, after, stored.now, cron, OVERLAPPED)
    if _stays_due(before, after, stored.now):
        return _left_planned(before, after, stored.now, cron, COALESCED)
    return _planned_again(before, after, stored.now, cron)


def _under_new_policy(before: JobEndpoint, after: JobEndpoint) -> JobEndpoint:
    """*after* without what only the old rules remember and wrote."""
    memory = after.state.memory
    rules = kept_memory(memory.rules, before.policy, after.policy)
    governor = memory.governor if _rules_alike(before.policy, after.policy) else CALM
    return _with_state(
        after,
        memory=replace(memory, rules=rules, governor=governor),
        hints=kept_hints(after.state.hints, before.policy, after.policy),
    )


def _rules_alike(before: Policy | None, after: Policy | None) -> bool:
    """Whether nothing has changed but what is said about a policy."""
    if before is None or after is None:
        return False
    return replace(before, description=None, unsupported=(), examples=()) == replace(
        after, description=None, unsupported=(), examples=()
    )


def _left_planned(before: JobEndpoint, after: JobEndpoint, now: datetime, cron: Cron, note: Note) -> Change:
    """*after* with the plan of *before*. What has passed of another schedule is recorded under that one, as *note*."""
    if before.baseline == after.baseline:
        return Change(endpoint=after)
    grid = Grid(before, cron)
    books = books_at_edit(grid, now, ran={_nominal(before.state.plan)}, note=note)
    owed = owed_dropped(grid, REPLACED, first=False)
    after = _with_state(after, accounted_until=books.accounted_until, owed_count=0)
    return Change(endpoint=after, skips=(*books.skips, *owed))


def _planned_again(before: JobEndpoint, after: JobEndpoint, now: datetime, cron: Cron) -> Change:
    same = before.baseline == after.baseline
    # The one instant of an endpoint may be held back beyond its time: the watermark passes it when it has run.
    once = same and after.baseline.kind is BaselineKind.ONCE
    after = _with_state(after, accounted_until=before.state.accounted_until if once else now)
    plan = plan_next_run(now, after, cron)
    if after.state.attempt > 1 and not plan.is_retry:
        after = after.standing(_without_retry(after.state))
        plan = plan_next_run(now, after, cron)
    if _was_due(before, now) and not plan.is_retry:
        after = after.standing(_next_slot(after.state))
    grid = Grid(before, cron)
    note = HELD_BACK if plan.source in {Source.PAUSED, Source.SUSPENDED} else REPLACED
    ran = {plan.nominal_at, _nominal(before.state.plan) if before.state.attempt > 1 else None}
    books = books_at_edit(grid, now, ran=ran, note=note)
    if not (once and plan.nominal_at == after.baseline.once_at):
        after = _with_state(after, accounted_until=books.accounted_until)
    state, owed = without_owed(before, replace(after.state, plan=plan), cron)
    if not same:
        owed = (*owed, *owed_dropped(Grid(before.standing(state), cron), REPLACED, first=False))
        state = replace(state, owed_count=0)
    return Change(endpoint=after.standing(state), skips=(*books.skips, *owed))


def without_owed(before: JobEndpoint, state: EndpointState, cron: Cron) -> tuple[EndpointState, tuple[Skip, ...]]:
    """*state* without the instants it owes, and their record, if its plan does not stand for them: it was paused.

    The schedule of *before* says which instants these are.
    """
    if state.owed_at is None or _nominal(state.plan) == state.owed_at:
        return state, ()
    grid = Grid(before.standing(state), cron)
    return replace(state, owed_at=None, owed_count=0), owed_dropped(grid, HELD_BACK, first=True)


def _nominal(plan: Plan | None) -> datetime | None:
    return plan.nominal_at if plan is not None else None


def hinted(before: JobEndpoint, hint: Hint, stored: Stored, cron: Cron) -> Change:
    """The endpoint with *hint*, in the place of an earlier one of its id. Raises ConflictError when it has too many."""
    hints = with_hint(before.state.hints, hint, stored.now)
    return edited(before, _with_state(before, hints=hints), stored, cron)


def unhinted(before: JobEndpoint, stored: Stored, cron: Cron) -> Change:
    """The endpoint without any hint that steers it; pauses stay. One that was frozen may be steered again."""
    memory = replace(before.state.memory, governor=CALM)
    after = _with_state(before, hints=without_steering(before.state.hints), memory=memory)
    return edited(before, after, stored, cron)


def resumed(before: JobEndpoint, stored: Stored, cron: Cron) -> Change:
    """The endpoint without any pause, back on its schedule; the time it was away makes no run of its own."""
    state = _rested(before, replace(before.state, hints=without_pauses(before.state.hints)), stored.now)
    return edited(before, before.standing(state), stored, cron)


def called_on(before: JobEndpoint, stored: Stored) -> Change:
    """The endpoint held back no longer than until now: what it waited for may be there."""
    held = before.state.held
    if held is None or held.until <= stored.now:
        return Change(endpoint=before)
    return Change(endpoint=_with_state(before, held=replace(held, until=stored.now)))


def held_back(before: JobEndpoint, held: HeldBack) -> Settlement:
    """What becomes of a slot of the endpoint that was claimed and has to wait: it stays as it is, for later."""
    return Settlement(state=replace(before.state, held=held))


def forgiven(before: JobEndpoint, stored: Stored, cron: Cron) -> Change:
    """The endpoint with no failures held against it."""
    return edited(before, _with_state(before, failure_count=0), stored, cron)


def suspended(
    before: JobEndpoint, *, job_active: bool, archived_at: datetime | None, stored: Stored, cron: Cron
) -> Change:
    """The endpoint archived or not, in a job that is active or not."""
    state = replace(before.state, suspended=not job_active or archived_at is not None)
    if before.state.suspended and not state.suspended:
        state = _rested(before, state, stored.now)
    skips: tuple[Skip, ...] = ()
    if archived_at is not None and state.manual is not None and not stored.leased:
        skips = (_canceled(state.manual, "its endpoint was archived"),)
        state = replace(state, manual=None)
    change = edited(before, replace(before, archived_at=archived_at, state=state), stored, cron)
    return replace(change, skips=(*change.skips, *skips))


def asked_to_run(before: JobEndpoint, stored: Stored) -> Change:
    """The endpoint with a manual slot due now. The schedule stays as it is. Raises ConflictError when archived.

    One manual run waits at a time: asking again while one waits or runs gives the same slot.
    """
    if before.archived_at is not None:
        raise ConflictError(f"Endpoint {before.id} is archived; unarchive it first.")
    if before.state.manual is not None:
        return Change(endpoint=before)
    slot = before.state.slots_issued + 1
    manual = ManualSlot(slot=slot, requested_at=stored.now)
    return Change(endpoint=_with_state(before, manual=manual, slots_issued=slot))


def taken_back(before: JobEndpoint, stored: Stored) -> Change:
    """The endpoint without its waiting manual slot. Raises ConflictError when none waits."""
    manual = before.state.manual
    if manual is None:
        raise ConflictError(f"No manual run of endpoint {before.id} is waiting.")
    skip = _canceled(manual, f"a person took it back at {stored.now.isoformat()}")
    return Change(endpoint=_with_state(before, manual=None), skips=(skip,))


def _canceled(manual: ManualSlot, why: str) -> Skip:
    return dropped(manual.requested_at, SlotState.CANCELLED, f"manual run {manual.slot}: {why}")


def _with_state(endpoint: JobEndpoint, **changes: object) -> JobEndpoint:
    return endpoint.standing(replace(endpoint.state, **changes))  # type: ignore[arg-type]


def _running(before: JobEndpoint, stored: Stored) -> bool:
    """Whether a worker is on the planned slot of *before*. A manual run leaves the plan free."""
    return stored.leased_slot == before.state.slot


def _stays_due(before: JobEndpoint, after: JobEndpoint, now: datetime) -> bool:
    due_at = before.state.plan.next_run_at if before.state.plan is not None else None
    if due_at is None or due_at > now or after.state.suspended or before.state.suspended:
        return False
    same_kind = before.baseline.kind is after.baseline.kind
    return paused_until(after.state.hints, now) is None and (
        same_kind or after.baseline.kind is not BaselineKind.DORMANT
    )


def _was_due(endpoint: JobEndpoint, now: datetime) -> bool:
    """Whether a worker may have called the planned slot, one whose lease was lost perhaps: its number is used up."""
    plan = endpoint.state.plan
    return plan is not None and plan.next_run_at is not None and plan.next_run_at <= now


def _next_slot(state: EndpointState) -> EndpointState:
    slot = state.slots_issued + 1
    return replace(state, slot=slot, slots_issued=slot, attempt=1)


def _without_retry(state: EndpointState) -> EndpointState:
    return replace(_next_slot(state), retry_at=None, failure_count=state.failure_count + 1)


def _rested(endpoint: JobEndpoint, state: EndpointState, now: datetime) -> EndpointState:
    """*state* counted from now, if the maximum would otherwise call the time away too long and run at once."""
    if endpoint.interval_max is None or state.spaced_from is None:
        return state
    overdue = shifted(state.spaced_from, endpoint.interval_max) <= now
    return replace(state, spaced_from=whole_millisecond(now)) if overdue else state
