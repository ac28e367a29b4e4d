"""Being asked to stop: the first signal means finish what you are doing, the second means now."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from cronicorn.scheduler.settings import ENDING_MAX

CLOSING_MAX = timedelta(seconds=22)
"""How long its store may take to close when it does not answer: the patience of two statements, and a little more."""
STOPPING_MAX = ENDING_MAX + CLOSING_MAX
"""So much longer than its grace a process may take to stop, and so long after it was told to stop now."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequests:
    """What was asked for so far."""

    def __init__(self, *, led: bool = False) -> None:
        """A *led* process hears from its parent what a second signal means: its own may be the first, sent to all."""
        self._led = led
        self.drain = asyncio.Event()
        self.now = asyncio.Event()
        self.exit_code = 0
        """0 unless a second signal ended things: then 128 and its number, as shells count."""

    def on_signal(self, number: int) -> None:
        """A signal has come."""
        if self.drain.is_set() and not self._led:
            self.insist(number)
        self.ask()

    def ask(self) -> None:
        """Finish what you are doing. Asking again means no more."""
        self.drain.set()

    def insist(self, number: int = signal.SIGTERM) -> None:
        """Stop now; *number* is the signal that said so."""
        self.exit_code = 128 + number
        self.drain.set()
        self.now.set()


@contextmanager
def stop_requests(*, led: bool = False) -> Iterator[StopRequests]:
    """Listen to SIGINT and SIGTERM inside the block, in the running loop of the main thread.

    For *led* see `StopRequests`.
    """
    requests, loop = StopRequests(led=led), asyncio.get_running_loop()
    for number in SIGNALS:
        try:
            loop.add_signal_handler(number, requests.on_signal, number)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda received, _: loop.call_soon_threadsafe(requests.on_signal, received))
    try:
        yield requests
    finally:
        for number in SIGNALS:
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)
