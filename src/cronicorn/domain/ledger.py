"""The ledger of nominal instants: each one that passed without a run gets a state and a reason.

An endpoint's `accounted_until` is the watermark: everything up to it is recorded, or is what the plan stands for. A run
or an edit accounts for the stretch from there to now, in pieces, each with its own state:

    accounted_until ....... due ........... earliest ........... started .......... now
          | superseded, or    |  missed_window  |     coalesced     |  skipped_overlap |
          | skipped_paused    |                 |                   |                  |
"""

from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from cronicorn.domain.admission import catch_up_window
from cronicorn.domain.cadence import Grid
from cronicorn.domain.endpoint import CATCH_UP_RUNS_MAX, Overlap
from cronicorn.domain.instant import LAST_INSTANT, MICROSECOND, shifted
from cronicorn.domain.plan import Source
from cronicorn.domain.slot import Skip, SlotState

Note = tuple[SlotState, str]
"""How an instant ended, and why."""

LATE: Note = (SlotState.MISSED_WINDOW, "nobody could run it within its catch-up window")
COALESCED: Note = (SlotState.COALESCED, "it was late, and another instant ran for it")
OVERLAPPED: Note = (SlotState.SKIPPED_OVERLAP, "it came while the previous call was running")
HELD_BACK: Note = (SlotState.SKIPPED_PAUSED, "paused or archived before it could run")
REPLACED: Note = (SlotState.SUPERSEDED, "an edit put another instant in its place")
_PAUSED_REASONS = {
    Source.PAUSED: "the endpoint was paused",
    Source.SUSPENDED: "the job was paused or archived, or the endpoint was archived",
}


class Books(NamedTuple):
    """What a stretch of time comes to: recorded skips, what is still owed, and the new watermark."""

    accounted_until: datetime
    skips: tuple[Skip, ...] = ()
    owed_at: datetime | None = None
    owed_count: int = 0


def books_after_run(
    grid: Grid, nominal_at: datetime | None, owed: tuple[datetime, ...], started_at: datetime, now: datetime
) -> Books:
    """Account for the endpoint of *grid* from its watermark to *now*, after a run begun at *started_at* has ended.

    It ran for *nominal_at*, and *owed* still run after it.
    """
    state = grid.endpoint.state
    if state.accounted_until is None:
        return Books(accounted_until=now)
    following = _owed(grid)[1:]
    if following:
        return Books(accounted_until=state.accounted_until, owed_at=following[0], owed_count=len(following) - 1)
    ledger = _Ledger(grid, (nominal_at, *owed))
    after = ledger.close_planned(started_at)
    ledger.close_late(after, started_at)
    ledger.drop_planned(state.accounted_until, *COALESCED)
    begun_at = max(after, started_at)
    if owed:
        skips = tuple(ledger.skips)
        return Books(accounted_until=begun_at, skips=skips, owed_at=owed[0], owed_count=len(owed) - 1)
    buffered = _buffered(grid, begun_at, now)
    if buffered is not None:
        ledger.ran = (*ledger.ran, buffered)
    ledger.close(begun_at, now, *OVERLAPPED)
    return Books(accounted_until=max(begun_at, now), skips=tuple(ledger.skips), owed_at=buffered)


def books_without_run(grid: Grid, now: datetime, note: Note = LATE) -> Books:
    """Account up to *now* for a due slot that ends without a call, as *note* says; what is owed ends with it."""
    state = grid.endpoint.state
    if state.accounted_until is None:
        return Books(accounted_until=now)
    put_aside = _Ledger(grid, (state.plan.nominal_at if state.plan is not None else None,))
    after = put_aside.close_planned(now)
    ledger = _Ledger(grid, ())
    ledger.drop_planned(after, *note)
    ledger.close(after, now, *note)
    skips = (*owed_dropped(grid, note, first=True), *put_aside.skips, *ledger.skips)
    return Books(accounted_until=max(after, now), skips=skips)


def books_at_edit(grid: Grid, now: datetime, *, ran: Iterable[datetime | None], note: Note) -> Books:
    """Account up to *now* under the schedule of *grid*, which is about to change or to be planned again.

    *ran* holds the nominal instants that have run or still will, *note* is for what was due and now will not run.
    """
    stood = grid.endpoint.state
    if stood.accounted_until is None:
        return Books(accounted_until=now)
    ledger = _Ledger(grid, tuple(ran))
    after = ledger.close_planned(now)
    nominal_at = stood.plan.nominal_at if stood.plan is not None else None
    if nominal_at is not None and shifted(nominal_at, grid.offset) <= now:
        ledger.drop_planned(stood.accounted_until, *note)
    ledger.close(after, now, *note)
    return Books(accounted_until=max(after, now), skips=tuple(ledger.skips))


def put_aside_so_far(grid: Grid, now: datetime) -> tuple[Skip, ...]:
    """What the plan in force of the endpoint of *grid* has put aside up to *now*: nobody has recorded it yet."""
    state = grid.endpoint.state
    if state.accounted_until is None:
        return ()
    ledger = _Ledger(grid, (state.plan.nominal_at if state.plan is not None else None, *still_owed(grid)))
    ledger.close_planned(now)
    return tuple(ledger.skips)


def still_owed(grid: Grid) -> tuple[datetime, ...]:
    """The late nominal instants that the endpoint of *grid* still runs, the earliest first."""
    return tuple(_owed(grid))


