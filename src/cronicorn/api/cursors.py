"""Cursors: where a page ended, as a text that means nothing to whoever carries it.

A cursor belongs to one list of one tenant, asked for under the same filters. It opens nothing: whoever makes one up is
shown what they may see anyway.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from fastapi import Query

from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.instant import LAST_INSTANT, microseconds_of
from cronicorn.domain.principal import Principal

Cursor = Annotated[
    str | None, Query(max_length=512, description="Go on where the page ended whose `nextCursor` this was.")
]
Place = tuple[str | int, ...]

_NUMBER_MAX = microseconds_of(LAST_INSTANT)
_TEXT = re.compile(r"[A-Za-z0-9_:.-]{1,255}")

T = TypeVar("T")


class Paging:
    """One list of a tenant, as its cursors know it: its *kind*, and what it is *confined* by."""

    def __init__(self, asker: Principal, kind: str, *confined: object) -> None:
        self._whose = [kind, asker.tenant_id, *(str(each) for each in confined)]

    def place(self, cursor: str, *kinds: type[str | int], offset: int = 0) -> Place:
        """The place in *cursor*, whose parts are of *kinds*. Raises InvalidInputError for any other text.

        Raises it for an *offset*, too: a cursor says already where to begin.
        """
        if offset:
            raise InvalidInputError("The query parameters cursor and offset both say where to begin: send one of them.")
        seal, *place = _told(cursor)
        if tuple(map(type, place)) != kinds or not all(map(_may_be, place)) or seal != self._seal(place):
            raise InvalidInputError(
                "The query parameter cursor: this is no `nextCursor` of this very list, with the same filters. "
                "Leave it out to begin anew."
            )
        return tuple(place)

    def after(self, cursor: str | None, *, offset: int = 0) -> str | None:
        """The id in *cursor*, where places are ids; None for no cursor. Raises InvalidInputError, see `place`."""
        return None if cursor is None else str(self.place(cursor, str, offset=offset)[0])

    def cut(self, found: Sequence[T], limit: int, place_of: Callable[[T], Place]) -> tuple[Sequence[T], str | None]:
        """The first *limit* of those *found*, and the cursor of what comes after them, if more were found."""
        page = found[:limit]
        return page, self.cursor(place_of(page[-1])) if len(found) > limit else None

    def cursor(self, place: Place) -> str:
        """The cursor of a page that ended at *place*."""
        return base64.urlsafe_b64encode(json.dumps([self._seal(place), *place]).encode()).decode().rstrip("=")

    def _seal(self, place: Sequence[object]) -> str:
        return hashlib.sha256(json.dumps([*self._whose, *place]).encode()).hexdigest()[:16]


def _told(cursor: str) -> list[str | int]:
    """What *cursor* says, whatever that is; an empty text where it says nothing."""
    try:
        told = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        told = None
    return told if isinstance(told, list) and told else [""]


def _may_be(part: str | int) -> bool:
    """Nothing but what can be a place ever reaches a store."""
    return _TEXT.fullmatch(part) is not None if isinstance(part, str) else 0 <= part <= _NUMBER_MAX
