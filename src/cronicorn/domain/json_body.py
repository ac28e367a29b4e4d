"""The body of an answer as JSON, and what counts as a number in it."""

import json
import math
import re
from enum import Enum
from typing import Final, Never, TypeAlias

from cronicorn.domain.call import Outcome

_BLANK = " \t\n\r"
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?")


class Absence(Enum):
    """The type of `ABSENT`."""

    ABSENT = "absent"


ABSENT: Final = Absence.ABSENT
"""There is no JSON; unlike None, which is the JSON `null`."""

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | Absence | None"
"""What JSON can hold, or `ABSENT`."""


def parsed(outcome: Outcome) -> Json:
    """The body of *outcome*; ABSENT when there is none, it was cut, or it is not JSON that others could read too.

    Of a key that comes twice the last one counts. Never raises: NaN and Infinity, integers of thousands of digits,
    halves of surrogate pairs and what is nested too deeply make the whole body ABSENT.
    """
    body = outcome.body
    if body is None or outcome.body_truncated or not outcome.body_is_json:
        return ABSENT
    try:
        if not body.isascii():
            body.encode()
        text = body.strip(_BLANK)
        value: Json
        value, end = _decode(text)
        if end < len(text):
            return ABSENT
        if "\\ud" in body or "\\uD" in body:
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):  # Text that no encoding can carry raises UnicodeEncodeError, a ValueError.
        return ABSENT
    return value


def number_of(value: Json) -> float | None:
    """*value* as a finite number, also when it is the text of one, as in "8.5"; None for all else, `true` included."""
    if type(value) is float:
        return value if math.isfinite(value) else None
    if type(value) is int:
        try:
            return float(value)
        except OverflowError:
            return None
    if type(value) is not str or not _NUMBER.fullmatch(value):
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{name} is not JSON")


_decode = json.JSONDecoder(parse_constant=_refuse_constant).raw_decode
