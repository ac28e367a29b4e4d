"""The one thread that writes: what waits is committed together.

Work that fails leaves no trace and touches no other: where it had written something, all is rolled back, and each piece
done again by itself. A caller hears of its result after the commit. An idle writer starts with all that was asked for
in one turn of the event loop; a busy one gathers what has come in meanwhile.
"""

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Generic, TypeAlias, TypeVar

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

Item = TypeVar("Item")
T = TypeVar("T")


@dataclass(slots=True)
class Transaction:
    """What a piece of work gets: the connection inside a transaction, and the instant by the store's clock."""

    connection: sqlite3.Connection
    now: datetime


Many: TypeAlias = Callable[[Transaction, Sequence[Item]], Sequence[T | None]]
"""Does work that is alike, all at once. Answers None for each item that it left as it was: that is done by itself."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Work(Generic[T]):
    run: Callable[[Transaction], T]
    undo: Callable[[Transaction, T], None] | None
    future: asyncio.Future[T]
    many: Many[object, T] | None = None
    item: object = None
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


_many = attrgetter("many")


class Writer:
    """Owns the connection that writes."""

    def __init__(self, connection: sqlite3.Connection, clock: Clock, turn: Turn, place: Place) -> None:
        self._connection = connection
        self._clock = clock
        self._turn = turn
        self._place = place
        self._name = place.name
        self._gathered: list[_Work[object]] = []
        self._inbox = _Inbox()
        self._waiting = 0
        self._room = asyncio.Event()
        self._closing = False
        self._thread = Thread(target=self._serve, name="sqlite-writer", daemon=True)
        self._thread.start()

    async def run(
        self,
        work: Callable[[Transaction], T],
        undo: Callable[[Transaction, T], None] | None = None,
        many: Many[Item, T] | None = None,
        item: Item | None = None,
    ) -> T:
        """Do *work* in a transaction and answer its result once committed. It may be called more than once.

        If the caller is cancelled too late to stop it, *undo* gets the result that nobody waits for. What waits side by
        side under the same *many* is handed to that first, each as its *item*.
        """
        while self._waiting >= WAITING_MAX:
            self._room.clear()
            await self._room.wait()
        if self._closing:
            raise closed(self._name)
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self._waiting += 1
        try:
            if not self._gathered:
                loop.call_soon(self._hand_over)
            self._gathered.append(_Work(run=work, undo=undo, future=future, many=many, item=item))  # type: ignore[arg-type]
            return await future  # type: ignore[no-any-return]
        finally:
            self._waiting -= 1
            if self._waiting == WAITING_MAX - 1:
                self._room.set()

    async def aclose(self) -> None:
        """Finish what waits, then close the connection."""
        if not self._closing:
            self._closing = True
            self._hand_over()
            self._inbox.close()
        await asyncio.to_thread(self._thread.join)

    def _hand_over(self) -> None:
        """Give the thread what was gathered: waking it once costs less than once for each."""
        works, self._gathered = self._gathered, []
        self._inbox.put(works)

    def _serve(self) -> None:
        while (first := self._inbox.wait()) is not None:
            self._write(first)
        self._connection.close()

    def _write(self, first: _Work[object]) -> None:
        """Do *first* and what waits behind it, in one transaction."""
        group = _Group(first, self._inbox.take)
        with self._turn:
            self._commit(group)
        _deliver(group.taken, self._undo)

    def _commit(self, group: "_Group", *, alone: bool = False) -> None:
        try:
            self._place.check()
            self._connection.execute("BEGIN IMMEDIATE")
        except (sqlite3.Error, UnavailableError) as error:
            for work in group.all_waiting():
                work.error = translated(error, self._name)
            return
        broken = self._attempt_all(group, alone=alone)
        if broken is None:
            return
        if alone:
            group.taken[0].error = translated(broken, self._name)
            return
        # The transaction broke, and with it the work of all. Whose fault it was shows when each is alone.
        for work in group.taken:
            self._commit(_Group(work), alone=True)

    def _attempt_all(self, works: Iterable[_Work[object]], *, alone: bool) -> BaseException | None:
        """Do *works* and commit them; answer what broke the transaction as a whole."""
        try:
            # Methods of one object are equal, so what one store hands in goes together.
            for many, alike in groupby((work for work in works if not work.future.cancelled()), _many):
                if many is not None and not alone:
                    self._attempt_many(many, list(alike))
                else:
                    for work in alike:
                        self._attempt(work)
            self._connection.execute("COMMIT")
        except BaseException as error:  # noqa: BLE001 - the thread must outlive it, and its callers hear of it
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            return error
        return None

    def _attempt_many(self, many: Many[object, object], works: Sequence[_Work[object]]) -> None:
        results = many(Transaction(self._connection, self._clock.now()), [work.item for work in works])
        for work, result in zip(works, results, strict=True):
            work.result = result
            if result is None:
                self._attempt(work)

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
        self._inbox.put([_Work(run=lambda transaction: undo(transaction, result), undo=None, future=future)])


class _Inbox:
    """What was handed to the thread. Put from the event loop, wait and take from the thread."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[list[_Work[object]] | None] = SimpleQueue()
        self._taken: deque[_Work[object]] = deque()
        self._closed = False

    def put(self, works: list[_Work[object]]) -> None:
        self._queue.put(works)

    def close(self) -> None:
        """Nothing comes after what is there."""
        self._queue.put(None)

    def wait(self) -> _Work[object] | None:
        """The next piece of work; None when there will be none."""
        while not self._taken and not self._closed:
            self._receive(self._queue.get())
        return self.take()

    def take(self) -> _Work[object] | None:
        """The next piece of work that waits; None when there is none."""
        while not self._taken and not self._closed:
            try:
                self._receive(self._queue.get_nowait())
            except Empty:
                break
        return self._taken.popleft() if self._taken else None

    def _receive(self, works: list[_Work[object]] | None) -> None:
        if works is None:
            self._closed = True
        else:
            self._taken.extend(works)


class _Group:
    """The work that is committed together, taken from what waits while there is time."""

    def __init__(self, first: _Work[object], take: Callable[[], _Work[object] | None] = lambda: None) -> None:
        self._take = take
        self.taken = [first]

    def __iter__(self) -> Iterator[_Work[object]]:
        yield self.taken[0]
        deadline = time.monotonic() + GROUP_SECONDS_MAX
        while len(self.taken) < GROUP_MAX and time.monotonic() < deadline and (work := self._take()) is not None:
            self.taken.append(work)
            yield work

    def all_waiting(self) -> list[_Work[object]]:
        """Everything that waits: when the file can't be had, all of it fails at once instead of one by one."""
        self.taken.extend(iter(self._take, None))
        return self.taken


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
