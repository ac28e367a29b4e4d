"""Waking the workers of other processes: a hint, and no more. Whoever misses it finds the work with its next poll."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from cronicorn.adapters.postgres.connecting import connect
from cronicorn.adapters.postgres.database import Transaction
from cronicorn.adapters.postgres.faults import FAULTS, translated
from cronicorn.adapters.postgres.options import Feature, PostgresOptions
from cronicorn.adapters.postgres.queries import PlainConnection
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.instant import shifted

CHANNEL = "cronicorn"
DUE = "due"
CANCELLED = "cancelled"
"""What has happened. Whatever else comes, from another version, may mean either."""
SOON = timedelta(seconds=1)
"""Whatever is due later is found by a poll before."""
_RETRY_MIN_S = 0.1
_RETRY_MAX_S = 5.0

log = logging.getLogger(__name__)


async def announce(
    options: PostgresOptions, transaction: Transaction, *, before: datetime | None, after: datetime | None
) -> None:
    """Wake all workers once the transaction is committed, if an endpoint is due soon now and was not *before*."""
    if after is None or after > shifted(transaction.now, SOON) or (before is not None and before <= after):
        return
    await wake_all(options, transaction, DUE)


async def wake_all(options: PostgresOptions, transaction: Transaction, what: str) -> None:
    """Tell all workers *what* has happened (DUE or CANCELLED), once the transaction is committed."""
    if options.has(Feature.NOTIFY):
        await transaction.connection.execute(f"NOTIFY {CHANNEL}, '{what}'")


class Listener:
    """Hears of work on a connection of its own, which it makes anew whenever it is lost."""

    def __init__(
        self,
        url: str,
        options: PostgresOptions,
        *,
        heartbeat: timedelta = timedelta(seconds=10),
        patience: timedelta = timedelta(seconds=5),
        pause: timedelta = timedelta(milliseconds=100),
    ) -> None:
        """A server that answers no question within *patience*, asked every *heartbeat*, counts as gone.

        Between two calls of a callback there is at least *pause*.
        """
        self._url = url
        self._options = options
        self._heartbeat = heartbeat
        self._patience = patience
        self._pause = pause
        self._heard = asyncio.Event()
        self._heard_cancelled = False
        self._tasks: list[asyncio.Task[None]] = []

    def listen(self, due: Callable[[], None], cancelled: Callable[[], None]) -> None:
        """From now on call *due* whenever there may be work, and *cancelled* whenever a run may have been cancelled.

        Does nothing on a server without NOTIFY.
        """
        assert not self._tasks
        if self._options.has(Feature.NOTIFY):
            self._tasks = [asyncio.create_task(self._stay_connected()), asyncio.create_task(self._tell(due, cancelled))]

    async def aclose(self) -> None:
        """Stop. Stopping again does nothing."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _hear(self, what: str) -> None:
        self._heard_cancelled |= what != DUE
        self._heard.set()

    async def _tell(self, due: Callable[[], None], cancelled: Callable[[], None]) -> None:
        while True:
            await self._heard.wait()
            callbacks = (due, cancelled) if self._heard_cancelled else (due,)
            self._heard.clear()
            self._heard_cancelled = False
            for callback in callbacks:
                try:
                    callback()
                except Exception:  # A mistake of the callback must not make this process deaf.
                    log.exception("listener_crashed")
            await asyncio.sleep(self._pause.total_seconds())

    async def _stay_connected(self) -> None:
        retry_s = _RETRY_MIN_S
        while True:
            try:
                connection = await connect(self._url, self._options)
                await self._listen(connection)
            except UnavailableError as error:
                log.info("listener_not_connected", extra={"reason": str(error)})
                retry_s = min(2 * retry_s, _RETRY_MAX_S)
            except Exception:  # A mistake here, or of the driver, must not make this process deaf.
                log.exception("listener_crashed")
                retry_s = min(2 * retry_s, _RETRY_MAX_S)
            else:
                retry_s = _RETRY_MIN_S
            await asyncio.sleep(retry_s)

    async def _listen(self, connection: PlainConnection) -> None:
        """Listen until the connection is lost."""
        lost = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(CHANNEL, lambda *heard: self._hear(str(heard[-1])))
            self._hear("")  # Nobody listened so far.
            while not lost.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(lost.wait(), self._heartbeat.total_seconds())
                    continue
                await connection.fetchval("SELECT 1", timeout=self._patience.total_seconds())
        except FAULTS as error:
            log.warning("listener_lost", extra={"reason": str(translated(error))})
        else:
            log.warning("listener_lost", extra={"reason": "The connection was closed."})
        finally:
            connection.terminate()
