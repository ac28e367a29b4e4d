"""What addresses of pages say: instants, numbers of pages, and where they lead back to."""

from contextlib import suppress
from datetime import UTC, datetime

_DIGITS_MAX = 6
"""No list has more pages."""


def instant_in(text: str) -> datetime | None:
    """The instant that *text* means, in UTC where it says nothing else; None for what can't be read."""
    for written in (text.strip(), text.strip().replace(" ", "+")):  # An address has a blank in place of a plus.
        with suppress(ValueError, OverflowError):
            at = datetime.fromisoformat(written)
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return None


def number_in(text: str, digits_max: int = _DIGITS_MAX) -> int | None:
    """The whole number that *text* is; None for what is none, or longer than *digits_max*."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits_max else None


def page_in(text: str) -> int:
    """Which page of a list *text* names, from 1; the first for what names none."""
    return max(1, number_in(text) or 1)


def own_path(text: str, otherwise: str = "/") -> str:
    """*text* when it leads to a page of this site, and to no other site, else *otherwise*."""
    plain = all(" " < letter < "\x7f" for letter in text)
    return text if plain and text.startswith("/") and not text.startswith(("//", "/\\")) else otherwise
