"""S10: content that changes at a rate nobody described."""

import math

import numpy as np

from benchmarks.adaptation.noise import generator
from benchmarks.adaptation.thresholds import HOURS_24
from benchmarks.adaptation.world import Advice, Response, World, watched

STALE_PRICE = 1 / 30
RATES = (1 / 14_400, 1 / 300)


def cadence_for(rate: float) -> int:
    """The cheapest cadence for changes at *rate* per second: sqrt(2 / (stale price × rate)), to first order."""
    return round(math.sqrt(2 / (STALE_PRICE * rate)))


def undescribed(seed: int) -> World:
    """S10: a day of versions. Changes come slowly (1 in 4 hours) or fast (1 in 5 minutes), in turns of 2 to 4 hours.

    Which turn comes first is chance. Nobody stated a cadence, so age costs nothing and only an unseen change does; what
    counts as the right cadence, for perfect knowledge and for the reports, is `cadence_for` the rate. These are ours.
    """
    chance = generator(seed, "S10")
    label = np.zeros(HOURS_24, dtype=np.int64)
    at, state = 0, int(chance.integers(2))
    while at < HOURS_24:
        ends = at + round(chance.uniform(2, 4) * 3_600)
        label[at:ends] = state
        at, state = ends, 1 - state
    changes = np.flatnonzero(chance.random(HOURS_24) < np.array(RATES)[label])
    changes = changes[changes > 0]
    versions = 1 + np.searchsorted(changes, np.arange(HOURS_24), side="right")
    slow, fast = (cadence_for(rate) for rate in RATES)
    endpoint = watched(
        "feed", (300, 30, 1_800), label, {"slow": slow, "fast": fast}, weight=np.zeros(HOURS_24),
        changes=tuple(int(change) for change in changes), stale_weight=STALE_PRICE,
    )  # fmt: skip

    def answer(_name: str, t: int) -> Response:
        return Response(body={"version": int(versions[t]), "message": "the latest version"})

    return World(
        name="S10", seed=seed, horizon=HOURS_24, endpoints={"feed": endpoint}, answer=answer,
        read=lambda name, _t: {name: Advice()},
    )  # fmt: skip
