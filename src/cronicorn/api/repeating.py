"""The field Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07): a POST that may be sent again.

Plain ASGI, inside the gate: it knows who asks, and the body is there at once.
"""

import hashlib
import logging
import re
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cronicorn.api.gate import handed_again
from cronicorn.api.problems import problem_of
from cronicorn.control.repeats import Repeats
from cronicorn.domain.errors import CronicornError, InvalidInputError, UnavailableError
from cronicorn.domain.principal import Principal
from cronicorn.domain.repeating.keyed import KeptAnswer, KeyedRequest

log = logging.getLogger(__name__)

BODY_KEPT_MAX = 262_144
"""A longer answer is not kept."""
REPLAYED = {"Idempotency-Replayed": "true"}
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_SECRET = re.compile(r"/api/(keys|signing-keys|secrets|tenants|members|me|sessions|sign-in)\b")
"""What is answered there once is kept nowhere."""
_FIELDS_KEPT = ("content-type", "etag", "location")


class Repetition:
    """Carries out a POST with a key once, and answers it again when it comes again."""

    def __init__(self, app: ASGIApp, repeats: Repeats) -> None:
        self._app = app
        self._repeats = repeats

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = Headers(scope=scope).get("idempotency-key") if scope.get("method") == "POST" else None
        principal = scope.get("state", {}).get("principal")
        if key is None or not isinstance(principal, Principal):
            await self._app(scope, receive, send)
            return
        message = await receive()
        try:
            begun = await self._repeats.begin(principal.tenant_id, key_in(key), _fingerprint(scope, principal, message))
        except CronicornError as error:
            await problem_of(scope, error)(scope, receive, send)
            return
        if isinstance(begun, KeptAnswer):
            await _replayed(begun)(scope, receive, send)
            return
        await self._carry_out(begun, scope, handed_again(message, receive), send)

    async def _carry_out(self, request: KeyedRequest, scope: Scope, receive: Receive, send: Send) -> None:
        answered: list[Message] = []

        async def gather(message: Message) -> None:
            answered.append(message)

        await self._app(scope, receive, gather)
        try:
            await self._keep(request, scope, answered)
        except UnavailableError as error:  # It was carried out: that is what counts.
            log.warning("answer_not_kept", extra={"path": scope["path"], "reason": str(error)})
        for message in answered:
            await send(message)

    async def _keep(self, request: KeyedRequest, scope: Scope, answered: list[Message]) -> None:
        status = answered[0]["status"]
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:  # A store that is lost while it commits may have done so.
            await self._repeats.leave_in_doubt(request, status)
            return
        if status >= HTTPStatus.BAD_REQUEST:
            await self._repeats.withdraw(request)
            return
        body = b"".join(message.get("body", b"") for message in answered[1:])
        kept = len(body) <= BODY_KEPT_MAX and _SECRET.match(scope["path"]) is None
        fields = Headers(raw=answered[0]["headers"])
        answer = KeptAnswer(
            status=status,
            fields=tuple((name, fields[name]) for name in _FIELDS_KEPT if name in fields),
            body=body.decode() if kept else None,
        )
        await self._repeats.end(request, answer)


def key_in(field: str) -> str:
    """The key in the field: a string (RFC 8941), or as clients send it, without its quotes.

    Raises InvalidInputError for what is none.
    """
    text = field.strip()
    key = text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
    if _KEY.fullmatch(key) is None:
        raise InvalidInputError(
            'Idempotency-Key is a text of 1 to 255 visible ASCII characters, such as `Idempotency-Key: "order-4711"`.'
        )
    return key


def _fingerprint(scope: Scope, principal: Principal, message: Message) -> str:
    """The same for the same request of the same key or member: nobody is answered what another one asked."""
    digest = hashlib.sha256()
    for part in (principal.actor_id or "", scope["path"], scope["query_string"], message.get("body", b"")):
        data = part.encode() if isinstance(part, str) else part
        digest.update(b"%d:" % len(data) + data)
    return digest.hexdigest()


def _replayed(answer: KeptAnswer) -> Response:
    assert answer.body is not None
    no_body = answer.status == HTTPStatus.NO_CONTENT
    return Response(None if no_body else answer.body, answer.status, headers={**dict(answer.fields), **REPLAYED})
