"""Entity tags (RFC 9110): which version an answer shows, and of which version a change is meant."""

import re
from typing import Annotated

from fastapi import Depends, Header

from cronicorn.domain.errors import InvalidInputError, PreconditionRequiredError
from cronicorn.domain.unchanged import Unchanged

_TAG = re.compile(r'\s*"([\x21\x23-\x7e]*)"\s*')
_HOW = 'If-Match takes the entity tags that ETag gave, such as `If-Match: "3"`, or `*`.'
_TAGS_LENGTH_MAX = 1_024

_Given = Annotated[
    str | None,
    Header(alias="If-Match", description="Change only this version, as its ETag names it; 412 for another one."),
]


async def _unchanged(given: _Given = None) -> Unchanged | None:
    return unchanged_by(given)


async def _unchanged_for_sure(given: _Given = None) -> Unchanged | None:
    if given is None:
        raise PreconditionRequiredError(
            "Say which version you mean, so that nobody's work is overwritten: read it, and send its ETag as If-Match."
        )
    return unchanged_by(given)


IfMatch = Annotated[Unchanged | None, Depends(_unchanged)]
IfMatchRequired = Annotated[Unchanged | None, Depends(_unchanged_for_sure)]


def unchanged_by(given: str | None) -> Unchanged | None:
    """What the field If-Match demands; None for nothing. Raises InvalidInputError for what is no list of tags."""
    if given is None or given.strip() == "*":
        return None
    tags = [_TAG.fullmatch(part.strip().removeprefix("W/")) for part in given[:_TAGS_LENGTH_MAX].split(",")]
    if not all(tags):
        raise InvalidInputError(_HOW)
    # A weak tag never matches (RFC 9110, 13.1.1).
    strong = (part for part in given.split(",") if not part.strip().startswith("W/"))
    return Unchanged(versions=frozenset(part.strip()[1:-1] for part in strong))


def tag_field(version: str) -> dict[str, str]:
    """The field that names *version*."""
    return {"ETag": f'"{version}"'}
