"""What the policies are measured by."""

import pytest

from benchmarks.adaptation.contestants import CONTESTANTS
from benchmarks.adaptation.oracle import oracle
from benchmarks.adaptation.score import scored
from benchmarks.adaptation.simulation import simulate

_SEED = 2


@pytest.fixture(scope="session")
def reactive_score():
    """A scenario's world, its oracle's loss, and the score of the reactive oracle; each worked out once."""
    found = {}

    def of(scenario):
        if scenario not in found:
            world = scenario(_SEED)
            best = oracle(world).loss
            requests = simulate(world, CONTESTANTS["reactive oracle"](world))
            found[scenario] = (world, best, scored(world, requests, best).score)
        return found[scenario]

    return of
