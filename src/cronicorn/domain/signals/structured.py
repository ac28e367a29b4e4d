"""Structured fields (RFC 9651), as far as signals need them: lists and dictionaries of items with parameters.

Strict: a field that breaks the grammar anywhere, or uses inner lists or display strings, is no field at all.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple, TypeAlias

from cronicorn.domain.instant import EPOCH

FIELD_CHARACTERS_MAX = 2_000
"""A longer field is not read."""

Bare: TypeAlias = int | float | str | bool | datetime | bytes
"""A value without parameters. Strings and tokens are both text; byte sequences stay encoded."""


class Item(NamedTuple):
    """A value and its parameters."""

    value: Bare
    parameters: Mapping[str, Bare]


class _MalformedError(ValueError):
    pass


_KEY = re.compile(r"[a-z*][a-z0-9_.*-]*")
_BARE = re.compile(
    r"""(?P<number>-?(?:[0-9]{1,12}\.[0-9]{1,3}|[0-9]{1,15}))
    |"(?P<string>(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"
    |(?P<token>[A-Za-z*][A-Za-z0-9!\#$%&'*+.^_`|~:/-]*)
    |:(?P<bytes>[A-Za-z0-9+/=]*):
    |\?(?P<flag>[01])
    |@(?P<date>-?[0-9]{1,15})""",
    re.VERBOSE,
)
_COMMA = re.compile(r"[ \t]*,[ \t]*")
_SEMICOLON = re.compile(r"; *")
_BACKSLASHED = re.compile(r'\\(["\\])')


def items_of(field: str) -> tuple[Item, ...] | None:
    """The members of a List; None when *field* is none."""
    try:
        return tuple(item for _, item in _members(field, keyed=False))
    except _MalformedError:
        return None


def dictionary_of(field: str) -> dict[str, Item] | None:
    """The members of a Dictionary; None when *field* is none. Of a key that comes twice the last one counts."""
    try:
        return dict(_members(field, keyed=True))
    except _MalformedError:
        return None


def _members(field: str, *, keyed: bool) -> list[tuple[str, Item]]:
    text = field.strip(" ")
    if len(text) > FIELD_CHARACTERS_MAX:
        raise _MalformedError
    members: list[tuple[str, Item]] = []
    at = 0
    while at < len(text):
        if members:
            at = _matched(_COMMA, text, at).end()
        key, value = "", None
        if keyed:
            key, value, at = _pair(text, at)
        else:
            value, at = _bare(text, at)
        parameters, at = _parameters(text, at)
        members.append((key, Item(value, parameters)))
    return members


def _parameters(text: str, at: int) -> tuple[dict[str, Bare], int]:
    parameters: dict[str, Bare] = {}
    while semicolon := _SEMICOLON.match(text, at):
        key, parameters_value, at = _pair(text, semicolon.end())
        parameters.pop(key, None)
        parameters[key] = parameters_value
    return parameters, at


def _pair(text: str, at: int) -> tuple[str, Bare, int]:
    """A key and its value; without one it is true."""
    key = _matched(_KEY, text, at)
    if not text.startswith("=", key.end()):
        return key[0], True, key.end()
    value, at = _bare(text, key.end() + 1)
    return key[0], value, at


def _bare(text: str, at: int) -> tuple[Bare, int]:
    match = _matched(_BARE, text, at)
    found = match[match.lastgroup or 0]
    value: Bare
    match match.lastgroup:
        case "number":
            value = float(found) if "." in found else int(found)
        case "string":
            value = _BACKSLASHED.sub(r"\1", found)
        case "bytes":
            value = found.encode()
        case "flag":
            value = found == "1"
        case "date":
            value = _instant(int(found))
        case _:
            value = found
    return value, match.end()


def _instant(seconds: int) -> datetime:
    try:
        return EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        raise _MalformedError from None


def _matched(pattern: re.Pattern[str], text: str, at: int) -> re.Match[str]:
    match = pattern.match(text, at)
    if match is None:
        raise _MalformedError
    return match
