"""Header values that look like credentials are masked wherever they are shown. Pure."""

import re
from collections.abc import Iterable

MASK = "********"
"""What is shown in the place of a credential: nothing of it, not even its length."""

_SECRET_NAME = re.compile(
    r"auth|cookie|credential|key|pass(?:word|wd|phrase)|private|secret|session|signature|token", re.IGNORECASE
)
_SECRET_VALUE = re.compile(
    r"(?:basic|bearer|digest|negotiate|token)\s|eyJ[\w-]+\.[\w-]+\.|[a-z]{2}_live_", re.IGNORECASE
)

Headers = tuple[tuple[str, str], ...]


def looks_secret(name: str, value: str) -> bool:
    """Whether the value of the header *name* is, by its name or its form, a credential."""
    return _SECRET_NAME.search(name) is not None or _SECRET_VALUE.match(value.strip()) is not None


def masked(headers: Iterable[tuple[str, str]]) -> Headers:
    """*headers* as they may be shown."""
    return tuple((name, MASK if looks_secret(name, value) else value) for name, value in headers)


def unmasked(headers: Iterable[tuple[str, str]], stored: Iterable[tuple[str, str]]) -> Headers:
    """*headers* with the stored value in the place of every mask: what was shown may be sent back.

    A mask for which nothing is stored stays a mask; a door refuses it.
    """
    known = {name.lower(): value for name, value in stored}
    return tuple((name, known.get(name.lower(), value) if value == MASK else value) for name, value in headers)
