"""Reading the signals of a scenario."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from cronicorn.domain.condition.kinds import FieldKind, Scalar
from cronicorn.domain.json_body import Json
from cronicorn.domain.policy.document_part import Part
from cronicorn.sim.course import (
    CallsSoFar,
    Computed,
    Decay,
    Ramp,
    SignalCourse,
    SinceCall,
    Sine,
    Steps,
    Unchanging,
    kind_of,
)
from cronicorn.sim.expression import is_expression
from cronicorn.sim.filling import expression_at
from cronicorn.sim.giving import check_name, each_of, is_scalar, named, number_at, only_one, seconds_at, timed
from cronicorn.sim.random_course import Autoregressive, EventCount, Events, Levels, Normal, Span, Uniform

SIGNALS_MAX = 200
CHAIN_MAX = 20
NEVER_CALLED = 1e9
_STAY_LEAST = 0.01
_ANCHOR = timedelta(milliseconds=1)
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_EXAMPLE = "a number, text, true, false, an expression such as '=load * 2', or an object such as {ramp: {0s: 1, 1h: 9}}"


@dataclass(slots=True)
class CourseReader:
    """Reads signals, those that others are worked out from first."""

    part: Part
    kinds: dict[str, FieldKind]
    """What expressions may read: state and built-in names, and every signal that has been read."""
    endpoints: tuple[str, ...]
    courses: dict[str, SignalCourse] = field(default_factory=dict)
    _reading: list[str] = field(default_factory=list)
    _depths: dict[str, int] = field(default_factory=dict)
    """How many signals rest on one another below each, itself included."""

    def read(self) -> Mapping[str, SignalCourse]:
        """All signals that can be read, those first that others rest on."""
        for name in self.part.value:
            self._signal(name)
        return self.courses

    def _signal(self, name: str) -> None:
        if name in self.courses or name not in self.part.value:
            return
        if name in self._reading:
            chain = " of ".join([*self._reading[self._reading.index(name) :], name])
            self.part.refuse(name, f"Is worked out from itself: {chain}. Keep one of them as `state`.")
            return
        self._reading.append(name)
        value = self.part.value[name]
        others = sorted(_words_in(value))
        if len(self._reading) <= CHAIN_MAX:
            for other in others:
                self._signal(other)
        self._reading.pop()
        self._depths[name] = 1 + max((self._depths.get(other, 0) for other in others), default=0)
        if self._depths[name] > CHAIN_MAX or len(self._reading) >= CHAIN_MAX:
            self.part.refuse(name, f"At most {CHAIN_MAX} signals can rest one on another.")
            return
        if name not in self.courses:
            course = self.course(self.part, name, value)
            self.courses[name] = course
            self.kinds[name] = course.kind

    def course(self, part: Part, key: str, value: Json) -> SignalCourse:
        """The course that *value*, which stands at *key*, writes; a constant, and refused, when it writes none."""
        if isinstance(value, dict):
            inside = part.part_in(key, value)
            assert inside is not None
            return self._of_object(inside)
        if is_expression(value):
            expression = expression_at(part, key, str(value), self.kinds)
            return Unchanging(value=0.0) if expression is None else Computed(expression=expression)
        if is_scalar(value):
            return Unchanging(value=literal(value))
        part.refuse(key, f"Must be {_EXAMPLE}.")
        return Unchanging(value=0.0)

    def _of_object(self, part: Part) -> SignalCourse:
        readers: dict[str, Callable[[Part], SignalCourse]] = {
            "steps": self._steps, "ramp": _ramp, "decay": _decay, "sine": _sine, "uniform": _uniform,
            "normal": _normal, "ar1": _autoregressive, "events": _events, "levels": _levels,
        }  # fmt: skip
        part.knows(*readers, "calls", "since_call", "never")
        kind = only_one(part, (*readers, "calls", "since_call"), "A signal")
        if "never" in part and kind != "since_call":
            part.refuse("never", "Goes with `since_call`: the seconds before the first call.")
        if kind in {"calls", "since_call"}:
            endpoint = named(part, kind, self.endpoints, "endpoint") or ""
            if kind == "calls":
                return CallsSoFar(endpoint=endpoint)
            return SinceCall(endpoint=endpoint, never=number_at(part, "never", NEVER_CALLED))
        inside = part.part(kind) if kind is not None else None
        return Unchanging(value=0.0) if inside is None or kind is None else readers[kind](inside)

    def _steps(self, part: Part) -> SignalCourse:
        members = timed(part)
        courses = tuple(self.course(part, key, value) for _, key, value in members)
        for (_, key, _), course in zip(members, courses, strict=True):
            if course.kind is not courses[0].kind:
                part.refuse(key, f"A signal is of one kind: this is a {course.kind}, the first a {courses[0].kind}.")
        if not courses:
            return Unchanging(value=0.0)
        return Steps(times=tuple(time for time, _, _ in members), courses=courses)


def _ramp(part: Part) -> SignalCourse:
    points = [(time, number_at(part, key)) for time, key, _ in timed(part)]
    return Ramp(times=tuple(time for time, _ in points), values=tuple(value for _, value in points or [(0.0, 0.0)]))


def _decay(part: Part) -> SignalCourse:
    part.knows("from", "to", "at", "tau")
    return Decay(
        start=number_at(part, "from"), end=number_at(part, "to"), at=seconds_at(part, "at", 0.0),
        tau=seconds_at(part, "tau", low=_ANCHOR),
    )  # fmt: skip


def _sine(part: Part) -> SignalCourse:
    part.knows("mean", "amplitude", "period", "phase")
    return Sine(
        mean=number_at(part, "mean", 0.0), amplitude=number_at(part, "amplitude"),
        period=seconds_at(part, "period", low=_ANCHOR), phase=seconds_at(part, "phase", 0.0),
    )  # fmt: skip


def _uniform(part: Part) -> SignalCourse:
    part.knows("min", "max", "each")
    span = span_of(part)
    return Uniform(low=span.low, high=span.high, each=each_of(part))


def _normal(part: Part) -> SignalCourse:
    part.knows("mean", "sd", "each")
    return Normal(mean=number_at(part, "mean", 0.0), sd=number_at(part, "sd", low=0.0), each=each_of(part))


def _autoregressive(part: Part) -> SignalCourse:
    part.knows("mean", "sd", "phi", "each")
    return Autoregressive(
        mean=number_at(part, "mean", 0.0), sd=number_at(part, "sd", low=0.0),
        phi=number_at(part, "phi", low=-1.0, high=1.0), each=each_of(part),
    )  # fmt: skip


def _events(part: Part) -> SignalCourse:
    part.knows("every", "lasts", "value", "otherwise", "count")
    gap = seconds_at(part, "every", low=timedelta(milliseconds=100))
    if part.flag("count", default=False):
        for key in ("lasts", "value", "otherwise"):
            if key in part:
                part.refuse(key, "Means nothing where events are only counted; take it out.")
        return EventCount(gap_mean=gap)
    lasts = lengths_of(part, "lasts") or Span(low=1.0, high=1.0)
    otherwise = part.value.get("otherwise", False if isinstance(part.value.get("value", True), bool) else 0.0)
    value = _event_value(part)
    kind = FieldKind.NUMBER if isinstance(value, Span) else kind_of(value)
    if not is_scalar(otherwise) or kind_of(otherwise) is not kind:
        part.refuse("otherwise", "Must be of the same kind as `value`.")
        otherwise = 0.0
    return Events(gap_mean=gap, lasts=lasts, value=value, otherwise=literal(otherwise))


def _event_value(part: Part) -> Span | bool | str:
    value = part.value.get("value", True)
    match value:
        case bool() | str():
            return value
        case dict():
            inside = part.part_in("value", value)
            assert inside is not None
            inside.knows("min", "max")
            return span_of(inside)
        case _:
            same = number_at(part, "value")
            return Span(low=same, high=same)


def _levels(part: Part) -> SignalCourse:
    part.knows("values", "start", "stay")
    values = part.value.get("values")
    levels = [each for each in values if is_scalar(each)] if isinstance(values, list) else []
    if not levels or levels != values or len({kind_of(each) for each in levels}) > 1:
        part.refuse("values", "Must be a list of numbers, or of texts, from one end to the other.")
        levels = [0.0]
    start = part.value.get("start", levels[0])
    if start not in levels:
        part.refuse("start", "Must be one of `values`.")
        start = levels[0]
    stay = lengths_of(part, "stay") or Span(low=1.0, high=1.0)
    if stay.low < _STAY_LEAST:
        part.refuse("stay", "Must be at least 10ms.")
    return Levels(values=tuple(map(literal, levels)), start=levels.index(start), stay=stay)


def span_of(part: Part) -> Span:
    """From `min` to `max`."""
    low, high = number_at(part, "min"), number_at(part, "max")
    if low > high:
        part.refuse("min", "Must not be above `max`.")
    return Span(low=low, high=high)


def lengths_of(part: Part, key: str) -> Span | None:
    """The length of time at *key*, or the shortest and the longest one."""
    value = part.value.get(key)
    if isinstance(value, dict):
        inside = part.part_in(key, value)
        assert inside is not None
        inside.knows("min", "max")
        low, high = seconds_at(inside, "min"), seconds_at(inside, "max")
        if low > high:
            inside.refuse("min", "Must not be above `max`.")
        return Span(low=low, high=high)
    length = seconds_at(part, key)
    return Span(low=length, high=length)


def literal(value: Scalar) -> Scalar:
    """*value* as conditions hold it: numbers as floats, a doubled mark of an expression as one."""
    if isinstance(value, str):
        return value[1:] if value.startswith("==") else value
    return value if isinstance(value, bool) else float(value)


def _words_in(value: Json) -> set[str]:
    """The words in all expressions within *value*."""
    match value:
        case str():
            return set(_WORD.findall(value)) if is_expression(value) else set()
        case dict():
            return {word for item in value.values() for word in _words_in(item)}
        case _:
            return set()


def check_endpoints(part: Part, key: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """The names of existing endpoints at *key*: a list, or one."""
    value = part.value.get(key)
    found = part.texts(key, len(names)) if not isinstance(value, str) else (value,)
    for name in found:
        check_name(part, key, name, names, "endpoint")
    return found
