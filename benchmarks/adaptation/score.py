"""What is reported of a policy: its score, how soon it saw, how it called, and what it must never have done."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from benchmarks.adaptation.loss import after, loss
from benchmarks.adaptation.simulation import Planned, Requests
from benchmarks.adaptation.world import Watched, World

HINT_LIFE_MAX = 4 * 3_600
WRONG_RATIO = 1.5
"""A gap is wrong when the target is more than this times as long or as short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One policy in one world."""

    score: float
    """100 × the oracle's loss / this one's; 0 when anything was violated."""
    loss: float
    requests: int
    delays: tuple[int, ...]
    """Seconds from each true transition to the first informative call in the new state, or its whole length."""
    wrong_share: float
    """Of the informative seconds, those that lie in a gap more than 1.5 times off the target."""
    flips_per_hour: float
    """Changes of cadence that no true change explains."""
    tokens_per_day: float
    """For each endpoint."""
    violations: tuple[str, ...]


def scored(world: World, requests: Requests, best: float) -> Scored:
    """All figures of *requests* in *world*, where the oracle's loss is *best*."""
    found = loss(world, requests.times).total
    final = after(world, requests.times)
    judged = [
        (watched, requests.times[name]) for name, watched in final.endpoints.items() if watched.interval_max is not None
    ]
    violations = tuple(
        f"{name}: {what}"
        for name, watched in final.endpoints.items()
        for what in violations_of(watched, requests.times[name], requests.plans[name])
    )
    days = world.horizon / 86_400 * len(final.endpoints)
    return Scored(
        score=0.0 if violations else 100 * best / found,
        loss=found,
        requests=sum(len(times) for times in requests.times.values()),
        delays=tuple(delay for watched, times in judged for delay in delays_of(watched, times)),
        wrong_share=_mean([wrong_share_of(watched, times) for watched, times in judged]),
        flips_per_hour=sum(flips_of(watched, times) for watched, times in judged) / (world.horizon / 3_600),
        tokens_per_day=requests.tokens / days,
        violations=violations,
    )


def total_of(scores: Sequence[float]) -> float:
    """The geometric mean of the scenarios' scores; 0 when one is 0."""
    return math.exp(_mean([math.log(score) for score in scores])) if all(scores) else 0.0


def percentile(values: Sequence[float], share: float) -> float | None:
    """The *share* quantile of *values*, or None of none."""
    return float(np.quantile(np.asarray(values), share)) if values else None


def delays_of(watched: Watched, times: Sequence[int]) -> list[int]:
    """How long each new state went unseen."""
    learnt = [t for t in times if watched.informative[t]]
    bounds = [*watched.transitions, watched.horizon]
    delays: list[int] = []
    for begins, ends in pairwise(bounds):
        if watched.informative[begins:ends].any():
            seen = next((t for t in learnt if t >= begins), ends)
            delays.append(min(seen, ends) - begins)
    return delays


def wrong_share_of(watched: Watched, times: Sequence[int]) -> float:
    """The share of informative seconds in a gap that is more than `WRONG_RATIO` off the target."""
    bounds = np.array([0, *times, watched.horizon])
    gaps = np.repeat(np.diff(bounds), np.diff(bounds)).astype(np.float64)
    off = np.abs(np.log2(gaps / watched.target)) > math.log2(WRONG_RATIO)
    return float(off[watched.informative].mean())


def flips_of(watched: Watched, times: Sequence[int]) -> int:
    """Consecutive gaps whose ratio exceeds `WRONG_RATIO`, less two for each true change; at least none."""
    gaps = np.diff(np.array([0, *times])).astype(np.float64)
    flips = int((np.abs(np.log2(gaps[1:] / gaps[:-1])) > math.log2(WRONG_RATIO)).sum())
    return max(0, flips - 2 * len(watched.transitions))


def violations_of(watched: Watched, times: Sequence[int], plans: Sequence[Planned]) -> list[str]:
    """What must never happen, in words: too early, too late, in a pause, or under a hint that lives too long."""
    found: list[str] = []
    for before, t, plan in zip((0, *times), (*times, watched.horizon), plans, strict=True):
        ended = t == watched.horizon
        if not ended and t - before < watched.interval_min:
            found.append(f"called at {t}, {t - before} s after the last call")
        if watched.interval_max is not None and t - before > watched.interval_max and plan.paused_until is None:
            found.append(f"not called for {t - before} s up to {t}")
        if not ended and plan.paused_until is not None and t < plan.paused_until:
            found.append(f"called at {t}, paused until {plan.paused_until}")
        if plan.hint_life is not None and plan.hint_life > HINT_LIFE_MAX:
            found.append(f"a hint of {plan.hint_life} s before {t}")
    return found


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
