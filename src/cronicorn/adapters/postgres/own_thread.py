"""A connection in a thread of its own, for work that a busy event loop must not hold up."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError
from threading import Lock, Thread
from typing import TypeVar

from cronicorn.adapters.postgres.connecting import connect
from cronicorn.adapters.postgres.faults import FAULTS, RETRIED, closed, translated
from cronicorn.adapters.postgres.options import PostgresOptions
from cronicorn.adapters.postgres.queries import PlainConnection
from cronicorn.adapters.postgres.retries import until_won
from cronicorn.domain.errors import UnavailableError

T = TypeVar("T")


class OwnThread:
    """Runs work on its connection, one piece at a time, and blocks whoever asks. The thread begins with the first."""

    def __init__(self, url: str, options: PostgresOptions, name: str) -> None:
        self._url = url
        self._options = options
        self._name = name
        self._starting = Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._turn = asyncio.Lock()
        self._connection: PlainConnection | None = None
        self._closed = False

    def run(self, work: Callable[[PlainConnection], Awaitable[T]], *, within_s: float | None = None) -> T:
        """Do *work*, which may be called more than once. May be called in any thread. Raises UnavailableError.

        With *within_s* that also comes when so many seconds have passed; nobody knows then what became of the work.
        """
        with self._starting:  # What a loop gets after it was stopped would never be answered.
            loop = self._started()
            running = asyncio.run_coroutine_threadsafe(self._run(work, within_s), loop)
        try:
            return running.result()
        except CancelledError:
            raise closed() from None

    def close(self) -> None:
        """End the thread, and with it what it does. Closing again does nothing."""
        with self._starting:
            self._closed = True
            loop, self._loop = self._loop, None
            if loop is not None:
                loop.call_soon_threadsafe(loop.stop)

    def _started(self) -> asyncio.AbstractEventLoop:
        if self._closed:
            raise closed()
        if self._loop is None:
            self._loop = self._begun()
        return self._loop

    def _begun(self) -> asyncio.AbstractEventLoop:
        """A loop whose thread runs. Raises UnavailableError without room for either; asked again, it tries again."""
        try:
            loop = asyncio.new_event_loop()
        except OSError as error:
            raise translated(error) from error
        try:
            Thread(target=self._serve, args=(loop,), name=self._name, daemon=True).start()
        except RuntimeError as error:
            loop.close()
            raise UnavailableError(f"This machine has no room for one more thread ({error}).") from error
        return loop

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.get_loop().run_forever()
            if self._connection is not None:
                self._connection.terminate()

    async def _run(self, work: Callable[[PlainConnection], Awaitable[T]], within_s: float | None) -> T:
        try:
            async with asyncio.timeout(within_s), self._turn:
                return await until_won(lambda: self._attempt(work))
        except TimeoutError as error:
            raise translated(error) from error

    async def _attempt(self, work: Callable[[PlainConnection], Awaitable[T]]) -> T:
        try:
            if self._connection is None or self._connection.is_closed():
                self._connection = await connect(self._url, self._options)
            return await work(self._connection)
        except RETRIED:
            raise
        except FAULTS as error:
            self._give_up_connection()
            raise translated(error) from error
        except asyncio.CancelledError:  # Its time is up.
            self._give_up_connection()
            raise

    def _give_up_connection(self) -> None:
        """Nobody knows what became of the statement, and the next one would wait for it."""
        if self._connection is not None:
            self._connection.terminate()
