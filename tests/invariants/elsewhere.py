"""Another process, as far as a store can tell: a thread with an event loop and stores of its own."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Self

from cronicorn.testing.contracts.stores import Stores
from tests.invariants.worlds import World

LET_IT_S = 0.15
"""So long the caller waits for the other to get through; one that waits for the caller's own lock can't."""


class Elsewhere:
    """Does one thing at a moment at which this process can't await: inside a decision."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._thread: threading.Thread | None = None
        self._answer: object = None
        self._error: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread is not None:
            self._thread.join(10)

    def begin(self, act: Callable[[Stores], Awaitable[object]]) -> None:
        """Do *act* there, once, and give it time; called again it does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, args=[act])
            self._thread.start()
            self._thread.join(LET_IT_S)

    def answer(self):
        """What the act answered. Raises what it raised."""
        assert self._thread is not None
        self._thread.join(10)
        assert not self._thread.is_alive()
        if self._error is not None:
            raise self._error
        return self._answer

    def _run(self, act: Callable[[Stores], Awaitable[object]]) -> None:
        try:
            self._answer = asyncio.run(self._acted(act))
        except BaseException as error:  # noqa: BLE001 - the caller's thread raises it
            self._error = error

    async def _acted(self, act: Callable[[Stores], Awaitable[object]]) -> object:
        stores = await self._world.kind.open(self._world.place, self._world.clock)
        try:
            return await act(stores)
        finally:
            await stores.aclose()
