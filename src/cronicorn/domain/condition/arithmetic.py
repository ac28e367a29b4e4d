"""Calculating as CEL does: with IEEE doubles that never raise, and letters of ASCII."""

import math
import operator
from collections.abc import Callable, Mapping

_LOWER = {ord(upper): ord(upper) + 32 for upper in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def quotient(left: float, right: float) -> float:
    """*left* / *right*; by zero an infinity, or NaN for 0 / 0 (IEEE 754)."""
    if right != 0.0:
        return left / right
    if left == 0.0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def remainder(left: float, right: float) -> float | None:
    """What is left of *left* after taking *right* from it as often as it fits, with the sign of *left*.

    Unknown for a divisor of zero and for what is not finite: CEL has `%` for whole numbers only, where both are errors.
    """
    if right == 0.0 or not math.isfinite(left) or not math.isfinite(right):
        return None
    return math.fmod(left, right) + 0.0  # whole numbers have no -0


def lower_ascii(text: str) -> str:
    """*text* with A to Z in lower case, and no other letter changed."""
    return text.lower() if text.isascii() else text.translate(_LOWER)


ARITHMETIC: Mapping[str, Callable[[float, float], float | None]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": quotient, "%": remainder,
}  # fmt: skip
