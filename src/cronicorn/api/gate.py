"""What every request passes: an identity, known credentials and a bounded body; and what every answer carries.

Plain ASGI: nothing is wrapped in tasks, so cancellation and errors go straight through.
"""

import logging
import re
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cronicorn.api.cookies import SAFE_METHODS, Cookies
from cronicorn.api.problems import INTERNAL, REQUEST_ID, problem, problem_of, request_id_of
from cronicorn.api.request_context import REQUEST_NOW
from cronicorn.api.wire_rates import limit_fields
from cronicorn.asgi.body import BODY_SECONDS_MAX, whole_body
from cronicorn.control.admittance import Admittance, Admitted
from cronicorn.domain.errors import CronicornError

log = logging.getLogger(__name__)

BODY_BYTES_MAX = 1_048_576
STRANGERS_BYTES_MAX = 16_384
"""Of the body of whoever is not known yet."""
PROTECTED = "/api"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
SIGN_IN = f"{PROTECTED}/sign-in"
"""The one route under it that needs nothing."""

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class RequestFrame:
    """Gives each request an id, unless it brings one, and each answer its headers; a bug is told without internals."""

    def __init__(self, app: ASGIApp, new_id: Callable[[str], str]) -> None:
        self._app = app
        self._new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = given_id(scope) or self._new_id("req")
        scope.setdefault("state", {})[REQUEST_ID] = request_id
        before = REQUEST_NOW.set(request_id)
        started_s, status = time.perf_counter(), 0

        async def framed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, framed)
        except Exception:
            log.exception("request_crashed", extra={"request": request_id, "path": scope["path"]})
            if status:
                raise
            await problem(scope, HTTPStatus.INTERNAL_SERVER_ERROR, INTERNAL)(scope, receive, framed)
        finally:
            if log.isEnabledFor(logging.DEBUG):
                _tell(scope, status, time.perf_counter() - started_s)
            REQUEST_NOW.reset(before)


def _tell(scope: Scope, status: int, duration_s: float) -> None:
    """Say how a request was answered: never its query, which may hold what is secret."""
    facts = {"method": scope["method"], "path": scope["path"], "status_code": status or None}
    log.debug("request_answered", extra=facts | {"duration_ms": round(duration_s * 1_000, 3)})


def given_id(scope: Scope) -> str | None:
    """The id that a client gave its request, if it is one that a log may hold."""
    given = Headers(scope=scope).get("x-request-id")
    return given if given is not None and _REQUEST_ID.fullmatch(given) else None


class Gatekeeper:
    """Lets requests under `/api` pass that carry a known key and a body of bounded size, and reads that body."""

    def __init__(self, app: ASGIApp, admittance: Admittance, cookies: Cookies) -> None:
        self._app = app
        self._admittance = admittance
        self._cookies = cookies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            if scope["path"] == SIGN_IN:
                self._cookies.check_site(scope, headers)
            elif scope["path"] == PROTECTED or scope["path"].startswith(f"{PROTECTED}/"):
                admitted = await self._admitted(scope, headers)
                scope.setdefault("state", {})["principal"] = admitted.principal
                if admitted.standing is not None:
                    send = with_headers(send, limit_fields(admitted.standing.named("requests")))
        except CronicornError as error:
            await problem_of(scope, error)(scope, receive, send)
            return
        most = STRANGERS_BYTES_MAX if scope["path"] == SIGN_IN else BODY_BYTES_MAX
        body = await json_body(headers, receive, most)
        if body is None:
            return
        if isinstance(body, bytes):
            await self._app(
                scope, handed_again({"type": "http.request", "body": body, "more_body": False}, receive), send
            )
        else:
            await refuse_body(body, most, scope, receive, send)

    async def _admitted(self, scope: Scope, headers: Headers) -> Admitted:
        """Who asks: a key, if one is shown, or else whoever is signed in. Raises what `Admittance` does."""
        key, token = credentials(headers), self._cookies.token(scope, headers)
        if key is not None or token is None or "authorization" in headers:
            return await self._admittance.by_key(key, request_id_of(scope))
        admitted = await self._admittance.by_session(token, request_id_of(scope))
        if scope["method"] not in SAFE_METHODS:
            self._cookies.check_site(scope, headers)
            self._cookies.check_token(headers, token)
        scope.setdefault("state", {})["token"] = token
        return admitted


async def json_body(headers: Headers, receive: Receive, most: int) -> bytes | HTTPStatus | None:
    """As `whole_body`, of what is declared as JSON."""
    body = await whole_body(headers, receive, most)
    return body if not body or isinstance(body, HTTPStatus) or _is_json(headers) else HTTPStatus.UNSUPPORTED_MEDIA_TYPE


def credentials(headers: Headers) -> str | None:
    """The API key of a request: `x-api-key`, else `Authorization: Bearer`."""
    key = headers.get("x-api-key")
    if key is not None:
        return key
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def with_headers(send: Send, fields: Mapping[str, str]) -> Send:
    """*send*, which says *fields* in the head of the answer."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in fields.items():
                headers.append(name, value)
        await send(message)

    return sending


def _is_json(headers: Headers) -> bool:
    kind = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def handed_again(message: Message, receive: Receive) -> Receive:
    """A `receive` that hands out *message* first, once more: it is the whole of a body. Then it does as before."""
    waiting = [message]

    async def receiving() -> Message:
        return waiting.pop() if waiting else await receive()

    return receiving


_BODY_REFUSALS = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is longer than {most} bytes; send less.",
    HTTPStatus.REQUEST_TIMEOUT: f"The body did not arrive within {BODY_SECONDS_MAX:g} seconds.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "Send the body as JSON, with `Content-Type: application/json`.",
}


async def refuse_body(status: HTTPStatus, most: int, scope: Scope, receive: Receive, send: Send) -> None:
    """Say why a body, of which *most* bytes are read, is refused."""
    # The rest of the body may still be under way, so the connection can't carry another request.
    answer = problem(scope, status, _BODY_REFUSALS[status].format(most=most), headers={"Connection": "close"})
    await answer(scope, receive, send)