def owed_dropped(grid: Grid, note: Note, *, first: bool) -> tuple[Skip, ...]:
    """The instants that the endpoint of *grid* still owes and now will not run, the *first* of them included or not."""
    gone = _owed(grid) if first else _owed(grid)[1:]
    if not gone:
        return ()
    state, reason = note
    return (Skip(state=state, reason=reason, first_at=gone[0], last_at=gone[-1], count=len(gone)),)


def dropped(nominal_at: datetime, state: SlotState, reason: str) -> Skip:
    """One nominal instant that was going to run and now will not."""
    return Skip(state=state, reason=reason, first_at=nominal_at, last_at=nominal_at, count=1)


def beside(at: datetime, state: SlotState, reason: str) -> Skip:
    """A slot that was due *at* an instant of no schedule and now will not run."""
    return Skip(state=state, reason=reason, first_at=at, last_at=at, count=0)


def _owed(grid: Grid) -> list[datetime]:
    """The nominal instants that the endpoint owes, in order: they follow one another on its grid."""
    state = grid.endpoint.state
    if state.owed_at is None:
        return []
    owed_at = shifted(state.owed_at, grid.offset)
    more = islice(grid.between(owed_at, LAST_INSTANT), max(0, min(state.owed_count, CATCH_UP_RUNS_MAX)))
    return [state.owed_at, *map(grid.nominal, more)]


def _buffered(grid: Grid, started_at: datetime, now: datetime) -> datetime | None:
    """The latest nominal instant of the call's duration, if the overlap policy runs it afterwards."""
    if grid.endpoint.overlap is Overlap.SKIP:
        return None
    passed = grid.latest(started_at, now)
    return grid.nominal(passed[-1]) if passed else None


def _put_aside(source: Source) -> Note:
    """What a plan of *source* makes of the instants before its own."""
    if source in _PAUSED_REASONS:
        return SlotState.SKIPPED_PAUSED, _PAUSED_REASONS[source]
    if source is Source.CATCH_UP:
        return OVERLAPPED
    backed_off = source is Source.BASELINE_INTERVAL
    reason = "the endpoint backed off after failures" if backed_off else f"the plan was {source.value}"
    return SlotState.SUPERSEDED, reason


class _Ledger:
    """Splits stretches of time after the watermark into skips.

    Leaves out the nominal instants that *ran* or still will. Nearly always these are all, and nothing is left.
    """

    __slots__ = ("_after", "_open_at", "grid", "ran", "skips")

    def __init__(self, grid: Grid, ran: tuple[datetime | None, ...]) -> None:
        watermark = grid.endpoint.state.accounted_until
        assert watermark is not None
        self.grid = grid
        self.ran = ran
        self.skips: list[Skip] = []
        self._after = watermark
        open_at = grid.next(watermark)
        while open_at is not None and grid.nominal(open_at) in ran:
            open_at = grid.next(open_at)
        self._open_at = open_at
        """The first instant after the watermark that did not run."""

    def close_planned(self, until: datetime) -> datetime:
        """Record what the plan in force put aside, up to *until* or to its own instant; say where it stopped."""
        plan, after = self.grid.endpoint.state.plan, self._after
        if plan is None:
            return after
        due = plan.next_run_at
        end = until if due is None else min(until, shifted(due, -MICROSECOND))
        if self._has_open(end):
            self.close(after, end, *_put_aside(plan.source))
        return max(after, end)

    def close_late(self, after: datetime, started_at: datetime) -> None:
        """Record what became due in (*after*, *started_at*] beside what ran, inside the catch-up window and before."""
        if self._has_open(started_at):
            earliest = shifted(started_at, -catch_up_window(self.grid.endpoint))
            border = min(max(after, shifted(earliest, -MICROSECOND)), started_at)
            self.close(after, border, *LATE)
            self.close(border, started_at, *COALESCED)

    def drop_planned(self, watermark: datetime, state: SlotState, reason: str) -> None:
        """Record the planned nominal instant by itself, if it did not run and no stretch after *watermark* holds it."""
        stood = self.grid.endpoint.state
        nominal_at = stood.plan.nominal_at if stood.plan is not None else None
        if nominal_at is None or nominal_at in self.ran or nominal_at == stood.owed_at or stood.attempt > 1:
            return
        effective = shifted(nominal_at, self.grid.offset)
        if effective <= watermark or self.grid.next(shifted(effective, -MICROSECOND)) != effective:
            self.skips.append(dropped(nominal_at, state, reason))

    def close(self, after: datetime, until: datetime, state: SlotState, reason: str) -> None:
        """Record the instants in (*after*, *until*] that have no run."""
        if not self._has_open(until):
            return
        for cut in sorted(shifted(instant, self.grid.offset) for instant in self.ran if instant is not None):
            if after < cut <= until:
                self._add(after, shifted(cut, -MICROSECOND), state, reason)
                after = cut
        self._add(after, until, state, reason)

    def _has_open(self, until: datetime) -> bool:
        return self._open_at is not None and self._open_at <= until

    def _add(self, after: datetime, until: datetime, state: SlotState, reason: str) -> None:
        count = self.grid.count(after, until) if after < until else None
        if count is None:
            return
        skip = Skip(
            state=state,
            reason=reason,
            first_at=self.grid.nominal(count.first_at),
            last_at=self.grid.nominal(count.last_at),
            count=count.number,
            exact=count.exact,
        )
        self.skips.append(skip)
