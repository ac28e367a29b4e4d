"""Values that chance decides: noise, events, and levels that are left for a neighbour."""

import math
from bisect import bisect_right
from dataclasses import dataclass

from cronicorn.domain.condition.kinds import FieldKind, Scalar
from cronicorn.sim.chance import Chance
from cronicorn.sim.course import SignalCourse, Surroundings, ValueAt, kind_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Uniform(SignalCourse):
    """Anywhere between two numbers, drawn anew each so often."""

    low: float
    high: float
    each: float

    def begun(self, chance: Chance, around: Surroundings) -> ValueAt:
        return lambda time: chance.between(self.low, self.high, int(time // self.each))


@dataclass(frozen=True, slots=True, kw_only=True)
class Normal(SignalCourse):
    """Normal noise, drawn anew each so often."""

    mean: float
    sd: float
    each: float

    def begun(self, chance: Chance, around: Surroundings) -> ValueAt:
        return lambda time: self.mean + self.sd * chance.normal(int(time // self.each))


@dataclass(frozen=True, slots=True, kw_only=True)
class Autoregressive(SignalCourse):
    """Noise that remembers, AR(1): a step keeps the share `phi` of the last deviation. `sd` is that of all values."""

    mean: float
    sd: float
    phi: float
    each: float

    def begun(self, chance: Chance, around: Surroundings) -> ValueAt:
        new = self.sd * math.sqrt(1.0 - self.phi**2)
        deviations = [self.sd * chance.normal(0)]

        def value_at(time: float) -> Scalar:
            place = int(time // self.each)
            while len(deviations) <= place:
                deviations.append(self.phi * deviations[-1] + new * chance.normal(len(deviations)))
            return self.mean + deviations[place]

        return value_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From a number to another."""

    low: float
    high: float

    def drawn(self, chance: Chance, number: int, which: str) -> float:
        """Number *number* of those between."""
        return chance.between(self.low, self.high, number, which)


@dataclass(frozen=True, slots=True, kw_only=True)
class Events(SignalCourse):
    """Events that come at random, a Poisson process: a value while the latest lasts, and another one otherwise."""

    gap_mean: float
    lasts: Span
    value: Span | bool | str
    otherwise: Scalar

    @property
    def kind(self) -> FieldKind:
        return kind_of(self.otherwise)

    def begun(self, chance: Chance, around: Surroundings) -> ValueAt:
        begins = Beginnings(chance, self.gap_mean)

        def value_at(time: float) -> Scalar:
            number = begins.by(time)
            if not number or time >= begins.times[number - 1] + self.lasts.drawn(chance, number, "lasts"):
                return self.otherwise
            return self.value.drawn(chance, number, "value") if isinstance(self.value, Span) else self.value

        return value_at


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCount(SignalCourse):
    """How many events have come at random so far."""

    gap_mean: float

    def begun(self, chance: Chance, around: Surroundings) -> ValueAt:
        begins = Beginnings(chance, self.gap_mean)
        return lambda time: float(begins.by(time))


class Beginnings:
    """When events begin that come at random, worked out as far as asked."""

    def __init__(self, chance: Chance, gap_mean: float) -> None:
        self._chance = chance
        self._gap_mean = gap_mean
        self.times: list[float] = []

    def by(self, time: float) -> int:
        """How many have begun by *time*."""
        while not self.times or self.times[-1] <= time:
            last = self.times[-1] if self.times else 0.0
            self.times.append(last + self._chance.waited(self._gap_mean, len(self.times)))
        return bisect_right(self.times, time)


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels(SignalCourse):
    """One of some levels; after a stay it goes up or down by one (a birth-death process)."""

    values: tuple[Scalar, ...]
    start: int
    stay: Span

    @property
    def kind(self) -> FieldKind:
        return kind_of(self.values[0])

    def begun(self, chance: Chance, around: Surroundings) -> ValueAt:
        ends, places = [self.stay.drawn(chance, 0, "stay")], [self.start]

        def value_at(time: float) -> Scalar:
            while ends[-1] <= time:
                number = len(ends)
                places.append(self._neighbour(places[-1], chance.fraction(number, "way")))
                ends.append(ends[-1] + self.stay.drawn(chance, number, "stay"))
            return self.values[places[bisect_right(ends, time)]]

        return value_at

    def _neighbour(self, place: int, fraction: float) -> int:
        if place in {0, len(self.values) - 1}:
            return abs(place - 1) if len(self.values) > 1 else 0
        return place + (1 if fraction < 0.5 else -1)  # noqa: PLR2004 (either way is as likely)
