"""Taking the value of a field for what its kind says, or for unknown."""

import math
from collections.abc import Callable, Mapping

from cronicorn.domain.condition.kinds import FieldKind, Scalar


def as_number(value: object) -> float | None:
    """*value* as a double; an integer that no double holds is an infinity."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def as_string(value: object) -> str | None:
    """*value* if it is a string."""
    return value if isinstance(value, str) else None


def as_flag(value: object) -> bool | None:
    """*value* if it is true or false."""
    return value if isinstance(value, bool) else None


READERS: Mapping[FieldKind, Callable[[object], Scalar | None]] = {
    FieldKind.NUMBER: as_number, FieldKind.STRING: as_string, FieldKind.BOOL: as_flag,
}  # fmt: skip
