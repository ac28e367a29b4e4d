"""Cursors: where a page ended, as a text that means nothing to whoever carries it."""

import base64
import binascii
import json
from typing import Annotated

from fastapi import Query

from cronicorn.domain.errors import InvalidInputError

Cursor = Annotated[
    str | None, Query(max_length=512, description="Go on where the page ended whose `nextCursor` this was.")
]


def cursor_of(kind: str, place: str) -> str:
    """A cursor for lists of *kind*, at *place*."""
    return base64.urlsafe_b64encode(json.dumps([kind, place]).encode()).decode().rstrip("=")


def place_in(cursor: str | None, kind: str) -> str | None:
    """The place of *cursor*; None for none. Raises InvalidInputError for what is no cursor for lists of *kind*."""
    if cursor is None:
        return None
    try:
        told = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        told = None
    match told:
        case [str(named), str(place)] if named == kind:
            return place
        case _:
            raise InvalidInputError(
                "The query parameter cursor: this is no `nextCursor` of such a list. Leave it out to begin anew."
            )
