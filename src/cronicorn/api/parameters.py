"""What routes take from a request besides its body."""

import re
from typing import Annotated

from fastapi import Depends, Path, Query, Security
from fastapi.security import APIKeyCookie, APIKeyHeader, HTTPBearer
from pydantic import AfterValidator, BeforeValidator, WithJsonSchema
from starlette.requests import Request

from cronicorn.control.document import InstantOrNull
from cronicorn.control.identity import possible_id
from cronicorn.domain.principal import Principal

OFFSET_MAX = 1_000_000_000

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_IN_HEADER = APIKeyHeader(name="x-api-key", auto_error=False, description="An API key.")
_IN_COOKIE = APIKeyCookie(name="__Host-cronicorn-session", auto_error=False, description="Whoever is signed in.")
_AS_BEARER = HTTPBearer(auto_error=False, description="An API key as a bearer token.")


async def _principal(  # A plain function would be sent to a thread.
    request: Request,
    _key: object = Security(_IN_HEADER),
    _token: object = Security(_AS_BEARER),
    _cookie: object = Security(_IN_COOKIE),
) -> Principal:
    """Whom the gatekeeper let in; the credentials are named only for the description."""
    principal = request.state.principal
    assert isinstance(principal, Principal)
    return principal


def _absent(value: object) -> object:
    """The contract's offset may be null, which a query can only write as nothing."""
    return 0 if value in {"", "null"} else value


def _bound(value: object) -> object:
    """An instant with its offset, or a day, which begins at midnight in UTC; nothing and null are no bound."""
    if value in {"", "null"}:
        return None
    return f"{value}T00:00:00Z" if isinstance(value, str) and _DAY.fullmatch(value) else value


Asker = Annotated[Principal, Depends(_principal)]
Id = Annotated[str, Path(alias="id"), AfterValidator(possible_id)]
InJob = Annotated[str, Path(alias="jobId"), AfterValidator(possible_id)]
DraftId = Annotated[str, Path(alias="draftId"), AfterValidator(possible_id)]
Offset = Annotated[
    int,
    Query(ge=0, le=OFFSET_MAX),
    BeforeValidator(_absent),
    WithJsonSchema({"type": ["integer", "null"], "minimum": 0, "maximum": OFFSET_MAX}),
]
Bound = Annotated[InstantOrNull, BeforeValidator(_bound), WithJsonSchema({"type": ["string", "null"]})]
