"""Wait for what another process or thread does. The only place in the tests that may sleep in real time."""

import asyncio
import time
from collections.abc import Awaitable, Callable

_PAUSE_S = 0.01


TRIALS_APART_S = 0.5
"""Trial calls are limited by the minute: whoever waits for what one answers asks no more often."""


def eventually(holds: Callable[[], object], *, within_s: float = 10.0, pause_s: float = _PAUSE_S) -> None:
    """Return as soon as *holds* answers something true. Raises TimeoutError after *within_s* seconds."""
    deadline = time.monotonic() + within_s
    while not holds():
        _refuse_after(deadline, holds, within_s)
        time.sleep(pause_s)


async def eventually_async(holds: Callable[[], object], *, within_s: float = 10.0) -> None:
    """Do what `eventually` does and let the event loop run meanwhile."""
    deadline = time.monotonic() + within_s
    while not holds():
        _refuse_after(deadline, holds, within_s)
        await asyncio.sleep(_PAUSE_S)


async def eventually_awaited(holds: Callable[[], Awaitable[object]], *, within_s: float = 10.0) -> None:
    """Do what `eventually_async` does with an answer that has to be awaited."""
    deadline = time.monotonic() + within_s
    while not await holds():
        _refuse_after(deadline, holds, within_s)
        await asyncio.sleep(_PAUSE_S)


def _refuse_after(deadline: float, holds: object, within_s: float) -> None:
    if time.monotonic() > deadline:
        message = f"{getattr(holds, '__name__', holds)} did not hold within {within_s} s"
        raise TimeoutError(message)
