"""The one seam of commands: Cronicorn's REST interface, answered by this process or by a server."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote

import httpx2

from cronicorn.cli.answers import body_of, document_of
from cronicorn.cli.problems import error_of
from cronicorn.domain.errors import InvalidInputError, UnavailableError

PAGE = 1_000
WHOLE_ANSWER_S = 600
"""So long an answer of a server may take, however slowly it comes."""
_REQUEST_ID = "x-request-id"
"""A field that all answers of a Cronicorn have."""


class Interface:
    """What can be asked, wherever it is answered. Each method raises the CronicornError that the answer tells of."""

    def __init__(self, client: httpx2.AsyncClient, where: str, *, profile: str | None) -> None:
        """*where* is what a person calls the place; *profile* names the server, and is None for a store."""
        self._client = client
        self.where = where
        self.profile = profile

    async def get(self, path: str, **query: object) -> Any:
        """What is at *path*, below `/api`."""
        return (await self.answer("GET", path, query=query))[0]

    async def post(self, path: str, body: Mapping[str, object] | None = None, **query: object) -> Any:
        """What a POST of *body* is answered."""
        return (await self.answer("POST", path, body, query=query))[0]

    async def patch(self, path: str, body: Mapping[str, object], **query: object) -> Any:
        """What a PATCH with *body* is answered."""
        return (await self.answer("PATCH", path, body, query=query))[0]

    async def put(self, path: str, body: Mapping[str, object], *, unchanged: str | None = None) -> Any:
        """What a PUT of *body* is answered; with *unchanged*, an entity tag, only where that version is still there."""
        return (await self.answer("PUT", path, body, query={}, unchanged=unchanged))[0]

    async def version(self, path: str) -> tuple[Any, str | None]:
        """What is at *path*, and the entity tag of the version that it is, if it has one."""
        document, head = await self.answer("GET", path, query={})
        return document, head.get("etag")

    async def delete(self, path: str, **query: object) -> Any:
        """What a DELETE is answered."""
        return (await self.answer("DELETE", path, query=query))[0]

    async def listed(self, path: str, name: str, **query: object) -> AsyncIterator[Any]:
        """All items of the list *name* at *path*, page after page."""
        page = await self.get(path, limit=PAGE, **query)
        while True:
            for each in page[name]:
                yield each
            cursor = page.get("nextCursor")
            if cursor is None:
                return
            page = await self.get(path, limit=PAGE, cursor=cursor, **query)

    async def answer(
        self, method: str, path: str, body: Mapping[str, object] | None = None, *, query: Mapping[str, object],
        unchanged: str | None = None,
    ) -> tuple[Any, httpx2.Headers]:  # fmt: skip
        """What a request is answered, and the fields of the answer's head; *unchanged* as above."""
        given = {name: _text(value) for name, value in query.items() if value is not None}
        content = None if body is None else json.dumps(body)
        headers = {} if content is None else {"content-type": "application/json"}
        if unchanged is not None:
            headers["if-match"] = unchanged
        asked = self._client.stream(method, f"/api{path}", params=given, content=content, headers=headers)
        try:
            async with asyncio.timeout(None if self.profile is None else WHOLE_ANSWER_S), asked as answer:
                answered = b"" if answer.is_redirect else await body_of(answer, self.where)
        except httpx2.InvalidURL as error:
            raise InvalidInputError(f"{self.where} is no address that can be called: {error}.") from error
        except (httpx2.HTTPError, TimeoutError) as error:
            raise UnavailableError(f"{self.where} can't be reached: {_reason(error)}.") from error
        if answer.is_redirect:
            there = answer.headers.get("location", "elsewhere")[:200]
            raise InvalidInputError(f"{self.where} sends on to {there}: let the profile name Cronicorn's own address.")
        if self.profile is not None and _REQUEST_ID not in answer.headers:
            raise self._stranger(answer)
        document = self._document(answer, answered) if answered else None
        if answer.is_success:
            return document, answer.headers
        if not isinstance(document, dict) or "detail" not in document:
            raise self._stranger(answer)
        raise error_of(answer.status_code, document, answer.headers.get("retry-after", ""))

    def _document(self, answer: httpx2.Response, body: bytes) -> Any:
        try:
            document = document_of(body, self.where)
        except ValueError as error:
            raise self._stranger(answer) from error
        if not isinstance(document, dict):  # Each of ours is an object.
            raise self._stranger(answer)
        return document

    def _stranger(self, answer: httpx2.Response) -> UnavailableError:
        status = f"{answer.status_code} {answer.reason_phrase}".strip()
        return UnavailableError(
            f"{self.where} answered {status}, but not as Cronicorn does: is this its address, and does a proxy stand "
            "before it?"
        )


def segment(text: str) -> str:
    """*text* as a part of a path."""
    return quote(text, safe="")


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _reason(error: httpx2.HTTPError | TimeoutError) -> str:
    if isinstance(error, httpx2.TimeoutException | TimeoutError):
        return "it did not answer in time"
    return str(error).strip().rstrip(".") or type(error).__name__
