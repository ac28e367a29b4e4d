"""Chance that a seed repeats."""

from zlib import crc32

import numpy as np

from benchmarks.adaptation.world import Flags, Integers, Reals


def generator(seed: int, name: str) -> np.random.Generator:
    """Chance of its own for each scenario *name* and *seed*: PCG64 seeded with the CRC-32 of both."""
    return np.random.Generator(np.random.PCG64(crc32(f"{seed}/{name}".encode())))


def autoregressive(chance: np.random.Generator, count: int, *, memory: float, sd: float) -> Reals:
    """*count* steps of a stationary AR(1) series with lag-one correlation *memory* and standard deviation *sd*."""
    shocks = chance.standard_normal(count) * sd
    fresh = np.sqrt(1 - memory**2)
    values = np.empty(count)
    last = values[0] = shocks[0]
    for step in range(1, count):
        last = values[step] = memory * last + fresh * shocks[step]
    return values


def each_second(values: Reals, step: int, horizon: int) -> Reals:
    """*values*, one for every *step* seconds, as one for every second up to *horizon*."""
    return np.repeat(values, step)[:horizon]


def hysteresis(values: Reals, *, enter: float, leave: float) -> Flags:
    """Whether *values* are in the state that begins above *enter* and ends below *leave*; at first they are not.

    With *enter* below *leave* the state begins below and ends above.
    """
    begins, ends = (values > enter, values < leave) if enter >= leave else (values < enter, values > leave)
    marks = np.where(begins | ends, np.arange(values.size), -1)
    latest = np.maximum.accumulate(marks)
    return np.where(latest >= 0, begins[np.maximum(latest, 0)], False)  # noqa: FBT003 -- an array's fill value


def spans(horizon: int, bounds: list[tuple[int, int]]) -> Flags:
    """True in each span from its first second up to, not including, its last."""
    inside = np.zeros(horizon, dtype=np.bool_)
    for begins, ends in bounds:
        inside[begins:ends] = True
    return inside


def no_labels(horizon: int) -> Integers:
    """A label array in which every second has state 0."""
    return np.zeros(horizon, dtype=np.int64)
