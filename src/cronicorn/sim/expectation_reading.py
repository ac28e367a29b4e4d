"""Reading what a scenario expects."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from cronicorn.domain.condition.kinds import FieldKind, Scalar
from cronicorn.domain.policy.document_part import Part
from cronicorn.sim.chronicle import Fate
from cronicorn.sim.course import kind_of
from cronicorn.sim.course_reading import check_endpoints, literal
from cronicorn.sim.expectation import (
    Counted,
    Expectation,
    FirstCall,
    InOrder,
    Lateness,
    Never,
    OnlyAfter,
    Range,
    Reaction,
    SignalValue,
    Spacing,
    UsualGap,
    Watched,
)
from cronicorn.sim.giving import check_name, named, number_at, only_one, scalar, seconds_at

EXPECTATIONS_MAX = 500
_WINDOW = ("from", "until")
_NAME_MAX = 200
_OPEN = Range()


@dataclass(frozen=True, slots=True)
class ExpectationReader:
    """Reads expectations of *endpoints*, and of signals and state of *kinds*, in a scenario of so many seconds."""

    endpoints: tuple[str, ...]
    kinds: dict[str, FieldKind]
    length: float

    def read(self, part: Part) -> tuple[Expectation, ...]:
        """What stands under `expect`."""
        found = [self._expectation(each) for each in part.parts("expect", EXPECTATIONS_MAX)]
        return tuple(each for each in found if each is not None)

    def _expectation(self, part: Part) -> Expectation | None:
        readers: dict[str, Callable[[Part, str, Watched], Expectation | None]] = {
            "first_call": self._first_call, "reaction": self._reaction, "not_before": self._not_before,
            "count": self._count, "spacing": self._spacing, "cadence": self._cadence, "never": self._never,
            "lateness": self._lateness, "only_after": self._only_after,
        }  # fmt: skip
        part.knows("name", "endpoint", "signal", "only", *readers, "order", "value")
        if "name" not in part:
            part.refuse("name", "Give the expectation a name: a sentence that says what shall be.")
        name = part.text("name", _NAME_MAX) or "?"
        kind = only_one(part, (*readers, "order", "value"), "The expectation")
        if kind is None:
            return None
        if kind == "value":
            return self._value(part, name)
        if kind == "order":
            return self._order(part, name)
        if "signal" in part:
            part.refuse("signal", "Goes with `value`.")
        watched = Watched(
            endpoint=named(part, "endpoint", self.endpoints, "endpoint") or "", only=part.choice("only", Fate)
        )
        return readers[kind](part, name, watched)

    def _first_call(self, part: Part, name: str, watched: Watched) -> Expectation | None:
        inside = self._inside(part, "first_call", "after", "by")
        if inside is None:
            return None
        watched = replace(watched, begin=self._time(inside, "after", 0.0))
        return FirstCall(name=name, watched=watched, by=self._time(inside, "by"))

    def _reaction(self, part: Part, name: str, watched: Watched) -> Expectation | None:
        inside = self._inside(part, "reaction", "after", "by", "gap_at_most", "gap_at_least")
        if inside is None:
            return None
        gap = _lengths(inside, "gap_at_least", "gap_at_most")
        if gap == _OPEN:
            inside.refuse("", "Say which gap is the reaction: gap_at_most, gap_at_least or both.")
        watched = replace(watched, begin=self._time(inside, "after", 0.0))
        return Reaction(name=name, watched=watched, by=self._time(inside, "by"), gap=gap)

    def _not_before(self, part: Part, name: str, watched: Watched) -> Expectation:
        return Never(name=name, watched=replace(watched, end=self._time(part, "not_before")), kind="not_before")

    def _count(self, part: Part, name: str, watched: Watched) -> Expectation | None:
        inside = self._inside(part, "count", *_WINDOW, "at_least", "at_most")
        if inside is None:
            return None
        bounds = Range(
            least=number_at(inside, "at_least", -math.inf, 0.0), most=number_at(inside, "at_most", math.inf, 0.0)
        )
        return Counted(name=name, watched=self._window(inside, watched), bounds=_some(inside, bounds))

    def _spacing(self, part: Part, name: str, watched: Watched) -> Expectation | None:
        inside = self._inside(part, "spacing", *_WINDOW, "at_least", "at_most")
        if inside is None:
            return None
        bounds = _some(inside, _lengths(inside, "at_least", "at_most"))
        return Spacing(name=name, watched=self._window(inside, watched), bounds=bounds)

    def _cadence(self, part: Part, name: str, watched: Watched) -> Expectation | None:
        inside = self._inside(part, "cadence", *_WINDOW, "at_least", "at_most")
        if inside is None:
            return None
        bounds = _some(inside, _lengths(inside, "at_least", "at_most"))
        return UsualGap(name=name, watched=self._window(inside, watched), bounds=bounds)

    def _never(self, part: Part, name: str, watched: Watched) -> Expectation | None:
        if part.value["never"] is True:
            return Never(name=name, watched=watched)
        inside = self._inside(part, "never", *_WINDOW)
        return None if inside is None else Never(name=name, watched=self._window(inside, watched))

    def _lateness(self, part: Part, name: str, watched: Watched) -> Expectation | None:
        inside = self._inside(part, "lateness", *_WINDOW, "at_most")
        if inside is None:
            return None
        return Lateness(name=name, watched=self._window(inside, watched), most=seconds_at(inside, "at_most"))

    def _only_after(self, part: Part, name: str, watched: Watched) -> Expectation:
        other = named(part, "only_after", self.endpoints, "endpoint") or ""
        return OnlyAfter(name=name, watched=watched, other=other)

    def _order(self, part: Part, name: str) -> Expectation | None:
        for key in ("endpoint", "signal"):
            if key in part:
                part.refuse(key, "An order names its endpoints by itself; take this out.")
        inside, begin, end = part, 0.0, math.inf
        if isinstance(part.value["order"], dict):
            found = self._inside(part, "order", "calls", *_WINDOW)
            if found is None:
                return None
            inside, window = found, self._window(found, Watched(endpoint=""))
            begin, end = window.begin, window.end
        names = check_endpoints(inside, "order" if inside is part else "calls", self.endpoints)
        if len(names) < 2:  # noqa: PLR2004
            part.refuse("order", "Name at least two endpoints, the one that is called first first.")
        only = part.choice("only", Fate)
        return InOrder(
            name=name, watched=tuple(Watched(endpoint=each, begin=begin, end=end, only=only) for each in names)
        )

    def _value(self, part: Part, name: str) -> Expectation | None:
        for key in ("endpoint", "only"):
            if key in part:
                part.refuse(key, "A value is that of a `signal`; take this out.")
        signal = part.text("signal")
        if signal is None:
            part.refuse("signal", "Name the signal or the state.")
            return None
        check_name(part, "signal", signal, self.kinds, "signal or state")
        inside = self._inside(part, "value", "at", "is", "at_least", "at_most")
        if inside is None:
            return None
        equal = self._equal(inside, self.kinds.get(signal)) if "is" in inside else None
        bounds = Range(least=number_at(inside, "at_least", -math.inf), most=number_at(inside, "at_most", math.inf))
        if equal is None:
            _some(inside, bounds)
        return SignalValue(name=name, signal=signal, at=self._time(inside, "at"), equal=equal, bounds=bounds)

    @staticmethod
    def _equal(part: Part, kind: FieldKind | None) -> Scalar:
        value = scalar(part, "is")
        if value is not None and kind not in {None, kind_of(value)}:
            part.refuse("is", f"Must be a {kind}.")
        return False if value is None else literal(value)

    @staticmethod
    def _inside(part: Part, kind: str, *keys: str) -> Part | None:
        inside = part.part(kind)
        if inside is not None:
            inside.knows(*keys)
        return inside

    def _time(self, part: Part, key: str, default: float | None = None) -> float:
        """A time within the scenario: what lies beyond its end could never be seen."""
        time = seconds_at(part, key, default)
        if time > self.length:
            part.refuse(key, "Lies after the end of the scenario; see `length`.")
        return time

    def _window(self, part: Part, watched: Watched) -> Watched:
        begin, end = self._time(part, "from", 0.0), self._time(part, "until", self.length)
        if end <= begin:
            part.refuse("until", "Must be after `from`.")
        return replace(watched, begin=begin, end=end)


def _lengths(part: Part, least: str, most: str) -> Range:
    low = seconds_at(part, least) if least in part else -math.inf
    return Range(least=low, most=seconds_at(part, most) if most in part else math.inf)


def _some(part: Part, bounds: Range) -> Range:
    if bounds == _OPEN:
        part.refuse("", "Say what is expected: at_least, at_most or both.")
    if bounds.least > bounds.most:
        part.refuse("at_least", "Must not be above `at_most`.")
    return bounds
