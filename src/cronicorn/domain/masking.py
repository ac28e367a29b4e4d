"""What looks like a credential, in headers, addresses and texts, is masked wherever it is shown. Pure."""

import re
from collections.abc import Iterable
from urllib.parse import unquote_plus, urlsplit

MASK = "********"
"""What is shown in the place of a credential: nothing of it, not even its length."""

_SECRET_NAME = re.compile(
    r"auth|cookie|credential|key|pass(?:word|wd|phrase)|private|secret|session|signature|token", re.IGNORECASE
)
_SECRET_VALUE = re.compile(
    r"(?:basic|bearer|digest|negotiate|token)\s|eyJ[\w-]+\.[\w-]+\.|[a-z]{2}_live_", re.IGNORECASE
)

_SECRET_IN_TEXT = re.compile(
    r"\bbearer\s+[\w.~+/=-]{8,}|\bbasic\s+(?=\S*[\d=])[\w+/=-]{8,}"
    r"|\beyJ[\w-]{4,}\.[\w-]+(?:\.[\w-]*)?"  # a JSON Web Token
    r"|\b(?:sk|pk|rk)[-_][\w-]{8,}|\bgh[opsur]_\w{8,}|\bgithub_pat_\w{8,}|\bxox[a-z]-[\w-]{8,}|\bglpat-[\w-]{8,}"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{12,}"
    r"|(?<=://)[^\s/?#@:]*:[^\s/?#@]+(?=@)",  # a user and a password in an address
    re.IGNORECASE,
)
_KNOWN_LEAST = 6
"""Shorter values stand in texts by chance."""

Headers = tuple[tuple[str, str], ...]


def looks_secret(name: str, value: str) -> bool:
    """Whether the value of the header *name* is, by its name or its form, a credential."""
    return (
        _SECRET_NAME.search(name) is not None
        or _SECRET_VALUE.match(value.strip()) is not None
        or _SECRET_IN_TEXT.search(value) is not None
    )


def masked(headers: Iterable[tuple[str, str]]) -> Headers:
    """*headers* as they may be shown."""
    return tuple((name, MASK if looks_secret(name, value) else value) for name, value in headers)


def secrets_of(url: str, headers: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """What *url* and *headers* give away of their owner's credentials, the longest first: nobody else may see it."""
    address = urlsplit(url)
    found = {address.password or "", *_alone(value for name, value in headers if looks_secret(name, value))}
    for name, _, raw in (each.partition("=") for each in address.query.split("&")):
        if looks_secret(unquote_plus(name), value := unquote_plus(raw)):
            found |= {raw, value}
    return tuple(sorted((each for each in found if len(each) >= _KNOWN_LEAST), key=lambda each: (-len(each), each)))


def _alone(values: Iterable[str]) -> Iterable[str]:
    """*values*, and each of their words, so that `Bearer x` is known as `x`, too."""
    for value in values:
        yield value.strip()
        yield value.strip().rpartition(" ")[2]


def without_credentials(text: str, known: Iterable[str] = ()) -> str:
    """*text* with a mask in the place of *known* credentials, and of what has the form of one."""
    for each in known:
        text = text.replace(each, MASK)
    return _SECRET_IN_TEXT.sub(MASK, text)


def unmasked(headers: Iterable[tuple[str, str]], stored: Iterable[tuple[str, str]]) -> Headers:
    """*headers* with the stored value in the place of every mask: what was shown may be sent back.

    A mask for which nothing is stored stays a mask; a door refuses it.
    """
    known = {name.lower(): value for name, value in stored}
    return tuple((name, known.get(name.lower(), value) if value == MASK else value) for name, value in headers)
