"""The ledger of nominal instants: each one that passed without a run gets a state and a reason.

An endpoint's `accounted_until` is the watermark: everything up to it is recorded, or is what the plan stands for. A run
or an edit accounts for the stretch from there to now, in pieces, each with its own state:

    accounted_until ....... due ........... earliest ........... started .......... now
          | superseded, or    |  missed_window  |     coalesced     |  skipped_overlap |
          | skipped_paused    |                 |                   |                  |
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from cronicorn.domain.admission import Admission, catch_up_window
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What a stretch of time comes to: recorded skips, what is still owed, and the new watermark."""

    accounted_until: datetime
    skips: tuple[Skip, ...] = ()
    owed_at: datetime | None = None
    owed_count: int = 0


def books_after_run(grid: Grid, admission: Admission, started_at: datetime, now: datetime) -> Books:
    """Account for the endpoint of *grid* from its watermark to *now*, after a run begun at *started_at* has ended."""
    state = grid.endpoint.state
    if state.accounted_until is None:
        return Books(accounted_until=now)
    following = _owed(grid)[1:]
    if following:
        return Books(accounted_until=state.accounted_until, owed_at=following[0], owed_count=len(following) - 1)
    ledger = _Ledger(grid, ran={admission.nominal_at, *admission.owed})
    after = ledger.close_planned(started_at)
    ledger.close_late(after, shifted(started_at, -catch_up_window(grid.endpoint)), started_at)
    ledger.drop_planned(state.accounted_until, *COALESCED)
    begun_at = max(after, started_at)
    if admission.owed:
        skips = tuple(ledger.skips)
        owed_at, owed_count = admission.owed[0], len(admission.owed) - 1
        return Books(accounted_until=begun_at, skips=skips, owed_at=owed_at, owed_count=owed_count)
    buffered = _buffered(grid, begun_at, now)
    ledger.ran.add(buffered)
    ledger.close(begun_at, now, *OVERLAPPED)
    return Books(accounted_until=max(begun_at, now), skips=tuple(ledger.skips), owed_at=buffered)


def books_without_run(grid: Grid, now: datetime, note: Note = LATE) -> Books:
    """Account up to *now* for a due slot that ends without a call, as *note* says; what is owed ends with it."""
    state = grid.endpoint.state
    if state.accounted_until is None:
        return Books(accounted_until=now)
    ledger = _Ledger(grid, ran={state.plan.nominal_at if state.plan is not None else None})
    after = ledger.close_planned(now)
    ledger.ran.clear()
    ledger.drop_planned(after, *note)
    ledger.close(after, now, *note)
    skips = (*owed_dropped(grid, note, first=True), *ledger.skips)
    return Books(accounted_until=max(after, now), skips=skips)


def books_at_edit(grid: Grid, now: datetime, *, ran: Iterable[datetime | None], note: Note) -> Books:
    """Account up to *now* under the schedule of *grid*, which is about to change or to be planned again.

    *ran* holds the nominal instants that have run or still will, *note* is for what was due and now will not run.
    """
    stood = grid.endpoint.state
    if stood.accounted_until is None:
        return Books(accounted_until=now)
    ledger = _Ledger(grid, ran=set(ran))
    after = ledger.close_planned(now)
    nominal_at = stood.plan.nominal_at if stood.plan is not None else None
    if nominal_at is not None and shifted(nominal_at, grid.offset) <= now:
        ledger.drop_planned(stood.accounted_until, *note)
    ledger.close(after, now, *note)
    return Books(accounted_until=max(after, now), skips=tuple(ledger.skips))


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
    state, offset = grid.endpoint.state, grid.offset
    if state.owed_at is None:
        return []
    owed_at = shifted(state.owed_at, offset)
    more = islice(grid.between(owed_at, LAST_INSTANT), max(0, min(state.owed_count, CATCH_UP_RUNS_MAX)))
    return [state.owed_at, *(shifted(instant, -offset) for instant in more)]


def _buffered(grid: Grid, started_at: datetime, now: datetime) -> datetime | None:
    """The latest nominal instant of the call's duration, if the overlap policy runs it afterwards."""
    if grid.endpoint.overlap is Overlap.SKIP:
        return None
    passed = grid.latest(started_at, now)
    return shifted(passed[-1], -grid.offset) if passed else None


@dataclass(slots=True)
class _Ledger:
    """Splits stretches of time into skips, leaving out the nominal instants that *ran* or still will."""

    grid: Grid
    ran: set[datetime | None]
    skips: list[Skip] = field(default_factory=list)

    def close_planned(self, until: datetime) -> datetime:
        """Record what the plan in force put aside, up to *until* or to its own instant; say where it stopped."""
        state = self.grid.endpoint.state
        after = state.accounted_until
        assert after is not None
        if state.plan is None:
            return after
        due = state.plan.next_run_at
        end = until if due is None else min(until, shifted(due, -MICROSECOND))
        source = state.plan.source
        if source in _PAUSED_REASONS:
            self.close(after, end, SlotState.SKIPPED_PAUSED, _PAUSED_REASONS[source])
        elif source is Source.CATCH_UP:
            self.close(after, end, *OVERLAPPED)
        else:
            backed_off = source is Source.BASELINE_INTERVAL
            reason = "the endpoint backed off after failures" if backed_off else f"the plan was {source.value}"
            self.close(after, end, SlotState.SUPERSEDED, reason)
        return max(after, end)

    def close_late(self, after: datetime, earliest: datetime, until: datetime) -> None:
        """Record what became due in (*after*, *until*] beside what ran; *earliest* ends the catch-up window."""
        border = min(max(after, shifted(earliest, -MICROSECOND)), until)
        self.close(after, border, *LATE)
        self.close(border, until, *COALESCED)

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
        offset = self.grid.offset
        effective = sorted(shifted(instant, offset) for instant in self.ran if instant is not None)
        for cut in effective:
            if after < cut <= until:
                self._add(after, shifted(cut, -MICROSECOND), state, reason)
                after = cut
        self._add(after, until, state, reason)

    def _add(self, after: datetime, until: datetime, state: SlotState, reason: str) -> None:
        count = self.grid.count(after, until) if after < until else None
        if count is None:
            return
        back = -self.grid.offset
        first_at, last_at = shifted(count.first_at, back), shifted(count.last_at, back)
        skip = Skip(
            state=state,
            reason=reason,
            first_at=first_at,
            last_at=last_at,
            count=count.number,
            exact=count.exact,
        )
        self.skips.append(skip)
