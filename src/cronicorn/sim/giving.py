"""What the parts of a scenario give: numbers, times and values, refused where they stand."""

import math
from collections.abc import Iterable
from datetime import timedelta
from typing import TypeGuard

from cronicorn.domain.condition.kinds import Scalar
from cronicorn.domain.durations import show_duration
from cronicorn.domain.instant import ZERO
from cronicorn.domain.json_body import Json
from cronicorn.domain.nearest import meant_or, nearest
from cronicorn.domain.policy.document_part import Part, length_of

LENGTH_MAX = timedelta(days=366)
DESCRIPTION_MAX = 2_000


def number_at(part: Part, key: str, default: float | None = None, low: float = -1e15, high: float = 1e15) -> float:
    """The number at *key*. Without a *default* it has to be there."""
    value = part.value.get(key)
    if value is None and default is not None:
        return default
    if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
        return float(value)
    bounds = "" if low <= -1e15 else f" of at least {low:g}" + (f" and at most {high:g}" if high < 1e15 else "")  # noqa: PLR2004
    part.refuse(key, f"Must be a number{bounds}." if value is not None else f"Give `{key}`, a number.")
    return 1.0 if default is None else default


def seconds_at(part: Part, key: str, default: float | None = None, low: timedelta = ZERO) -> float:
    """The length of time, or the time since the start, at *key*. Without a *default* it has to be there."""
    if key not in part:
        if default is None:
            part.refuse(key, f"Give `{key}`, a length of time such as 90s or 1h30m.")
        return 1.0 if default is None else default
    length = part.length(key, low, LENGTH_MAX)
    return 1.0 if length is None else length.total_seconds()


def each_of(part: Part) -> float:
    """How often a number is drawn anew."""
    return seconds_at(part, "each", 1.0, timedelta(milliseconds=10))


def scalar(part: Part, key: str) -> Scalar | None:
    """The number, text or truth value at *key*."""
    value = part.value.get(key)
    if is_scalar(value):
        return value
    part.refuse(key, "Must be a number, text, true or false.")
    return None


def is_scalar(value: Json) -> TypeGuard[Scalar]:
    """Whether *value* is a single number, text or truth value."""
    return isinstance(value, bool | str | int) or (isinstance(value, float) and math.isfinite(value))


def only_one(part: Part, kinds: Iterable[str], what: str) -> str | None:
    """The one of *kinds* that *part* gives; None, and refused, when there is none or there are several."""
    kinds = tuple(kinds)
    given = [kind for kind in kinds if kind in part]
    if len(given) == 1:
        return given[0]
    if given:
        part.refuse("", f"{what} is one thing: {' or '.join(given)}, not both.")
    elif not any(nearest(key, kinds) for key in part.value):
        part.refuse("", f"Say what {what.lower()} is: one of {', '.join(kinds)}.")
    return None


def named(part: Part, key: str, names: Iterable[str], what: str) -> str | None:
    """The name of an existing *what* at *key*."""
    name = part.text(key, 255)
    if name is None:
        if key not in part:
            part.refuse(key, f"Name the {what}.")
        return None
    check_name(part, key, name, names, what)
    return name


def check_name(part: Part, key: str, name: str, names: Iterable[str], what: str) -> None:
    """Refuse *name*, which stands at *key*, unless it is one of *names*."""
    names = tuple(names)
    if name not in names:
        advice = meant_or(name, names, f"There are: {', '.join(names[:20]) or 'none'}.")
        part.refuse(key, f"There is no {what} {name}. {advice}")


def timed(part: Part) -> list[tuple[float, str, Json]]:
    """The members of a part whose keys are times, in their order, each with its key."""
    found: list[tuple[float, str, Json]] = []
    for key, value in part.value.items():
        length = length_of(key)
        if length is None or not ZERO <= length <= LENGTH_MAX:
            part.refuse(key, f"Must be a time since the start such as 0s or 5m, at most {show_duration(LENGTH_MAX)}.")
        elif length.total_seconds() in {time for time, _, _ in found}:
            part.refuse(key, "This time stands here for the second time.")
        else:
            found.append((length.total_seconds(), key, value))
    if not found and not part.value:
        part.refuse("", "Give at least one time with its value, such as {0s: 5}.")
    return sorted(found, key=lambda each: each[0])
