"""What a policy's requests cost, in requests: the calls, the age of what it knows, and what it saw too late.

The age of an answer is charged with 2 cost / target² per second and second, so calling at the target cadence is
exactly optimal, and calling r times as often or as rarely costs (r + 1/r) / 2 times as much. This is
the linear cost of age of information.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.adaptation.world import Integers, Watched, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """The parts of a loss, each in requests."""

    calls: float = 0.0
    age: float = 0.0
    events: float = 0.0
    stale: float = 0.0
    extra: float = 0.0

    @property
    def total(self) -> float:
        return self.calls + self.age + self.events + self.stale + self.extra

    def plus(self, other: "Loss") -> "Loss":
        return Loss(
            calls=self.calls + other.calls, age=self.age + other.age, events=self.events + other.events,
            stale=self.stale + other.stale, extra=self.extra + other.extra,
        )  # fmt: skip


Times = Mapping[str, Sequence[int]]


def loss(world: World, times: Times) -> Loss:
    """The loss of calling each endpoint of *world* at its *times* (ascending seconds below the horizon)."""
    final = after(world, times)
    found = Loss(extra=final.extra)
    for name, watched in final.endpoints.items():
        found = found.plus(endpoint_loss(watched, times.get(name, ())))
    return found


def after(world: World, times: Times) -> World:
    """*world* once all calls at *times* have changed what they change."""
    if world.changed is None:
        return world
    for t, name in sorted((t, name) for name, called in times.items() for t in called):
        world = world.called(name, t)
    return world


def endpoint_loss(watched: Watched, times: Sequence[int]) -> Loss:
    """The part of the loss that one endpoint's own *times* decide. At second 0 its state is known."""
    called = np.asarray(times, dtype=np.int64)
    learnt = called[watched.informative[called]]
    bounds = np.concatenate(([0], learnt, [watched.horizon]))
    return Loss(
        calls=float(watched.cost[called].sum()),
        age=_age(watched, bounds),
        events=_lateness(watched, learnt),
        stale=_staleness(watched, bounds),
    )


def _age(watched: Watched, bounds: Integers) -> float:
    """The integral of weight times age, exact for a weight that is constant within each second."""
    seconds = np.arange(watched.horizon)
    last_known = np.repeat(bounds[:-1], np.diff(bounds))
    return float((watched.weight * (seconds + 0.5 - last_known)).sum())


def _lateness(watched: Watched, learnt: Integers) -> float:
    if not watched.events:
        return 0.0
    events = np.asarray(watched.events, dtype=np.int64)
    ends = np.append(learnt, watched.horizon)
    return watched.event_weight * float((ends[np.searchsorted(learnt, events)] - events).sum())


def _staleness(watched: Watched, bounds: Integers) -> float:
    if not watched.changes:
        return 0.0
    unseen_from = next_change(watched, bounds[:-1])
    return watched.stale_weight * float(np.maximum(0, bounds[1:] - unseen_from).sum())


def next_change(watched: Watched, seconds: Integers) -> Integers:
    """For each of *seconds* the first later content change, or the horizon."""
    changes = np.append(np.asarray(watched.changes, dtype=np.int64), watched.horizon)
    return changes[np.searchsorted(changes[:-1], seconds, side="right")]
