"""What goes out: one request as libcurl's options."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pycurl

from cronicorn.domain.call import Method
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.outgoing import FRAMING, HEADER_NAME
from cronicorn.domain.target import Target

IDEMPOTENT = {Method.GET, Method.HEAD, Method.PUT, Method.DELETE}
"""Methods that a client may send again by itself when a kept connection broke off (RFC 9110, section 9.2.2)."""

_NOT_IN_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
_ADDED_BY_LIBCURL = ("Accept", "Content-Type", "Expect", "User-Agent")


@dataclass(frozen=True, slots=True, kw_only=True)
class WireRequest:
    """A request with a checked URL, as it goes out."""

    target: Target
    method: Method
    headers: Mapping[str, str]
    body: bytes | None


def header_lines(headers: Mapping[str, str]) -> list[bytes]:
    """*headers* as libcurl wants them, and orders to leave out what it would add. Raises InvalidInputError.

    The message names the header, never its value.
    """
    given = {name.lower() for name in headers}
    lines = [_header_line(name, value) for name, value in headers.items()]
    lines += [f"{name}:".encode() for name in _ADDED_BY_LIBCURL if name.lower() not in given]
    return lines


def options_of(request: WireRequest) -> Iterator[tuple[int, object]]:
    """The libcurl options that make *request*. Raises InvalidInputError for a header that can't be sent."""
    yield pycurl.URL, request.target.url
    yield pycurl.HTTPHEADER, header_lines(request.headers)
    if request.method is Method.HEAD:
        yield pycurl.NOBODY, 1
        return
    if request.body is not None or request.method in {Method.POST, Method.PUT, Method.PATCH}:
        yield pycurl.POST, 1
        yield pycurl.POSTFIELDS, request.body or b""
    yield pycurl.CUSTOMREQUEST, request.method.value


def _header_line(name: str, value: str) -> bytes:
    if not HEADER_NAME.fullmatch(name):
        raise InvalidInputError("The name of a request header holds a character that HTTP does not allow there.")
    if name.lower() in FRAMING:
        raise InvalidInputError(f"The request header {name} is set by Cronicorn itself: remove it.")
    if _NOT_IN_VALUE.search(value):
        raise InvalidInputError(f"The value of the request header {name} holds a control character: remove it.")
    value = value.strip()
    return f"{name}: {value}".encode() if value else f"{name};".encode()
