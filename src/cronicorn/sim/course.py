"""How a value runs its course over the time of a scenario. Times are seconds since its start."""

import math
from abc import abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from cronicorn.domain.condition.kinds import FieldKind, Scalar, Values
from cronicorn.sim.chance import Chance
from cronicorn.sim.expression import Expression

ValueAt: TypeAlias = Callable[[float], Scalar]
"""The value at a time."""
_NOTHING: Mapping[FieldKind, Scalar] = {FieldKind.NUMBER: 0.0, FieldKind.BOOL: False, FieldKind.STRING: ""}


class Surroundings(Protocol):
    """What a course may look at."""

    def values_at(self, time: float) -> Values:
        """All signals and all state at *time*."""
        ...

    def calls_of(self, endpoint: str) -> Sequence[float]:
        """When *endpoint* was called, as far as the simulation has come."""
        ...


class SignalCourse(Protocol):
    """The course of one value, before chance and the calls to come have made it definite."""

    @property
    def kind(self) -> FieldKind:
        """What the value is."""
        return FieldKind.NUMBER

    @abstractmethod
    def begun(self, chance: Chance, around: Surroundings) -> ValueAt:
        """The course as *chance* and what is *around* make it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchanging(SignalCourse):
    """Always the same."""

    value: Scalar

    @property
    def kind(self) -> FieldKind:
        return kind_of(self.value)

    def begun(self, chance: Chance, around: Surroundings) -> ValueAt:
        return lambda _time: self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps(SignalCourse):
    """One course after another, each from its time on."""

    times: tuple[float, ...]
    courses: tuple[SignalCourse, ...]

    @property
    def kind(self) -> FieldKind:
        return self.courses[0].kind

    def begun(self, chance: Chance, around: Surroundings) -> ValueAt:
        courses = [course.begun(chance, around) for course in self.courses]

        def value_at(time: float) -> Scalar:
            return courses[max(0, bisect_right(self.times, time) - 1)](time)

        return value_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Ramp(SignalCourse):
    """Straight lines from point to point, level before the first and after the last."""

    times: tuple[float, ...]
    values: tuple[float, ...]

    def begun(self, chance: Chance, around: Surroundings) -> ValueAt:
        return self.value_at

    def value_at(self, time: float) -> Scalar:
        """The value at *time*."""
        place = bisect_right(self.times, time)
        if place == 0 or place == len(self.times):
            return self.values[0 if place == 0 else -1]
        before, after = self.times[place - 1], self.times[place]
        low, high = self.values[place - 1], self.values[place]
        return low + (high - low) * (time - before) / (after - before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decay(SignalCourse):
    """From one value towards another, exponentially from `at` on: by 63 % (1 - 1/e) of what is left in each `tau`."""

    start: float
    end: float
    at: float
    tau: float

    def begun(self, chance: Chance, around: Surroundings) -> ValueAt:
        return lambda time: self.end + (self.start - self.end) * math.exp(-max(0.0, time - self.at) / self.tau)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sine(SignalCourse):
    """Up and down around a mean; it goes up through the mean at `phase`."""

    mean: float
    amplitude: float
    period: float
    phase: float = 0.0

    def begun(self, chance: Chance, around: Surroundings) -> ValueAt:
        turn = 2.0 * math.pi / self.period
        return lambda time: self.mean + self.amplitude * math.sin(turn * (time - self.phase))


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed(SignalCourse):
    """Worked out from other signals; where they leave it unknown, 0, false or no text."""

    expression: Expression

    @property
    def kind(self) -> FieldKind:
        return self.expression.kind

    def begun(self, chance: Chance, around: Surroundings) -> ValueAt:
        nothing = _NOTHING[self.kind]

        def value_at(time: float) -> Scalar:
            value = self.expression.of(around.values_at(time))
            return nothing if value is None else value

        return value_at


@dataclass(frozen=True, slots=True, kw_only=True)
class CallsSoFar(SignalCourse):
    """How often an endpoint has been called."""

    endpoint: str

    def begun(self, chance: Chance, around: Surroundings) -> ValueAt:
        calls = around.calls_of(self.endpoint)
        return lambda time: float(bisect_right(calls, time))


@dataclass(frozen=True, slots=True, kw_only=True)
class SinceCall(SignalCourse):
    """Seconds since an endpoint was last called; `never` before that."""

    endpoint: str
    never: float

    def begun(self, chance: Chance, around: Surroundings) -> ValueAt:
        calls = around.calls_of(self.endpoint)

        def value_at(time: float) -> Scalar:
            place = bisect_right(calls, time)
            return time - calls[place - 1] if place else self.never

        return value_at


def kind_of(value: Scalar) -> FieldKind:
    """What *value* is."""
    if isinstance(value, bool):
        return FieldKind.BOOL
    return FieldKind.STRING if isinstance(value, str) else FieldKind.NUMBER
