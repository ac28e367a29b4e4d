"""A file's value as JSON: what YAML adds to JSON is turned into text, or refused."""

import math
import re
from collections.abc import Mapping
from datetime import date, datetime

from cronicorn.domain.errors import FieldError, InvalidInputError
from cronicorn.domain.json_body import Json
from cronicorn.domain.json_pointer import json_pointer

_SURROGATE = re.compile("[\ud800-\udfff]")
_BITS_MAX = 1_023
"""A double holds no larger number."""
DEPTH_MAX = 40
PARTS_MAX = 200_000
_WORDS = {True: "on", False: "off"}
"""YAML 1.1 reads these names as booleans; as the name of a member they can only have been meant as text."""


def plain_json(value: object, beginning: str) -> dict[str, Json]:
    """The object that *value* is.

    Raises InvalidInputError for what no JSON can hold, and for what is no object: it should have that *beginning*.
    """
    if value is None or not isinstance(value, Mapping):
        raise _refused("", f"Must be an object: begin with {beginning}.")
    read = _Plain()(value, "", 0)
    assert isinstance(read, dict)
    return read


class _Plain:
    """Reads a value part by part; aliases make a file larger than it looks, so the parts are counted."""

    def __init__(self) -> None:
        self._parts = 0

    def __call__(self, value: object, pointer: str, depth: int) -> Json:
        self._parts += 1
        if depth > DEPTH_MAX or self._parts > PARTS_MAX:
            raise _refused(pointer, "Too large: at most 40 levels, and 200,000 values in all.")
        match value:
            case Mapping():
                return self._members(value, pointer, depth)
            case list() | tuple():
                return [self(item, f"{pointer}/{place}", depth + 1) for place, item in enumerate(value)]
            case str() if _SURROGATE.search(value):
                raise _refused(pointer, "Half of a surrogate pair is no character.")
            case int() if value.bit_length() > _BITS_MAX:
                raise _refused(pointer, "The number is larger than any that JSON's readers agree on.")
            case None | bool() | int() | str():
                return value
            case float() if math.isfinite(value):
                return value
            case date():
                return _text(value)
            case _:
                raise _refused(pointer, f"JSON has no such value as {str(value)[:40]}.")

    def _members(self, members: Mapping[object, object], pointer: str, depth: int) -> Json:
        read: dict[str, Json] = {}
        for key, value in members.items():
            name = _name(key, pointer)
            read[name] = self(value, pointer + json_pointer([name]), depth + 1)
        return read


def _name(key: object, pointer: str) -> str:
    if isinstance(key, bool):
        return _WORDS[key]
    if key is None:
        raise _refused(pointer, "A name must not be empty; write null in quotes where it is one.")
    if isinstance(key, str) and _SURROGATE.search(key):
        raise _refused(pointer, "Half of a surrogate pair is no character.")
    return _text(key) if isinstance(key, date) else str(key)


def _text(instant: date) -> str:
    """An instant or a day as RFC 3339 writes it."""
    return instant.isoformat().replace("+00:00", "Z") if isinstance(instant, datetime) else instant.isoformat()


def _refused(pointer: str, message: str) -> InvalidInputError:
    return InvalidInputError(f"{pointer or '/'}: {message}", fields=(FieldError(pointer=pointer, message=message),))
