"""`validate_only` (AIP-163): a request that is carried out in full, and of which nothing stays.

It goes through the same routes, over a control plane whose stores take back what they write: nothing that is checked
for real can be forgotten here. Plain ASGI, inside the gate and outside of what `Idempotency-Key` uses up.
"""

import asyncio
import re
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import parse_qsl

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cronicorn.api.cookies import SAFE_METHODS
from cronicorn.api.problems import problem_of
from cronicorn.control.plane import ControlPlane
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.principal import Principal

NAME = "validate_only"
_NAMES = {NAME, "validateOnly"}
"""The second is how parameters are written here: whoever writes it so must not change anything by mistake."""
REACHES_OUT = re.compile(r"/api/(endpoints/[^/]+/(test|policy/drafts)|sign-in|sign-out|me/.*)")
"""What does more than store something: it calls somebody, asks a model, or is about the session that asks."""
_OF_WHAT_IS_STORED = ("etag", "location")


class Rehearsal:
    """Sends requests with `validate_only=true` to a door behind which nothing stays."""

    def __init__(
        self, app: ASGIApp, rehearsing: Callable[[], ControlPlane], door: Callable[[ControlPlane], ASGIApp]
    ) -> None:
        """*rehearsing* answers the same control plane at each call, and has to be called before it is asked anew."""
        self._app = app
        self._rehearsing = rehearsing
        self._door = door
        self._opened: ASGIApp | None = None
        self._opening = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS or not _is_let_in(scope):
            await self._app(scope, receive, send)
            return
        try:
            wanted = validates_only(scope["query_string"], scope["path"])
        except InvalidInputError as error:
            await problem_of(scope, error)(scope, receive, send)
            return
        app = await self._rehearsed() if wanted else self._app
        await app(scope, receive, _as_it_would_be(send) if wanted else send)

    async def _rehearsed(self) -> ASGIApp:
        """The door behind which nothing stays. Making it takes a while, which others need not wait for."""
        async with self._opening:
            control = await asyncio.to_thread(self._rehearsing)
            if self._opened is None:
                self._opened = await asyncio.to_thread(self._door, control)
            return self._opened


def validates_only(query: bytes, path: str) -> bool:
    """Whether a query asks to check only. Raises InvalidInputError where that is not clear, or *path* has no such."""
    given = {value for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True) if name in _NAMES}
    match sorted(given):
        case [] | ["false"]:
            return False
        case ["true"] if REACHES_OUT.fullmatch(path) is not None:
            raise InvalidInputError(
                f"The query parameter {NAME}: this route does more than store something, so it can't be tried out."
            )
        case ["true"]:
            return True
        case _:
            raise InvalidInputError(f"The query parameter {NAME}: Must be `true` or `false`.")


def _is_let_in(scope: Scope) -> bool:
    return isinstance(scope.get("state", {}).get("principal"), Principal)


def _as_it_would_be(send: Send) -> Send:
    """*send*, which says 200 where something would be new, and names no version: there is none."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            if message["status"] in {HTTPStatus.CREATED, HTTPStatus.ACCEPTED}:
                message["status"] = HTTPStatus.OK.value
            headers = MutableHeaders(scope=message)
            for name in _OF_WHAT_IS_STORED:
                del headers[name]
        await send(message)

    return sending
