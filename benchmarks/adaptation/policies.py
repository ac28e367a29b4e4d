"""Policies to compare with that need nothing of the product but its planner."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from benchmarks.adaptation.world import Advice, Response, World

HINT_LIFE = 3_600
"""Seconds that a hint lives unless it is written anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One call and its answer."""

    name: str
    t: int
    response: Response


History = Sequence[Answered]
"""All answers so far, oldest first."""


class Policy(Protocol):
    """Turns answers into what is asked of endpoints."""

    def next(self, t: int, history: History) -> Mapping[str, Advice]:
        """What is asked from second *t* on, by endpoint. It replaces what was asked before of the endpoints named."""
        ...


class Fixed:
    """Asks for nothing: the baseline alone."""

    def next(self, t: int, history: History) -> Mapping[str, Advice]:
        return {}


@dataclass(slots=True)
class Aimd:
    """Halves the interval when the content changed or the server failed, and adds an eighth of the baseline otherwise.

    A refusal (429) is neither: it tells nothing of what is watched.
    """

    world: World
    intervals: dict[str, float] = field(default_factory=dict)
    bodies: dict[str, Response] = field(default_factory=dict)

    def next(self, t: int, history: History) -> Mapping[str, Advice]:
        name, response = history[-1].name, history[-1].response
        watched = self.world.endpoints[name]
        before = self.bodies.get(name)
        interval = self.intervals.get(name, float(watched.baseline))
        changed = before is not None and before.body != response.body and response.status != 429
        grown = interval / 2 if changed or response.status >= 500 else interval + watched.baseline / 8
        ceiling = watched.interval_max or watched.baseline
        self.intervals[name] = interval = min(max(grown, watched.interval_min), ceiling)
        if response.status != 429:
            self.bodies[name] = response
        return {name: Advice(interval=round(interval))}
