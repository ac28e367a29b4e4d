"""Live pages: a stream tells a page that what it shows has changed, and the page asks for itself again.

A stream looks at a short text, a mark, that is another when the page would be. Its number is bounded, it ends with the
session it belongs to, and it hangs up when the process drains; browsers come back by themselves.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Hashable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from cronicorn.control.admittance import Admittance
from cronicorn.control.identity import possible_id
from cronicorn.domain.errors import CronicornError, UnauthenticatedError
from cronicorn.domain.principal import Principal
from cronicorn.web.view import Looked

EVENTS = "/events"
STREAMS_MAX = 100
"""Streams of one process."""
STREAMS_PER_SESSION_MAX = 6
LOOK_EVERY_S = 2.0
SAID_EVERY_S = 15.0
"""So often something is sent, so that proxies keep the stream and a browser that is gone is noticed."""
STREAM_SECONDS_MAX = 600.0
"""A browser begins a new one then."""
_BEGUN = b"retry: 3000\nevent: begun\ndata:\n\n"
_CHANGED = b"event: changed\ndata:\n\n"
_ENDED = b"event: ended\ndata:\n\n"
_NOTHING = b":\n\n"

Mark = Callable[[Principal, str], Coroutine[None, None, str]]
"""What the page about a thing shows, in short. Raises what reading the thing raises."""


class Streams:
    """The streams of this process."""

    def __init__(self, look_every_s: float = LOOK_EVERY_S) -> None:
        self.look_every_s = look_every_s
        self._closing = asyncio.Event()
        self._open: Counter[str] = Counter()

    @property
    def open(self) -> int:
        """How many there are."""
        return self._open.total()

    def close(self) -> None:
        """Hang up on all, and take no more: the process stops."""
        self._closing.set()

    @contextmanager
    def place(self, session: str) -> Iterator[bool]:
        """A place for one more stream of *session* while the block lasts; False where there is none."""
        full = self.open >= STREAMS_MAX or self._open[session] >= STREAMS_PER_SESSION_MAX
        if full or self._closing.is_set():
            yield False
            return
        self._open[session] += 1
        try:
            yield True
        finally:
            self._open[session] -= 1
            self._open += Counter()  # Forgets the sessions that have none.

    async def tell(self, mark: Callable[[], Awaitable[str | None]]) -> AsyncIterator[bytes]:
        """Say when *mark* answers something else than before; end when it answers None, or after STREAM_SECONDS_MAX."""
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + STREAM_SECONDS_MAX
        seen, said_at = await mark(), loop.time()
        yield _BEGUN
        while seen is not None and loop.time() < ends_at:
            if await self._closes_within(self.look_every_s):
                return
            before, seen = seen, await mark()
            if seen is not None and seen != before:
                said_at = loop.time()
                yield _CHANGED
            elif loop.time() - said_at >= SAID_EVERY_S:
                said_at = loop.time()
                yield _NOTHING
        if seen is None:
            yield _ENDED

    async def _closes_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._closing.wait()
        except TimeoutError:
            return False


class _Looks:
    """What was seen a moment ago, so that all who look at one thing cost one look."""

    def __init__(self, fresh_s: float) -> None:
        self._fresh_s = fresh_s
        self._seen: dict[Hashable, tuple[float, asyncio.Future[str]]] = {}

    async def at(self, key: Hashable, look: Callable[[], Coroutine[None, None, str]]) -> str:
        """What *look* answers, or answered to somebody with the same *key* within the last moment."""
        now = asyncio.get_running_loop().time()
        known = self._seen.get(key)
        if known is None or now - known[0] >= self._fresh_s:
            self._seen = {name: seen for name, seen in self._seen.items() if now - seen[0] < self._fresh_s}
            known = self._seen[key] = (now, asyncio.ensure_future(look()))
        return await asyncio.shield(known[1])  # Whoever goes away takes it from nobody else.


def live_routes(streams: Streams, marks: Mapping[str, Mark], admittance: Admittance) -> APIRouter:
    """The route that pages listen to; *marks* by the word for what a page is about."""
    router, looks = APIRouter(), _Looks(streams.look_every_s / 2)

    @router.get(EVENTS)
    async def listen(view: Looked, of: str = "") -> Response:
        kind, _, thing = of.partition(":")
        mark, token = marks.get(kind), view.token
        if mark is None or token is None:
            return Response("There is no such page.", HTTPStatus.NOT_FOUND, media_type="text/plain")
        if thing:
            possible_id(thing)

        async def looked() -> str | None:
            try:
                principal = (await admittance.by_session(token, view.request_id, used=False)).principal
                key = (principal.tenant_id, principal.permissions, of)
                return await looks.at(key, lambda: mark(principal, thing))
            except UnauthenticatedError:
                return None
            except CronicornError as error:  # It went, or the store is away: the page itself tells of it.
                return f"{type(error).__name__}"

        async def told() -> AsyncIterator[bytes]:
            with streams.place(token) as free:
                if free:
                    async for each in streams.tell(looked):
                        yield each

        return StreamingResponse(told(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    return router
