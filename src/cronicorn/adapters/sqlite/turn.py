"""Whose turn it is to write."""

from threading import Condition
from types import TracebackType


class Turn:
    """A lock that serves its callers in the order in which they came.

    The writer asks for it again as soon as it has let go. Under an ordinary lock, or SQLite's own, the heartbeat might
    wait until its leases are lost.
    """

    def __init__(self) -> None:
        self._condition = Condition()
        self._next_ticket = 0
        self._served = 0

    def __enter__(self) -> None:
        with self._condition:
            ticket = self._next_ticket
            self._next_ticket += 1
            self._condition.wait_for(lambda: self._served == ticket)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._condition:
            self._served += 1
            self._condition.notify_all()
