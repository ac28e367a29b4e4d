"""Where each nominal instant of an endpoint went, counted from its runs and skips without the ledger that wrote them.

Only what can be counted again is: the instants of the baseline as it is now, since it was last edited and no further
back than runs and skips are kept, and of those the last INSTANTS_MAX.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice

from cronicorn.domain.cadence import Grid
from cronicorn.domain.endpoint import CATCH_UP_RUNS_MAX, JobEndpoint
from cronicorn.domain.instant import LAST_INSTANT, shifted
from cronicorn.domain.ports import Cron
from cronicorn.domain.run import Run
from cronicorn.domain.slot import Skip, SlotState

INSTANTS_MAX = 200
AHEAD_MAX = 20
"""So many instants beyond the watermark are looked at: they must be in no record yet."""
EDITED = timedelta(seconds=1)
"""So long after an edit instants may belong to the schedule before it: a start is told a little ahead of the store."""
MADE = timedelta(minutes=1)
"""So long after it was made, by the clock of whoever made it, an endpoint may not have been in the store."""


class BooksAudit:
    """The places of an endpoint's instants. Give it the runs by slot and attempt, and the skips."""

    def __init__(self, endpoint: JobEndpoint, cron: Cron, kept_since: datetime, now: datetime) -> None:
        state, grid = endpoint.state, Grid(endpoint, cron)
        made, edited = shifted(endpoint.created_at, MADE), shifted(endpoint.updated_at, EDITED)
        since = max(made, edited, kept_since)
        watermark = state.accounted_until if state.accounted_until is not None else since
        passed = grid.latest(since, watermark, INSTANTS_MAX) if since < watermark else []
        ahead = islice(grid.between(max(since, watermark), now), AHEAD_MAX)
        self._nominal = [shifted(instant, -grid.offset) for instant in (*passed, *ahead)]
        self._places = [0] * len(self._nominal)
        self._closed = len(passed)
        self._waiting = _waiting(endpoint, grid)
        self._miscounted: list[str] = []
        self._last: tuple[int, datetime | None] | None = None

    def run(self, run: Run) -> None:
        """Take note of a run; further attempts at its slot are of the same instant."""
        if run.nominal_at is None or self._last == (run.slot, run.nominal_at):
            return
        self._last = (run.slot, run.nominal_at)
        self._add(run.nominal_at, run.nominal_at)

    def skip(self, skip: Skip) -> None:
        """Take note of a range of instants that did not run. A manual run that was taken back is of none."""
        if skip.state is SlotState.CANCELLED or not skip.count:
            return
        held = self._add(skip.first_at, skip.last_at)
        seen_whole = self._nominal and self._nominal[0] <= skip.first_at and skip.last_at <= self._nominal[-1]
        if seen_whole and skip.exact and held != skip.count:
            self._miscounted.append(f"a skip from {skip.first_at} to {skip.last_at} holds {held}, not {skip.count}")

    def faults(self) -> tuple[int, Sequence[str]]:
        """How many instants were looked at, and what is wrong."""
        wrong = [
            f"the instant {instant} is recorded {places} times, not {int(self._done(number))}"
            for number, (instant, places) in enumerate(zip(self._nominal, self._places, strict=True))
            if places != self._done(number)
        ]
        return len(self._nominal), [*wrong, *self._miscounted]

    def _done(self, number: int) -> bool:
        """Whether the instant of this number has ended, in one way or another."""
        return number < self._closed and self._nominal[number] not in self._waiting

    def _add(self, first: datetime, last: datetime) -> int:
        low, high = bisect_left(self._nominal, first), bisect_right(self._nominal, last)
        for place in range(low, high):
            self._places[place] += 1
        return high - low


def _waiting(endpoint: JobEndpoint, grid: Grid) -> set[datetime | None]:
    """The instants that are accounted for by a run still to come."""
    state = endpoint.state
    waiting = {state.plan.nominal_at} if state.plan is not None and state.attempt == 1 else set()
    if state.owed_at is not None:
        owed_at = shifted(state.owed_at, grid.offset)
        more = islice(grid.between(owed_at, LAST_INSTANT), max(0, min(state.owed_count, CATCH_UP_RUNS_MAX)))
        waiting |= {state.owed_at, *(shifted(instant, -grid.offset) for instant in more)}
    return waiting
