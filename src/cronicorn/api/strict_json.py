"""Request bodies, read strictly: what one reader takes differently from another is refused.

Beyond RFC 8259: no NaN or infinities, no name twice in an object (RFC 7493), no half of a surrogate pair, no bottomless
nesting.
"""

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from cronicorn.control.document import Document
from cronicorn.control.findings import Findings
from cronicorn.control.misfits import read_document

DEPTH_MAX = 100
_NAME_SHOWN = 80


def parse(data: bytes) -> object:
    """The value that *data* spells. Raises ValueError, with a sentence."""
    try:
        value = json.loads(data.decode(), object_pairs_hook=_object, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise ValueError(f"The body is not JSON: {error.msg} at character {error.pos}.") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"The body is not UTF-8 at byte {error.start}.") from None
    except RecursionError:
        raise ValueError(f"The body is nested deeper than {DEPTH_MAX} levels.") from None
    _check(value)
    return value


class StrictRequest(Request):
    """A request whose JSON is read strictly."""

    async def json(self) -> Any:
        try:
            return parse(await self.body())
        except ValueError as error:
            # FastAPI lets this kind of exception, and no other, out of the reading of a body.
            raise HTTPException(400, str(error)) from None


async def check_says_nothing(request: Request) -> None:
    """Raise InvalidInputError for a body that says something where nothing is read: neither empty nor `{}`."""
    if not (await request.body()).strip():
        return
    findings = Findings()
    read_document(Document, await request.json(), findings)
    findings.raise_errors()


class StrictRoute(APIRoute):
    """A route that reads its requests strictly."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            return await handler(StrictRequest(request.scope, request.receive))

        return handle


def _object(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"The body names {json.dumps(twice[:_NAME_SHOWN])} twice in one object.")
    return result


def _no_constant(name: str) -> object:
    raise ValueError(f"The body holds {name}, which is not JSON.")


def _finite(text: str) -> float:
    number = float(text)
    if number in {float("inf"), float("-inf")}:
        raise ValueError("The body holds a number that is too large.")
    return number


def _check(value: object) -> None:
    for part, depth in _parts(value):
        if depth > DEPTH_MAX:
            raise ValueError(f"The body is nested deeper than {DEPTH_MAX} levels.")
        if isinstance(part, str) and not _is_whole(part):
            raise ValueError("The body holds half of a surrogate pair, which is no character.")


def _parts(value: object) -> Iterator[tuple[object, int]]:
    """Every value and name inside *value*, with its depth."""
    waiting = [(value, 1)]
    while waiting:
        part, depth = waiting.pop()
        yield part, depth
        if isinstance(part, dict):
            waiting.extend((name, depth) for name in part)
            waiting.extend((child, depth + 1) for child in part.values())
        elif isinstance(part, list):
            waiting.extend((child, depth + 1) for child in part)


def _is_whole(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
