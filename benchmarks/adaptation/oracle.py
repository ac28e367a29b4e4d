"""The best that anybody could have done with full knowledge: exact, by dynamic programming over the seconds."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.adaptation.loss import after, endpoint_loss, next_change
from benchmarks.adaptation.world import Integers, Reals, Watched, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The least loss that any requests reach, and requests that reach it."""

    loss: float
    times: Mapping[str, tuple[int, ...]]


def oracle(world: World) -> Best:
    """The least possible loss in *world*, with gaps between minimum and maximum.

    The calls that change the world are made when they do most good at once, which leaves every other endpoint's
    problem no harder than any other choice would.
    """
    final = after(world, world.ideal_calls)
    total, times = final.extra, dict(world.ideal_calls)
    for name, watched in final.endpoints.items():
        if name in world.ideal_calls:
            total += endpoint_loss(watched, world.ideal_calls[name]).total
        else:
            found, times[name] = endpoint_oracle(watched)
            total += found
    return Best(loss=total, times=times)


def endpoint_oracle(watched: Watched) -> tuple[float, tuple[int, ...]]:
    """The least loss of one endpoint, with the informative calls that reach it. Others would only cost."""
    problem = _Problem.of(watched)
    horizon = watched.horizon
    least = np.full(horizon + 1, np.inf)
    came_from = np.zeros(horizon + 1, dtype=np.int64)
    ready = np.full(horizon + 1, np.inf)
    least[0], ready[0] = 0.0, 0.0
    for second in range(1, horizon + 1):
        ends = second == horizon
        if not ends and not watched.informative[second]:
            continue
        first, last = problem.earliest[second], second - (1 if ends else watched.interval_min)
        if last < first:
            continue
        known = slice(first, last + 1)
        costs = ready[known] - problem.seconds[known] * problem.weight[second]
        if watched.events:
            costs -= second * problem.events[known]
        if watched.changes:
            costs += watched.stale_weight * np.maximum(0, second - problem.unseen_from[known])
        best = int(costs.argmin())
        least[second] = costs[best] + problem.arriving[second] + (0.0 if ends else watched.cost[second])
        ready[second] = least[second] + problem.leaving[second]
        came_from[second] = first + best
    return float(least[horizon]), _back(came_from, horizon)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Problem:
    """Prefix sums, so that the loss between two calls splits into a part of each and a product of both."""

    seconds: Reals
    weight: Reals
    events: Reals
    arriving: Reals
    leaving: Reals
    unseen_from: Integers
    earliest: list[int]

    @classmethod
    def of(cls, watched: Watched) -> "_Problem":
        seconds = np.arange(watched.horizon + 1, dtype=np.float64)
        happen = np.zeros(watched.horizon + 1)
        np.add.at(happen, np.asarray(watched.events, dtype=np.int64), watched.event_weight)
        weight, weighted = _sums(watched.weight), _sums(watched.weight * (seconds[:-1] + 0.5))
        events, dated = np.cumsum(happen), np.cumsum(happen * seconds)
        return cls(
            seconds=seconds,
            weight=weight,
            events=events,
            arriving=weighted + seconds * events - dated,
            leaving=seconds * weight - weighted + dated,
            unseen_from=next_change(watched, np.arange(watched.horizon + 1)),
            earliest=_earliest(watched),
        )


def _sums(values: Reals) -> Reals:
    return np.concatenate(([0.0], np.cumsum(values)))


def _earliest(watched: Watched) -> list[int]:
    """For each second the earliest one that the last informative call may have been made at.

    A maximum counts calls, informative or not: one that ends in a blind span may have been preceded by any in it.
    """
    horizon, maximum = watched.horizon, watched.interval_max
    if maximum is None:
        return [0] * (horizon + 1)
    blind = np.append(~watched.informative, False)
    if not blind.any():
        return [max(0, second - maximum) for second in range(horizon + 1)]
    begins = blind & ~np.concatenate(([False], blind[:-1]))
    begun = np.maximum.accumulate(np.where(begins, np.arange(horizon + 1), 0))
    earliest: list[int] = []
    for second in range(horizon + 1):
        window = blind[max(0, second - maximum) : second]
        touched = max(0, second - maximum) + int(window.argmax()) if window.any() else None
        earliest.append(max(0, second - maximum) if touched is None else earliest[int(begun[touched])])
    return earliest


def _back(came_from: Integers, horizon: int) -> tuple[int, ...]:
    times: list[int] = []
    second = int(came_from[horizon])
    while second > 0:
        times.append(second)
        second = int(came_from[second])
    return tuple(reversed(times))
