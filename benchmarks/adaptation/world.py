"""Worlds: what is true at each second, what an endpoint would answer then, and what calling it changes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cronicorn.domain.json_body import Json

Reals = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What a call returns: all that a policy ever sees."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Json] = field(default_factory=dict)
    raw: bytes | None = None
    """What comes instead of `body`, where that is not a body at all."""

    @property
    def failed(self) -> bool:
        return self.status >= 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What somebody who understands an answer asks for one endpoint. All None: nothing but the baseline."""

    interval: int | None = None
    once_at: int | None = None
    pause_until: int | None = None

    @property
    def quiet(self) -> bool:
        """Nothing is asked for."""
        return self.interval is None and self.once_at is None and self.pause_until is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """An endpoint and the truth about it at each second. Lengths are in seconds, costs in requests."""

    name: str
    description: str
    """What its owner asks for."""
    baseline: int
    interval_min: int
    interval_max: int | None
    states: tuple[str, ...]
    label: Integers
    """The true state: an index into `states`."""
    target: Reals
    """The cadence that the description asks for in the true state."""
    weight: Reals
    """What one second of age costs per second."""
    cost: Reals
    """What a request costs."""
    informative: Flags
    """Whether an answer tells anything."""
    events: tuple[int, ...] = ()
    """Seconds of what must be seen, each costing `event_weight` per second until it is."""
    event_weight: float = 0.0
    changes: tuple[int, ...] = ()
    """Seconds at which the content changes; a second with an unseen change costs `stale_weight`."""
    stale_weight: float = 0.0

    @property
    def horizon(self) -> int:
        return self.label.size

    @property
    def transitions(self) -> tuple[int, ...]:
        """The first second of each true state but the first."""
        return tuple(int(at) + 1 for at in np.flatnonzero(np.diff(self.label)))


Answer = Callable[[str, int], Response]
Advise = Callable[[str, int], Mapping[str, Advice]]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One scenario under one seed: the same for every policy, but for what a policy's own calls change."""

    name: str
    seed: int
    horizon: int
    endpoints: Mapping[str, Watched]
    answer: Answer
    """The answer of an endpoint called at a second; pure."""
    advise: Advise | None = None
    """What perfect knowledge asks for after a call; None: the target of the state the call found."""
    read: Advise | None = None
    """What a perfect reader makes of the answer; None: the same as perfect knowledge."""
    changed: "Callable[[str, int], World] | None" = None
    """The world after a call, where calls change it."""
    ideal_calls: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """When the best policy makes the calls that change the world."""
    extra: float = 0.0
    """What has been lost so far, or will be, whatever else is called."""
    words: frozenset[str] = frozenset()
    """Names of string fields that a description gives a meaning to."""

    def respond(self, name: str, t: int) -> Response:
        """What *name* answers when called at second *t*."""
        return self.answer(name, t)

    def called(self, name: str, t: int) -> "World":
        """The world once *name* has been called at second *t*."""
        return self if self.changed is None else self.changed(name, t)

    def advice(self, name: str, t: int) -> Mapping[str, Advice]:
        """What perfect knowledge asks for when *name* was called at second *t*."""
        return self._stated(name, t) if self.advise is None else self.advise(name, t)

    def reading(self, name: str, t: int) -> Mapping[str, Advice]:
        """What a perfect reader of the answer that *name* gave at second *t* asks for."""
        return self.advice(name, t) if self.read is None else self.read(name, t)

    def _stated(self, name: str, t: int) -> Mapping[str, Advice]:
        return {name: stated(self.endpoints[name], t)}


def stated(watched: Watched, t: int) -> Advice:
    """The cadence asked for in the state of second *t*; nothing where that is the baseline."""
    target = round(float(watched.target[t]))
    return Advice(interval=None if target == watched.baseline else target)


def weight_for(target: Reals, cost: Reals) -> Reals:
    """The price of age at which *target* is the cheapest constant cadence: 2 cost / target²."""
    return 2 * cost / target**2


def watched(
    name: str,
    limits: tuple[int, int, int | None],
    label: Integers,
    states: Mapping[str, float],
    **more: object,
) -> Watched:
    """A `Watched` from its *limits* (baseline, minimum, maximum) and its *states* with their targets.

    Unless *more* says otherwise a request costs 1, every answer is informative, and the weight follows from both.
    """
    target = np.array(list(states.values()), dtype=np.float64)[label]
    cost = more.pop("cost", None)
    paid = cost if isinstance(cost, np.ndarray) else np.ones(label.size)
    baseline, interval_min, interval_max = limits
    values: dict[str, object] = {
        "name": name, "description": "", "baseline": baseline, "interval_min": interval_min,
        "interval_max": interval_max, "states": tuple(states), "label": label, "target": target,
        "weight": weight_for(target, paid), "cost": paid, "informative": np.ones(label.size, dtype=np.bool_),
    }  # fmt: skip
    return Watched(**(values | more))  # type: ignore[arg-type]
