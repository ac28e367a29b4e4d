"""Bodies of requests, read as a whole within bounds."""

import asyncio
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import Receive

BODY_SECONDS_MAX = 30.0
"""A body that takes longer to arrive is not waited for."""


async def whole_body(headers: Headers, receive: Receive, most: int) -> bytes | HTTPStatus | None:
    """The body, of *most* bytes, or the status with which it is refused; None when the client went away."""
    length = headers.get("content-length", "")
    if length.isdecimal() and (len(length) > len(str(most)) or int(length) > most):
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS_MAX):
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                body += message.get("body", b"")
                more = bool(message.get("more_body", False))
                if len(body) > most:
                    return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    except TimeoutError:
        return HTTPStatus.REQUEST_TIMEOUT
    return bytes(body)
