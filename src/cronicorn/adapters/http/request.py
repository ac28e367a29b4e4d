"""What goes out: one request as libcurl's options."""

import re
from collections.abc import Hashable, Mapping
from functools import lru_cache

import pycurl

from cronicorn.domain.call import Call, Method
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.outgoing import FRAMING, HEADER_NAME
from cronicorn.domain.target import Target

IDEMPOTENT = {Method.GET, Method.HEAD, Method.PUT, Method.DELETE}
"""Methods that a client may send again by itself when a kept connection broke off (RFC 9110, section 9.2.2)."""

_NOT_IN_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
_LEFT_OUT = {name.lower(): f"{name}:".encode() for name in ("Accept", "Content-Type", "Expect", "User-Agent")}
"""What libcurl would add, and the order not to."""
_METHODS_WITH_BODY = (Method.POST, Method.PUT, Method.PATCH)
_NAMES_REMEMBERED = 256


def header_lines(headers: Mapping[str, str]) -> list[bytes]:
    """*headers* as libcurl wants them, and orders to leave out what it would add. Raises InvalidInputError.

    The message names the header, never its value.
    """
    left_out = _left_out(tuple(headers))
    lines = []
    for name, value in headers.items():
        if _NOT_IN_VALUE.search(value):
            raise InvalidInputError(f"The value of the request header {name} holds a control character: remove it.")
        stripped = value.strip()
        lines.append(f"{name}: {stripped}".encode() if stripped else f"{name};".encode())
    lines += left_out
    return lines


def request_options(call: Call, target: Target) -> dict[int, Hashable]:
    """The libcurl options that send *call*, whose URL is *target*. Raises InvalidInputError for a bad header."""
    options: dict[int, Hashable] = {pycurl.URL: target.url, pycurl.HTTPHEADER: tuple(header_lines(call.headers))}
    method = call.method
    if method is Method.HEAD:
        options[pycurl.NOBODY] = 1
        return options
    if call.body is not None or method in _METHODS_WITH_BODY:
        options[pycurl.POST] = 1
        options[pycurl.POSTFIELDS] = call.body or b""
    options[pycurl.CUSTOMREQUEST] = str(method)
    return options


@lru_cache(_NAMES_REMEMBERED)
def _left_out(names: tuple[str, ...]) -> tuple[bytes, ...]:
    """What libcurl would add beside headers of these *names*. Raises InvalidInputError for one that can't be sent."""
    lower = {_checked_name(name) for name in names}
    return tuple(line for name, line in _LEFT_OUT.items() if name not in lower)


def _checked_name(name: str) -> str:
    """*name* in lower case. Raises InvalidInputError."""
    if not HEADER_NAME.fullmatch(name):
        raise InvalidInputError("The name of a request header holds a character that HTTP does not allow there.")
    lower = name.lower()
    if lower in FRAMING:
        raise InvalidInputError(f"The request header {name} is set by Cronicorn itself: remove it.")
    return lower
