"""Which rows are due, without a look at every one of them."""

from collections.abc import Collection
from datetime import datetime
from heapq import heappop, heappush

from cronicorn.adapters.memory.row import Row


class Agenda:
    """The rows by the instant at which they are due.

    A heap says what comes next; what a row no longer stands for stays in it until it comes up. Rows that are due are
    kept apart: whether a lease holds them back changes at any moment, so they are looked at one by one. They are few.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int]] = []
        self._listed: dict[int, tuple[datetime, Row]] = {}
        self._near: dict[int, Row] = {}

    def put(self, row: Row) -> None:
        """List *row* at the instant at which it is due now, and nowhere else."""
        due_at = row.endpoint.state.due_at
        listed = self._listed.get(row.number)
        if listed is not None and listed[0] == due_at:
            return
        self.remove(row)
        if due_at is not None:
            self._listed[row.number] = (due_at, row)
            heappush(self._heap, (due_at, row.number))

    def remove(self, row: Row) -> None:
        """List *row* no more."""
        self._listed.pop(row.number, None)
        self._near.pop(row.number, None)

    def due(self, now: datetime) -> Collection[Row]:
        """All rows due by *now*, under a lease or not, and perhaps some that are due later."""
        while self._heap and self._heap[0][0] <= now:
            self._come_near()
        return self._near.values()

    def first_at(self) -> datetime | None:
        """When the first row may be claimed; None for never."""
        while self._heap and not self._is_free(*self._heap[0]):
            self._come_near()
        instants = [instant for row in self._near.values() if (instant := row.claimable_at()) is not None]
        return min([*instants, *(instant for instant, _ in self._heap[:1])], default=None)

    def _is_free(self, instant: datetime, number: int) -> bool:
        listed = self._listed.get(number)
        return listed is not None and listed[0] == instant and listed[1].claim is None

    def _come_near(self) -> None:
        """Take the first entry off the heap; its row is looked at from now on, if the entry still holds."""
        instant, number = heappop(self._heap)
        listed = self._listed.get(number)
        if listed is not None and listed[0] == instant:
            self._near[number] = listed[1]
