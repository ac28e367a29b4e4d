"""Scores, the other figures, and what must never happen."""

import numpy as np
import pytest

from benchmarks.adaptation.score import (
    delays_of,
    flips_of,
    percentile,
    scored,
    total_of,
    violations_of,
    wrong_share_of,
)
from benchmarks.adaptation.simulation import Planned, Requests
from benchmarks.adaptation.world import Response, World, watched

LABEL = np.repeat(np.array([0, 1, 0]), [400, 200, 400])


def an_observed(**more):
    return watched("api", (100, 20, 300), LABEL, {"calm": 100.0, "busy": 50.0}, **more)


def planned(times):
    return tuple(Planned(at=t) for t in (*times, 2_000))


def test_the_total_is_a_geometric_mean_and_0_once_a_score_is():
    assert total_of([25.0, 100.0]) == pytest.approx(50)
    assert total_of([25.0, 0.0]) == 0


def test_a_state_is_seen_at_its_first_call_or_not_at_all():
    assert delays_of(an_observed(), [100, 430, 700]) == [30, 100]
    assert delays_of(an_observed(), [100, 700]) == [200, 100]


def test_a_state_that_tells_nothing_is_not_there_to_be_seen():
    informative = LABEL == 0

    assert delays_of(an_observed(informative=informative), [450, 650]) == [50]


def test_a_gap_is_wrong_when_it_is_more_than_half_as_long_again_as_the_target():
    times = [100, 240, 400, 450, 500, 550, 600, 700, 800, 900]

    # Of 1,000 s only those from 240 to 400 lie in a gap of 160 s.
    assert wrong_share_of(an_observed(), times) == pytest.approx(0.16)


def test_two_flips_are_explained_by_each_true_change():
    followed = [100, 200, 300, 400, 450, 500, 550, 600, 700, 800]
    restless = [100, 120, 220, 240, 340, 360, 460, 480, 580]

    assert flips_of(an_observed(), followed) == 0
    assert flips_of(an_observed(), restless) == 8 - 4


@pytest.mark.parametrize(
    ("times", "plans", "words"),
    [
        ((100, 110, 300, 600, 900), None, "10 s after"),
        ((100, 500, 800), None, "not called for 400 s"),
        ((100, 200), None, "not called for 800 s"),
        ((100, 300, 600, 900), {1: Planned(at=300, paused_until=350)}, "paused until 350"),
        ((100, 300, 600, 900), {2: Planned(at=600, hint_life=14_401)}, "a hint of 14401 s"),
    ],
)
def test_a_violation_is_found_and_makes_the_score_0(times, plans, words):
    observed = an_observed()
    under = [(plans or {}).get(number, plan) for number, plan in enumerate(planned(times))]
    world = World(name="S0", seed=1, horizon=1_000, endpoints={"api": observed}, answer=lambda _n, _t: Response())
    requests = Requests(times={"api": times}, plans={"api": tuple(under)}, tokens=0)

    [violation] = violations_of(observed, times, under)

    assert words in violation
    assert scored(world, requests, 1.0).score == 0


def test_a_pause_may_outlast_the_maximum():
    times = (100, 600, 900)
    plans = (Planned(at=100), Planned(at=600, paused_until=600), Planned(at=900), Planned(at=1_200))

    assert violations_of(an_observed(), times, plans) == []


def test_tokens_count_for_one_endpoint_and_a_day():
    world = World(name="S0", seed=1, horizon=1_000, endpoints={"api": an_observed()}, answer=lambda _n, _t: Response())
    times = (250, 500, 750)

    found = scored(world, Requests(times={"api": times}, plans={"api": planned(times)}, tokens=500), 1.0)

    assert found.tokens_per_day == pytest.approx(500 * 86.4)
    assert found.score == pytest.approx(100 / found.loss)


def test_a_percentile_of_nothing_is_none():
    assert percentile([], 0.5) is None
    assert percentile([1, 2, 3], 0.5) == 2
