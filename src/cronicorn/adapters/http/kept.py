"""Connections that lie idle between calls: whose they are, and whether one is fit for another call.

A server may send more than one answer to one request. The second one then waits in a kept connection, and the next
call would take it for its own, and so would each call after it. So before a kept connection is used again it must be
one of this owner, known to us, and silent. Otherwise it is closed and the call opens a new one.
"""

import select
from collections.abc import Callable
from dataclasses import dataclass

KEPT_S = 4
"""How long an idle connection may be used again: less than the 5 s after which many servers close theirs."""
_FORGOTTEN_S = KEPT_S + 3

_NEWS = select.POLLIN | select.POLLPRI | getattr(select, "POLLRDHUP", 0)
"""What must not have come in. Systems other than Linux show the end of a connection as something to read."""

Ends = tuple[str, str, int, int]
"""Remote and local address, remote and local port: what names a connection for libcurl's CURLOPT_PREREQFUNCTION."""


@dataclass(slots=True)
class _Kept:
    owner: object
    fd: int
    at: float


class KeptConnections:
    """The idle connections of all owners, oldest first: ends belong to one connection only."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._idle: dict[Ends, _Kept] = {}

    def keep(self, owner: object, ends: Ends, fd: int) -> None:
        """Note that the connection *ends* of *owner* lies idle, as descriptor *fd*."""
        self._idle.pop(ends, None)
        self._idle[ends] = _Kept(owner, fd, self._clock())

    def forget(self, ends: Ends) -> None:
        """Note that these ends belong to another connection now."""
        self._idle.pop(ends, None)

    def take(self, owner: object, ends: Ends) -> bool:
        """Whether the idle connection *ends* may carry a call of *owner*; it is idle no longer."""
        kept = self._idle.pop(ends, None)
        return kept is not None and kept.owner is owner and _is_silent(kept.fd)

    def drop(self, owner: object) -> None:
        """Forget all connections of *owner*."""
        for ends in [ends for ends, kept in self._idle.items() if kept.owner is owner]:
            del self._idle[ends]

    def sweep(self) -> None:
        """Forget connections that libcurl has closed by now."""
        now = self._clock()
        for ends, kept in list(self._idle.items()):
            if kept.at + _FORGOTTEN_S > now:
                break
            del self._idle[ends]

    def __len__(self) -> int:
        return len(self._idle)


def _is_silent(fd: int) -> bool:
    """Whether nothing has come in on *fd* since its last answer: no bytes, no end, no error."""
    poll = select.poll()
    poll.register(fd, _NEWS)
    return not poll.poll(0)
