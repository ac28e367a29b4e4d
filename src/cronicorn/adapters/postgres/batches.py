"""Natural batching: what comes in while a statement is on its way goes with the next one."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar, cast

SIZE_MAX = 200
IN_FLIGHT_MAX = 2
"""While one statement waits for its commit, another one works."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batches(Generic[Item, Result]):
    """Gathers items and hands them to *write*, some together; nothing waits while there is nothing to wait for.

    *write* answers one result for each item, in order; what is an exception is raised to whoever added that item. What
    *write* raises is raised to all. Items with the same *key* never go together.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Item]], Awaitable[Sequence[Result | BaseException]]],
        key: Callable[[Item], Hashable],
        in_flight_max: int = IN_FLIGHT_MAX,
    ) -> None:
        self._write = write
        self._key = key
        self._in_flight_max = in_flight_max
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._writers: set[asyncio.Task[None]] = set()

    async def add(self, item: Item) -> Result:
        """Have *item* written; answer its result. A caller that is cancelled takes back what is not on its way yet."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if len(self._writers) < self._in_flight_max:
            writer = asyncio.create_task(self._write_all())
            self._writers.add(writer)
            writer.add_done_callback(self._writers.discard)
        return await future

    async def _write_all(self) -> None:
        try:
            await self._write_while_any()
        finally:
            # At once, and not once the loop tells of its end: whoever adds before that would count on it in vain.
            self._writers.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _write_while_any(self) -> None:
        while batch := self._next():
            try:
                results = await self._write([item for item, _ in batch])
            except BaseException as error:
                results = [error] * len(batch)
                if not isinstance(error, Exception):
                    raise
            finally:
                _tell(batch, results)

    def _next(self) -> list[tuple[Item, asyncio.Future[Result]]]:
        batch: list[tuple[Item, asyncio.Future[Result]]] = []
        keys: set[Hashable] = set()
        put_off: list[tuple[Item, asyncio.Future[Result]]] = []
        while self._waiting and len(batch) < SIZE_MAX:
            item, future = self._waiting.popleft()
            if future.done():
                continue
            if self._key(item) in keys:
                put_off.append((item, future))
                continue
            keys.add(self._key(item))
            batch.append((item, future))
        self._waiting.extendleft(reversed(put_off))
        return batch


def _tell(batch: Sequence[tuple[Item, asyncio.Future[Result]]], results: Sequence[Result | BaseException]) -> None:
    for (_, future), result in zip(batch, results, strict=True):
        if future.done():
            continue
        if isinstance(result, asyncio.CancelledError):
            future.cancel()
        elif isinstance(result, BaseException):
            future.set_exception(result)
        else:
            future.set_result(result)
