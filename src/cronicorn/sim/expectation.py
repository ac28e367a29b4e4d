"""What a scenario expects, and whether a simulation was so.

A worker starts what is due within a few milliseconds, never early; a tenth of a second more or less breaks nothing.
"""

import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Protocol, TypeAlias

from cronicorn.domain.condition.kinds import Scalar
from cronicorn.sim.chronicle import Chronicle, Fate, SimulatedCall
from cronicorn.sim.times import clocked, spanned

TOLERANCE = 0.1
_SHOWN_MAX = 5

ValueOf: TypeAlias = Callable[[str, float], Scalar]
"""What a signal was at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Whether an expectation held, and what was seen."""

    held: bool
    seen: str


class Expectation(Protocol):
    """Something that shall be so."""

    name: str
    kind: str

    @abstractmethod
    def judged(self, chronicle: Chronicle, value_of: ValueOf) -> Judgement:
        """Whether it was so in what *chronicle* tells."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """From a number to another, either left open."""

    least: float = -math.inf
    most: float = math.inf

    def hold(self, number: float, tolerance: float = 0.0) -> bool:
        """Whether *number* lies between them."""
        return self.least - tolerance <= number <= self.most + tolerance


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """Which calls an expectation looks at: those of an endpoint in a window, perhaps only those of one fate."""

    endpoint: str
    begin: float = 0.0
    end: float = math.inf
    only: Fate | None = None

    def calls(self, chronicle: Chronicle) -> list[SimulatedCall]:
        """The calls, in the order of their time."""
        return [
            call
            for call in chronicle.of(self.endpoint)
            if self.begin <= call.at < self.end and self.only in {None, call.fate}
        ]

    def times(self, chronicle: Chronicle) -> list[float]:
        """When they were made."""
        return [call.at for call in self.calls(chronicle)]


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstCall(Expectation):
    """The first call in the window comes by an instant."""

    name: str
    watched: Watched
    by: float
    kind: str = "first_call"

    def judged(self, chronicle: Chronicle, value_of: ValueOf) -> Judgement:
        first = next(iter(self.watched.times(chronicle)), None)
        if first is None:
            return Judgement(held=False, seen="never called")
        return Judgement(held=first <= self.by + TOLERANCE, seen=f"first called at {clocked(first)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction(Expectation):
    """By an instant a gap between two calls begins that is as short, or as long, as is wanted."""

    name: str
    watched: Watched
    by: float
    gap: Range
    kind: str = "reaction"

    def judged(self, chronicle: Chronicle, value_of: ValueOf) -> Judgement:
        for before, after in pairwise(self.watched.times(chronicle)):
            if self.gap.hold(after - before, TOLERANCE):
                seen = f"from {clocked(before)} on, then {spanned(after - before)} to the next call"
                return Judgement(held=before <= self.by + TOLERANCE, seen=seen)
        return Judgement(held=False, seen="no such gap")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted(Expectation):
    """So many calls in the window."""

    name: str
    watched: Watched
    bounds: Range
    kind: str = "count"

    def judged(self, chronicle: Chronicle, value_of: ValueOf) -> Judgement:
        times = self.watched.times(chronicle)
        return Judgement(held=self.bounds.hold(len(times)), seen=_counted(times))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spacing(Expectation):
    """Every gap between two calls in the window is neither too short nor too long."""

    name: str
    watched: Watched
    bounds: Range
    kind: str = "spacing"

    def judged(self, chronicle: Chronicle, value_of: ValueOf) -> Judgement:
        times = self.watched.times(chronicle)
        gaps = [(after - before, before) for before, after in pairwise(times)]
        for gap, before in gaps:
            if not self.bounds.hold(gap, TOLERANCE):
                return Judgement(held=False, seen=f"{spanned(gap)} between the calls after {clocked(before)}")
        if not gaps:
            return Judgement(held=True, seen=_counted(times))
        return Judgement(held=True, seen=f"{spanned(min(gaps)[0])} to {spanned(max(gaps)[0])}")


@dataclass(frozen=True, slots=True, kw_only=True)
class UsualGap(Expectation):
    """The usual gap (the median) between two calls in the window is neither too short nor too long."""

    name: str
    watched: Watched
    bounds: Range
    kind: str = "cadence"

    def judged(self, chronicle: Chronicle, value_of: ValueOf) -> Judgement:
        times = self.watched.times(chronicle)
        gaps = [after - before for before, after in pairwise(times)]
        if not gaps:
            return Judgement(held=False, seen=f"{_counted(times)}, so no gap")
        return Judgement(held=self.bounds.hold(median(gaps), TOLERANCE), seen=f"every {spanned(median(gaps))}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Never(Expectation):
    """No call in the window."""

    name: str
    watched: Watched
    kind: str = "never"

    def judged(self, chronicle: Chronicle, value_of: ValueOf) -> Judgement:
        times = self.watched.times(chronicle)
        return Judgement(held=not times, seen=_counted(times))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness(Expectation):
    """No call in the window is later than so much after it was due. A slot that died with its worker is late."""

    name: str
    watched: Watched
    most: float
    kind: str = "lateness"

    def judged(self, chronicle: Chronicle, value_of: ValueOf) -> Judgement:
        calls = self.watched.calls(chronicle)
        lost = {call.slot for call in calls if call.fate is Fate.LOST}
        lost.difference_update(call.slot for call in chronicle.of(self.watched.endpoint) if call.fate is not Fate.LOST)
        if lost:
            return Judgement(held=False, seen=f"slot {min(lost)} was lost, and nobody called it again")
        runs = [call.run for call in calls if call.run is not None]
        if not runs:
            return Judgement(held=True, seen="no calls")
        worst = max((run.started_at - run.due_at).total_seconds() for run in runs)
        return Judgement(held=worst <= self.most + TOLERANCE, seen=f"{spanned(worst)} at most")


@dataclass(frozen=True, slots=True, kw_only=True)
class InOrder(Expectation):
    """The first calls of some endpoints come one after another."""

    name: str
    watched: tuple[Watched, ...]
    kind: str = "order"

    def judged(self, chronicle: Chronicle, value_of: ValueOf) -> Judgement:
        firsts = [next(iter(each.times(chronicle)), math.inf) for each in self.watched]
        seen = ", ".join(
            f"{each.endpoint} {'never' if math.isinf(first) else clocked(first)}"
            for each, first in zip(self.watched, firsts, strict=True)
        )
        held = math.inf not in firsts and all(before < after for before, after in pairwise(firsts))
        return Judgement(held=held, seen=seen)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnlyAfter(Expectation):
    """No call in the window before another endpoint was called."""

    name: str
    watched: Watched
    other: str
    kind: str = "only_after"

    def judged(self, chronicle: Chronicle, value_of: ValueOf) -> Judgement:
        times, others = self.watched.times(chronicle), [call.at for call in chronicle.of(self.other)]
        if not times:
            return Judgement(held=True, seen="never called")
        first = f"{self.other} {clocked(others[0])}" if others else f"{self.other} never"
        return Judgement(
            held=bool(others) and others[0] < times[0], seen=f"first called at {clocked(times[0])}, {first}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalValue(Expectation):
    """A signal, or a piece of state, has a value at an instant."""

    name: str
    signal: str
    at: float
    equal: Scalar | None = None
    bounds: Range = field(default=Range())
    kind: str = "value"

    def judged(self, chronicle: Chronicle, value_of: ValueOf) -> Judgement:
        value = value_of(self.signal, self.at)
        if self.equal is not None:
            return Judgement(held=value == self.equal, seen=_shown(value))
        return Judgement(held=isinstance(value, int | float) and self.bounds.hold(value), seen=_shown(value))


def _counted(times: Sequence[float]) -> str:
    """How many calls there were, and when the first ones."""
    if not times:
        return "no calls"
    more = ", …" if len(times) > _SHOWN_MAX else ""
    shown = ", ".join(clocked(time) for time in times[:_SHOWN_MAX])
    return f"{len(times)} call{'s' if len(times) > 1 else ''}: {shown}{more}"


def _shown(value: Scalar) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else f"{value:.6g}"
