"""The door for agents, as far as it is HTTP: who may come in, from where, and what they are told when they may not.

An OAuth 2.1 resource server whose access tokens are API keys: its metadata (RFC 9728) says which scopes there are and,
where somebody hands keys out, who does. No cookie opens it, so that no page of another site can ask in anybody's name.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from cronicorn.api.gate import BODY_BYTES_MAX, credentials, handed_again, json_body, refuse_body, with_headers
from cronicorn.api.problems import problem, problem_of, request_id_of
from cronicorn.api.wire_rates import limit_fields
from cronicorn.control.admittance import Admittance
from cronicorn.domain.errors import CronicornError, UnauthenticatedError

AGENTS = "/mcp"
METADATA = "/.well-known/oauth-protected-resource"
"""With or without the path of the resource behind it."""
_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSite:
    """Where the door stands, and what its metadata says."""

    origin: str | None = None
    """What clients see, where a proxy stands before this process."""
    loopback: bool = True
    """Whether this process listens on loopback only: then no other host is meant, whatever name leads here."""
    scopes: Sequence[str] = ()
    authorization_server: str | None = None
    """Who hands out keys as access tokens; None: keys are made by people."""

    def origin_of(self, headers: Headers, scope: Scope) -> str:
        """What the client of a request sees."""
        return self.origin or f"{scope.get('scheme', 'http')}://{headers.get('host', '')}"

    def refusal(self, headers: Headers, scope: Scope) -> tuple[HTTPStatus, str] | None:
        """Why a request is not let near: it names another host, or a page of another site sent it; None when it is."""
        host, known = headers.get("host", ""), urlsplit(self.origin or "").netloc
        if _HOST.fullmatch(host) is None:
            return HTTPStatus.BAD_REQUEST, "The Host of the request is none."
        if self.loopback and host != known and not is_loopback(_host_of(host)):
            return (
                HTTPStatus.MISDIRECTED_REQUEST,
                "The Host of the request is not this server: see CRONICORN_PUBLIC_URL.",
            )
        origin = headers.get("origin")
        if origin is not None and origin != self.origin_of(headers, scope):
            return HTTPStatus.FORBIDDEN, "The request comes from a page of another site."
        return None

    def metadata(self, origin: str) -> dict[str, Any]:
        """The metadata of the resource that clients see at *origin*."""
        told: dict[str, Any] = {
            "resource": f"{origin}{AGENTS}",
            "resource_name": "Cronicorn",
            "scopes_supported": list(self.scopes),
            "bearer_methods_supported": ["header"],
        }
        if self.authorization_server is not None:
            told["authorization_servers"] = [self.authorization_server]
        return told


class AgentDoor:
    """Lets requests pass to *app* that carry a known key, come from no other site and have a body of bounded size."""

    def __init__(self, app: ASGIApp, admittance: Admittance, site: AgentSite) -> None:
        self._app = app
        self._admittance = admittance
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if (refusal := self._site.refusal(headers, scope)) is not None:
            await problem(scope, *refusal)(scope, receive, send)
        elif scope["path"] in {METADATA, f"{METADATA}{AGENTS}"}:
            await self._tell(headers, scope, receive, send)
        elif scope["path"] not in {AGENTS, f"{AGENTS}/"}:
            await problem(scope, HTTPStatus.NOT_FOUND, "There is nothing at this path.")(scope, receive, send)
        elif scope["method"] != "POST":
            await _not_allowed(scope, receive, send, "POST")
        else:
            await self._let_in(headers, scope, receive, send)

    async def _let_in(self, headers: Headers, scope: Scope, receive: Receive, send: Send) -> None:
        key = credentials(headers)
        try:
            admitted = await self._admittance.by_key(key, request_id_of(scope))
        except CronicornError as error:
            answer = problem_of(scope, error)
            if isinstance(error, UnauthenticatedError):
                where = f'resource_metadata="{self._site.origin_of(headers, scope)}{METADATA}{AGENTS}"'
                why = "" if key is None else ', error="invalid_token"'  # RFC 6750: only of one that was shown.
                answer.headers["WWW-Authenticate"] = f'Bearer realm="cronicorn"{why}, {where}'
            await answer(scope, receive, send)
            return
        scope.setdefault("state", {})["principal"] = admitted.principal
        if admitted.standing is not None:
            send = with_headers(send, limit_fields(admitted.standing.named("requests")))
        body = await json_body(headers, receive, BODY_BYTES_MAX)
        if isinstance(body, bytes):
            whole = handed_again({"type": "http.request", "body": body, "more_body": False}, receive)
            await self._app({**scope, "path": AGENTS}, whole, send)  # Also of `/mcp/`: nobody is sent elsewhere.
        elif body is not None:
            await refuse_body(body, BODY_BYTES_MAX, scope, receive, send)

    async def _tell(self, headers: Headers, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in {"GET", "HEAD"}:
            await _not_allowed(scope, receive, send, "GET, HEAD")
            return
        await JSONResponse(self._site.metadata(self._site.origin_of(headers, scope)))(scope, receive, send)


async def _not_allowed(scope: Scope, receive: Receive, send: Send, allowed: str) -> None:
    detail = f"{scope['method']} is not allowed here; the Allow header says what is."
    answer = problem(scope, HTTPStatus.METHOD_NOT_ALLOWED, detail, headers={"Allow": allowed})
    await answer(scope, receive, send)


def is_loopback(host: str) -> bool:
    """Whether *host*, a name or an address, is this machine as only itself sees it."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _host_of(field: str) -> str:
    """The name or address in a Host header, without its port."""
    try:
        return urlsplit(f"//{field}").hostname or ""
    except ValueError:
        return ""
