"""What goes out: the call that an attempt at a slot makes. Pure, so that a test call and a run send the same."""

import re
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache

from cronicorn.domain.auth import named_in_auth
from cronicorn.domain.call import TIMEOUT_MIN, Call, Request
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.secret_references import named_in, named_in_headers
from cronicorn.domain.signals.conditional import NOT_MODIFIED_STATUS, conditional_headers

VERSION = "0.1.0"
USER_AGENT = f"Cronicorn/{VERSION}"
RESPONSE_KB_MAX = 10_240
"""No answer is kept beyond this, whatever an owner asks for."""

_REMEMBERED = 1_024

FRAMING = frozenset({
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
})  # fmt: skip
"""Header fields that belong to the connection (RFC 9110, 7.6.1): the client sets them, never an owner."""
ID_HEADER = "Idempotency-Key"
FENCE_HEADER = "Cronicorn-Fence"
RESERVED = frozenset({ID_HEADER.lower(), FENCE_HEADER.lower()})
"""Header fields that say which call this is: each gets its own."""
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token: RFC 9110, 5.6.2."""
HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")
"""What every server understands of RFC 9110, 5.5: visible ASCII, spaces and tabs."""


def call_for(endpoint: JobEndpoint, slot: int, fence: int | None = None, *, conditional: bool = False) -> Call:
    """The call of *endpoint* for *slot*: every attempt at the slot sends the same, but for the *fence* of its lease.

    With *conditional* the target may say that nothing has changed since its last answer, and send no body. Rules that
    read bodies need them: ask for it only where there are none.

    The owner's headers go out but for those that frame a message, that can't be sent, or that name the slot: the
    `Idempotency-Key` is always `<endpoint id>:<slot>`, so that a target can tell a repeated slot from a new one. The
    `Cronicorn-Fence` grows with every claim of the endpoint, so that it can tell a newer call from a belated one.
    """
    request = endpoint.request
    body = None if request.body_json is None else request.body_json.encode()
    return Call(
        tenant_id=endpoint.tenant_id,
        url=request.url,
        method=request.method,
        headers=_headers(endpoint, slot, fence, conditional=conditional),
        body=body,
        timeout=_timeout(request),
        response_bytes_max=max(0, min(request.response_kb_max, RESPONSE_KB_MAX)) * 1024,
        redirects_max=request.redirects_max,
        redaction=endpoint.redaction,
        secrets=secrets_named(request),
        auth=request.auth,
    )


def call_facts(call: Call) -> dict[str, object]:
    """What logs say about a call: whose it is, and of which slot, where it is of one."""
    endpoint_id, _, slot = call.headers.get(ID_HEADER, "").rpartition(":")
    of_slot = {"endpoint": endpoint_id, "slot": int(slot)} if endpoint_id and slot.isdecimal() else {}
    return {"tenant": call.tenant_id, **of_slot}


def secrets_named(request: Request) -> frozenset[str]:
    """The secrets that *request* names."""
    named = named_in_headers(request.headers) | named_in(request.body_json)
    return named if request.auth is None else named | named_in_auth(request.auth)


def _timeout(request: Request) -> timedelta:
    return min(max(request.timeout, TIMEOUT_MIN), request.execution_max)


def _headers(endpoint: JobEndpoint, slot: int, fence: int | None, *, conditional: bool) -> dict[str, str]:
    request = endpoint.request
    headers = {
        **_lasting(request.headers, has_body=request.body_json is not None),
        ID_HEADER: f"{endpoint.id}:{slot}",
    }
    if fence is not None:
        headers[FENCE_HEADER] = str(fence)
    if conditional:
        headers |= _condition(endpoint)
    return headers


@lru_cache(_REMEMBERED)
def _lasting(given: tuple[tuple[str, str], ...], *, has_body: bool) -> Mapping[str, str]:
    """What goes out with every call: the owner's headers, and what they leave open."""
    headers = {name: value for name, value in given if _may_send(name, value)}
    names = {name.lower() for name in headers}
    if "user-agent" not in names:
        headers["User-Agent"] = USER_AGENT
    if has_body and "content-type" not in names:
        headers["Content-Type"] = "application/json"
    return headers


def _condition(endpoint: JobEndpoint) -> dict[str, str]:
    """What makes a call conditional, unless the owner does so already (RFC 9110, 13.1)."""
    fields = conditional_headers(endpoint.state.memory.signals, endpoint.request.method, endpoint.signals)
    if not fields or endpoint.policy is not None or not endpoint.success.allows(NOT_MODIFIED_STATUS):
        return {}
    if any(name.lower().startswith("if-") for name, _ in endpoint.request.headers):
        return {}
    return {name: value for name, value in fields if _may_send(name, value)}


def _may_send(name: str, value: str) -> bool:
    """Old rows may hold what today's doors refuse; such a header is left out, so that none splits a message."""
    lower = name.lower()
    return (
        lower not in FRAMING
        and lower not in RESERVED
        and HEADER_NAME.fullmatch(name) is not None
        and HEADER_VALUE.fullmatch(value) is not None
    )
