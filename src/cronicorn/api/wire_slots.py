"""Slots on the wire."""

from cronicorn.api.cursors import Paging
from cronicorn.api.wire_run import JudgedAnswer, error_of, judged_answer, status_of
from cronicorn.api.wire_values import Answer, Instant, Omittable, milliseconds
from cronicorn.control.runs import UnfinishedRun
from cronicorn.control.slots import OpenState, SlotList, SlotView
from cronicorn.domain.instant import instant_of, microseconds_of
from cronicorn.domain.past_slots import SlotPlace
from cronicorn.domain.plan import Source
from cronicorn.domain.run import Run
from cronicorn.domain.slot import SlotState


class AttemptAnswer(Answer):
    """One attempt at a slot: `pending`, `running`, or ended as `success`, `failed` or `canceled`."""

    run_id: str
    attempt: int
    status: str
    started_at: Instant
    """When it began; when it is due while it is `pending`."""
    finished_at: Omittable[Instant] = None
    duration_ms: Omittable[float] = None
    status_code: Omittable[int] = None
    error_message: Omittable[str] = None
    judged: Omittable[JudgedAnswer] = None


class SlotAnswer(Answer):
    """A slot with its attempts or, without a number, a range of nominal instants that did not run."""

    state: SlotState | OpenState
    recorded: bool
    """False of what may still change: it waits, goes on, or was put aside by the plan in force."""
    at: Instant
    """By which slots are in order: when the first attempt began, or is due; the last instant of a range."""
    slot: Omittable[int] = None
    source: Omittable[Source] = None
    reason: Omittable[str] = None
    first_at: Omittable[Instant] = None
    """The nominal instants that it stands for begin here; absent of what stands for none."""
    last_at: Omittable[Instant] = None
    count: int
    """How many they are; there are more where it is not `exact`."""
    exact: bool
    due_at: Omittable[Instant] = None
    attempts: list[AttemptAnswer]


class SlotsAnswer(Answer):
    """One page of slots, newest first."""

    slots: list[SlotAnswer]
    next_cursor: Omittable[str] = None


def slots_answer(found: SlotList, paging: Paging) -> SlotsAnswer:
    """*found* on the wire."""
    after = found.next_after
    cursor = None if after is None else paging.cursor((microseconds_of(after.at), int(after.ran), after.number))
    return SlotsAnswer(slots=[_slot(view) for view in found.slots], next_cursor=cursor)


def place_of(cursor: str | None, paging: Paging) -> SlotPlace | None:
    """Where the page after *cursor* begins; None for none. Raises InvalidInputError for one of another list."""
    if cursor is None:
        return None
    at_us, ran, number = map(int, paging.place(cursor, int, int, int))
    return SlotPlace(instant_of(at_us), ran=bool(ran), number=number)


def _slot(view: SlotView) -> SlotAnswer:
    return SlotAnswer(
        state=view.state, recorded=view.recorded, at=view.at, slot=view.number, source=view.source, reason=view.reason,
        first_at=view.first_at, last_at=view.last_at, count=view.count, exact=view.exact, due_at=view.due_at,
        attempts=[_attempt(run) for run in view.attempts],
    )  # fmt: skip


def _attempt(run: Run | UnfinishedRun) -> AttemptAnswer:
    if isinstance(run, UnfinishedRun):
        return AttemptAnswer(run_id=run.id, attempt=run.attempt, status=status_of(run), started_at=run.since)
    return AttemptAnswer(
        run_id=run.id, attempt=run.attempt, status=status_of(run), started_at=run.started_at,
        finished_at=run.finished_at, duration_ms=milliseconds(run.outcome.duration),
        status_code=run.outcome.status_code, error_message=error_of(run), judged=judged_answer(run.outcome),
    )  # fmt: skip
