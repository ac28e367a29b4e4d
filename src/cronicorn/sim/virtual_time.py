"""An event loop whose time is simulated: when nothing is ready it jumps to the next timer instead of waiting.

All of asyncio's timers then run in virtual time, in one fixed order. It knows nothing of threads and real sockets: use
it with the memory store and scripted dispatchers.
"""

import asyncio
import selectors
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from cronicorn.domain.ports import Clock

T = TypeVar("T")
START = datetime(2026, 1, 1, tzinfo=UTC)


class _JumpingSelector(selectors.SelectSelector):
    """Never waits: adds the wait to the loop's time."""

    def __init__(self) -> None:
        super().__init__()
        self.elapsed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise RuntimeError("Nothing can happen any more: every task waits for something that has no timer.")
        self.elapsed += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An asyncio event loop in virtual time, beginning at zero."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.elapsed


class LoopClock(Clock):
    """The clock of a virtual loop: its time counted from *start*."""

    def __init__(self, loop: asyncio.AbstractEventLoop, start: datetime = START) -> None:
        self._loop = loop
        self._start = start

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._loop.time())

    def monotonic(self) -> float:
        return self._loop.time()


def run_virtually(main: Callable[[LoopClock], Awaitable[T]], start: datetime = START) -> T:
    """Run *main* to its end in virtual time, and answer what it answers."""
    loop = VirtualTimeLoop()
    try:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(_awaited(main(LoopClock(loop, start))))
    finally:
        _cancel_all(loop)
        asyncio.set_event_loop(None)
        loop.close()


async def _awaited(awaitable: Awaitable[T]) -> T:
    return await awaitable


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    tasks: Mapping[asyncio.Task[object], None] = dict.fromkeys(asyncio.all_tasks(loop))
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
