"""Forms as browsers send them: read within bounds, and the faults of what was entered, field by field."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.types import Receive

from cronicorn.asgi.body import whole_body
from cronicorn.domain.errors import CronicornError, InvalidInputError

FORM_BYTES_MAX = 262_144
FIELDS_MAX = 200
_KIND = "application/x-www-form-urlencoded"


async def read_form(headers: Headers, receive: Receive) -> Mapping[str, str] | HTTPStatus | None:
    """What a form holds, or why it is refused; None when the browser went away.

    Of a field that was sent twice the last counts.
    """
    body = await whole_body(headers, receive, FORM_BYTES_MAX)
    if body is None or isinstance(body, HTTPStatus):
        return body
    if body and headers.get("content-type", "").partition(";")[0].strip().lower() != _KIND:
        return HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    try:
        return dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=FIELDS_MAX))
    except ValueError:  # Not UTF-8, or too many fields.
        return HTTPStatus.BAD_REQUEST


def faults_of(error: CronicornError, known: Sequence[str]) -> Mapping[str, str]:
    """What *error* says about each of the fields *known* to the form; the rest stands under the empty name.

    A fault belongs to the field whose name its JSON Pointer begins with: of several, to that with the longest.
    """
    if not isinstance(error, InvalidInputError) or not error.fields:
        return {"": str(error)}
    told: dict[str, list[str]] = defaultdict(list)
    for fault in error.fields:
        place = field_of(fault.pointer, known)
        name = fault.pointer.removeprefix("/").partition("/")[0]
        told[place].append(fault.message if place or not name else f"{name}: {fault.message}")
    return {name: " ".join(messages) for name, messages in told.items()}


def field_of(pointer: str, known: Sequence[str]) -> str:
    """Which of the fields *known* the JSON Pointer *pointer* leads to, or into; empty where none."""
    path = f"{pointer.removeprefix('/')}/"
    return max((name for name in known if path.startswith(f"{name}/")), key=len, default="")
