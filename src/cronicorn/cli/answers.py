"""What a server answers: no more of it than fits, and read as what Cronicorn would say."""

import json
from functools import partial
from typing import Any

import httpx2

from cronicorn.domain.errors import UnavailableError

BYTES_MAX = 268_435_456


class AnsweredObject(dict[str, Any]):
    """An object of JSON in an answer; UnavailableError tells of a field that is expected of it, and is not there.

    A server of another version may well leave something out, and so does one that is no Cronicorn.
    """

    where = "The server"
    """Who answered it."""

    def __missing__(self, name: str) -> Any:
        raise UnavailableError(
            f"{self.where} left {name!r} out of its answer: is it a Cronicorn, of a version as `cronicorn version` "
            "tells of this one?"
        )


async def body_of(answer: httpx2.Response, where: str) -> bytes:
    """All that *answer* holds. Raises UnavailableError for more than BYTES_MAX, httpx2.HTTPError for what breaks."""
    body = bytearray()
    async for part in answer.aiter_bytes():
        body += part
        if len(body) > BYTES_MAX:
            raise UnavailableError(f"{where} answers more than {BYTES_MAX >> 20} MiB: no Cronicorn does.")
    return bytes(body)


def document_of(body: bytes, where: str) -> Any:
    """The JSON that *body* holds. Raises ValueError for anything else."""
    try:
        return json.loads(body, object_hook=partial(_answered, where))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _answered(where: str, fields: dict[str, Any]) -> AnsweredObject:
    found = AnsweredObject(fields)
    found.where = where
    return found
