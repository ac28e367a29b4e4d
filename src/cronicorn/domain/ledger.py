"""The ledger of nominal instants: each one that passed without a run gets a state and a reason.

An endpoint's `accounted_until` is the watermark: everything up to it is recorded, or is what the plan stands for. A run
or an edit accounts for the stretch from there to now, in pieces, each with its own state:

    accounted_until ....... due ........... earliest ........... started .......... now
          | superseded, or    |  missed_window  |     coalesced     |  skipped_overlap |
          | skipped_paused    |                 |                   |                  |
"""

from dataclasses import dataclass, field
from datetime import datetime

from cronicorn.domain.admission import Admission, catch_up_window
from cronicorn.domain.cadence import Grid
from cronicorn.domain.endpoint import Overlap
from cronicorn.domain.instant import MICROSECOND, shifted
from cronicorn.domain.plan import Source
from cronicorn.domain.slot import Skip, SlotState

_PAUSED_REASONS = {
    Source.PAUSED: "the endpoint was paused",
    Source.SUSPENDED: "the job was paused or archived, or the endpoint was archived",
}
_LATE = "nobody could run it within its catch-up window"
_COALESCED = "it was late, and another instant ran for it"
_OVERLAP = "it came while the previous call was running"


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
    following = _following_owed(grid, admission)
    if following is not None:
        return Books(
            accounted_until=state.accounted_until, owed_at=following, owed_count=state.owed_count - 1
        )
    ledger = _Ledger(grid, ran={admission.nominal_at, *admission.owed})
    after = ledger.close_planned(started_at)
    ledger.close_late(after, shifted(started_at, -catch_up_window(grid.endpoint)), started_at)
    if admission.owed:
        owed_count = len(admission.owed) - 1
        skips = tuple(ledger.skips)
        return Books(
            accounted_until=started_at, skips=skips, owed_at=admission.owed[0], owed_count=owed_count
        )
    buffered = _buffered(grid, started_at, now)
    ledger.ran.add(buffered)
    ledger.close(max(after, started_at), now, SlotState.SKIPPED_OVERLAP, _OVERLAP)
    return Books(accounted_until=now, skips=tuple(ledger.skips), owed_at=buffered)


def books_without_run(grid: Grid, now: datetime) -> Books:
    """Account up to *now* for a due slot that came too late to run."""
    if grid.endpoint.state.accounted_until is None:
        return Books(accounted_until=now)
    ledger = _Ledger(grid, ran=set())
    after = ledger.close_planned(now)
    ledger.drop_planned_below(after, SlotState.MISSED_WINDOW, _LATE)
    ledger.close(after, now, SlotState.MISSED_WINDOW, _LATE)
    return Books(accounted_until=now, skips=tuple(ledger.skips))


def books_at_edit(grid: Grid, now: datetime) -> Books:
    """Account up to *now* under the schedule of *grid*, which is about to change. The planned slot stays planned."""
    state = grid.endpoint.state
    if state.accounted_until is None:
        return Books(accounted_until=now)
    ledger = _Ledger(grid, ran={state.plan.nominal_at if state.plan is not None else None})
    ledger.close_planned(now)
    return Books(accounted_until=max(state.accounted_until, now), skips=tuple(ledger.skips))


def dropped(nominal_at: datetime, state: SlotState, reason: str) -> Skip:
    """One nominal instant that was going to run and now will not."""
    return Skip(state=state, reason=reason, first_at=nominal_at, last_at=nominal_at, count=1)


def _following_owed(grid: Grid, admission: Admission) -> datetime | None:
    state = grid.endpoint.state
    if state.owed_at is None or state.owed_count < 1 or admission.nominal_at is None:
        return None
    instant = grid.next(shifted(admission.nominal_at, grid.offset))
    return None if instant is None else shifted(instant, -grid.offset)


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
        assert state.accounted_until is not None
        if state.plan is None:
            return until
        due = state.plan.next_run_at
        end = until if due is None else min(until, shifted(due, -MICROSECOND))
        source = state.plan.source
        if source in _PAUSED_REASONS:
            self.close(state.accounted_until, end, SlotState.SKIPPED_PAUSED, _PAUSED_REASONS[source])
        elif source is Source.CATCH_UP:
            self.close(state.accounted_until, end, SlotState.SKIPPED_OVERLAP, _OVERLAP)
        else:
            self.close(state.accounted_until, end, SlotState.SUPERSEDED, f"the plan was {source.value}")
        return max(state.accounted_until, end)

    def close_late(self, after: datetime, earliest: datetime, until: datetime) -> None:
        """Record what became due in (*after*, *until*] beside what ran; *earliest* ends the catch-up window."""
        border = min(max(after, shifted(earliest, -MICROSECOND)), until)
        self.close(after, border, SlotState.MISSED_WINDOW, _LATE)
        self.close(border, until, SlotState.COALESCED, _COALESCED)

    def drop_planned_below(self, watermark: datetime, state: SlotState, reason: str) -> None:
        """Record the planned nominal instant when it lies where the books are closed already."""
        plan = self.grid.endpoint.state.plan
        if (
            plan is not None
            and plan.nominal_at is not None
            and shifted(plan.nominal_at, self.grid.offset) <= watermark
        ):
            self.skips.append(dropped(plan.nominal_at, state, reason))

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
