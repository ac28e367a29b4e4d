"""The one thread that writes: what waits is committed together.

Work that fails leaves no trace and touches no other: where it had written something, all is rolled back, and each piece
done again by itself. A caller hears of its result after the commit. An idle writer starts at once; a busy one gathers
what has come in meanwhile.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

from cronicorn.adapters.sqlite.faults import closed, translated
from cronicorn.adapters.sqlite.place import Place
from cronicorn.adapters.sqlite.turn import Turn
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.ports import Clock

GROUP_MAX = 256
"""So many pieces of work are committed together at most."""
GROUP_SECONDS_MAX = 0.05
"""After so long a group is committed, whatever else waits."""
WAITING_MAX = 10_000
"""So many pieces of work may wait; further callers wait to hand theirs in."""

T = TypeVar("T")


@dataclass(slots=True)
class Transaction:
    """What a piece of work gets: the connection inside a transaction, and the instant by the store's clock."""

    connection: sqlite3.Connection
    now: datetime


@dataclass(slots=True, kw_only=True, eq=False)
class _Work(Generic[T]):
    run: Callable[[Transaction], T]
    undo: Callable[[Transaction, T], None] | None
    future: asyncio.Future[T]
    result: T | None = None
    error: BaseException | None = None

    def deliver(self) -> bool:
        """Tell the caller; False when it has gone."""
        if self.future.done():
            return False
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)  # type: ignore[arg-type]
        return True


class Writer:
    """Owns the connection that writes."""

    def __init__(self, connection: sqlite3.Connection, clock: Clock, turn: Turn, place: Place) -> None:
        self._connection = connection
        self._clock = clock
        self._turn = turn
        self._place = place
        self._name = place.name
        self._queue: SimpleQueue[_Work[object] | None] = SimpleQueue()
        self._waiting = 0
        self._room = asyncio.Event()
        self._closing = False
        self._thread = Thread(target=self._serve, name="sqlite-writer", daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[Transaction], T], undo: Callable[[Transaction, T], None] | None = None) -> T:
        """Do *work* in a transaction and answer its result once committed. It may be called more than once.

        If the caller is cancelled too late to stop it, *undo* gets the result that nobody waits for.
        """
        while self._waiting >= WAITING_MAX:
            self._room.clear()
            await self._room.wait()
        if self._closing:
            raise closed(self._name)
        future = asyncio.get_running_loop().create_future()
        self._waiting += 1
        try:
            self._queue.put(_Work(run=work, undo=undo, future=future))  # type: ignore[arg-type]
            return await future  # type: ignore[no-any-return]
        finally:
            self._waiting -= 1
            if self._waiting == WAITING_MAX - 1:
                self._room.set()

    async def aclose(self) -> None:
        """Finish what waits, then close the connection."""
        if not self._closing:
            self._closing = True
            self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _serve(self) -> None:
        while (first := self._queue.get()) is not None:
            if not self._write(first):
                break
        self._connection.close()

    def _write(self, first: _Work[object]) -> bool:
        """Do *first* and what waits behind it, in one transaction. False when the writer is to end."""
        group = _Group(self._queue, first)
        with self._turn:
            self._commit(group)
        _deliver(group.taken, self._undo)
        return not group.closing

    def _commit(self, group: "_Group") -> None:
        try:
            self._place.check()
            self._connection.execute("BEGIN IMMEDIATE")
        except (sqlite3.Error, UnavailableError) as error:
            for work in group.all_waiting():
                work.error = translated(error, self._name)
            return
        broken = self._attempt_all(group)
        if broken is None:
            return
        if len(group.taken) == 1:
            group.taken[0].error = translated(broken, self._name)
            return
        # The transaction broke, and with it the work of all. Whose fault it was shows when each is alone.
        for work in group.taken:
            self._commit(_Group(SimpleQueue(), work))

    def _attempt_all(self, works: Iterable[_Work[object]]) -> BaseException | None:
        """Do *works* and commit them; answer what broke the transaction as a whole."""
        try:
            for work in works:
                if not work.future.cancelled():
                    self._attempt(work)
            self._connection.execute("COMMIT")
        except BaseException as error:  # noqa: BLE001 - the thread must outlive it, and its callers hear of it
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            return error
        return None

    def _attempt(self, work: _Work[object]) -> None:
        connection = self._connection
        changes = connection.total_changes
        try:
            work.error = None
            work.result = work.run(Transaction(connection, self._clock.now()))
        except BaseException as error:
            # It has left something behind, or SQLite gave up all of it (https://www.sqlite.org/lang_transaction.html).
            if connection.total_changes != changes or not connection.in_transaction:
                raise
            work.error = translated(error, self._name)

    def _undo(self, work: _Work[object]) -> None:
        """Take back what was done for a caller that has gone."""
        undo = work.undo
        if undo is None or work.error is not None or work.result is None or self._closing:
            return
        result, future = work.result, asyncio.get_running_loop().create_future()
        self._queue.put(_Work(run=lambda transaction: undo(transaction, result), undo=None, future=future))


class _Group:
    """The work that is committed together, taken from the queue while there is time."""

    def __init__(self, queue: SimpleQueue[_Work[object] | None], first: _Work[object]) -> None:
        self._queue = queue
        self.taken = [first]
        self.closing = False

    def __iter__(self) -> Iterator[_Work[object]]:
        yield self.taken[0]
        deadline = time.monotonic() + GROUP_SECONDS_MAX
        while len(self.taken) < GROUP_MAX and time.monotonic() < deadline and self._take():
            yield self.taken[-1]

    def all_waiting(self) -> list[_Work[object]]:
        """Everything in the queue: when the file can't be had, all of it fails at once instead of one by one."""
        while self._take():
            pass
        return self.taken

    def _take(self) -> bool:
        if self.closing:
            return False
        try:
            work = self._queue.get_nowait()
        except Empty:
            return False
        if work is None:
            self.closing = True
            return False
        self.taken.append(work)
        return True


def _deliver(works: list[_Work[object]], undo: Callable[[_Work[object]], None]) -> None:
    """Hand over the results, with one call for each event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Work[object]]] = {}
    for work in works:
        by_loop.setdefault(work.future.get_loop(), []).append(work)
    for loop, waiting in by_loop.items():
        try:
            loop.call_soon_threadsafe(_tell, waiting, undo)
        except RuntimeError:
            continue  # The loop is closed: nobody waits any more.


def _tell(works: list[_Work[object]], undo: Callable[[_Work[object]], None]) -> None:
    for work in works:
        if not work.deliver():
            undo(work)
