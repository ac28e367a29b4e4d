"""The cadence of an endpoint over a simulation, in phases in which it hardly changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

_ALIKE = 1.2


@dataclass(frozen=True, slots=True)
class CadencePhase:
    """A stretch of calls that came about equally far apart: each gap within a fifth of the first one."""

    begin: float
    gap: float
    """The first one."""
    calls: int = 1


def phases_of(times: Iterable[float]) -> list[CadencePhase]:
    """The phases of calls made at *times*, in their order. A phase counts the calls that another one follows."""
    found: list[CadencePhase] = []
    for before, after in pairwise(times):
        gap = after - before
        if found and found[-1].gap / _ALIKE <= gap <= found[-1].gap * _ALIKE:
            found[-1] = CadencePhase(found[-1].begin, found[-1].gap, found[-1].calls + 1)
        else:
            found.append(CadencePhase(before, gap))
    return found
