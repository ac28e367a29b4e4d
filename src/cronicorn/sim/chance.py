"""Chance that is the same in every process: a function of the seed, what it is for, and a number."""

import math

from cronicorn.domain.instant import stable_fraction


class Chance:
    """Random numbers for one purpose. Which ones were drawn before makes no difference."""

    def __init__(self, seed: int, purpose: str) -> None:
        self._seed = str(seed)
        self._purpose = purpose

    def fraction(self, number: int, which: str = "") -> float:
        """Number *number* of the even spread over [0, 1)."""
        return stable_fraction(self._seed, self._purpose, which, str(number))

    def between(self, low: float, high: float, number: int, which: str = "") -> float:
        """Number *number* of the even spread over [*low*, *high*)."""
        return low + (high - low) * self.fraction(number, which)

    def normal(self, number: int) -> float:
        """Number *number* of the standard normal distribution (Box and Muller 1958)."""
        radius = math.sqrt(-2.0 * math.log(1.0 - self.fraction(number, "radius")))
        return radius * math.cos(2.0 * math.pi * self.fraction(number, "angle"))

    def waited(self, mean: float, number: int) -> float:
        """Number *number* of the waits between events that come at random, *mean* apart (exponential)."""
        return -mean * math.log(1.0 - self.fraction(number, "wait"))
