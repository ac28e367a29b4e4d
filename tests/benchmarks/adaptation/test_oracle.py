"""The oracle: exact where everything can be tried, and never beaten where it can't."""

from functools import cache
from itertools import chain, combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.adaptation.loss import endpoint_loss, loss
from benchmarks.adaptation.oracle import endpoint_oracle, oracle
from benchmarks.adaptation.scenarios import SCENARIOS
from benchmarks.adaptation.world import watched

HORIZON = 10
HARD = ("S2", "S5", "S6", "S8")


def by_brute_force(observed):
    """The least loss over every set of calls that keeps the maximum; calls that tell nothing are free here."""
    least = float("inf")
    seconds = range(1, observed.horizon)
    for called in chain.from_iterable(combinations(seconds, count) for count in range(observed.horizon)):
        learnt = [t for t in called if observed.informative[t]]
        late = any(t - before > observed.interval_max for before, t in pairwise((0, *called, observed.horizon)))
        early = any(t - before < observed.interval_min for before, t in pairwise((0, *learnt)))
        if not late and not early:
            least = min(least, endpoint_loss(observed, learnt).total)
    return least


@st.composite
def small(draw):
    def each(values):
        return np.array(draw(st.lists(values, min_size=HORIZON, max_size=HORIZON)))

    least = draw(st.integers(1, 3))
    seconds = st.lists(st.integers(1, HORIZON - 1), max_size=3, unique=True).map(sorted).map(tuple)
    return watched(
        "api", (4, least, draw(st.integers(least, HORIZON))), each(st.integers(0, 1)), {"calm": 5.0, "busy": 1.5},
        informative=each(st.sampled_from((True, True, True, False))), cost=each(st.sampled_from((0.5, 1.0, 5.0))),
        events=draw(seconds), event_weight=draw(st.sampled_from((0.0, 0.4))),
        changes=draw(seconds), stale_weight=draw(st.sampled_from((0.0, 0.3))),
    )  # fmt: skip


@given(small())
@settings(max_examples=100)
def test_the_oracle_finds_what_trying_everything_finds(observed):
    least, times = endpoint_oracle(observed)

    assert least == pytest.approx(by_brute_force(observed))
    assert least == float("inf") or endpoint_loss(observed, times).total == pytest.approx(least)


@cache
def solved(name):
    world = SCENARIOS[name](1)
    return world, oracle(world)


@pytest.mark.parametrize("name", HARD)
def test_the_oracles_calls_have_the_loss_it_says(name):
    world, best = solved(name)

    assert loss(world, best.times).total == pytest.approx(best.loss)


@given(name=st.sampled_from(HARD), seed=st.integers(0, 2**32 - 1), haste=st.floats(0, 1))
@settings(max_examples=40)
def test_no_calls_within_the_guardrails_beat_the_oracle(name, seed, haste):
    world, best = solved(name)
    chance = np.random.default_rng(seed)

    times = {each.name: random_calls(each, chance, haste) for each in world.endpoints.values()}

    assert loss(world, times).total >= best.loss - 1e-6


def random_calls(observed, chance, haste):
    """Gaps between the minimum and the maximum, mostly near what *haste* says; an endpoint without one may not run."""
    highest = observed.interval_max or observed.horizon
    times: list[int] = []
    t = 0
    while True:
        part = np.clip(chance.normal(haste, 0.2), 0, 1)
        t += round(highest ** (1 - part) * observed.interval_min**part)
        if t >= observed.horizon:
            return times
        times.append(t)


@given(name=st.sampled_from(HARD), at=st.floats(0, 1, exclude_max=True), by=st.sampled_from((-7, -1, 1, 7, None)))
@settings(max_examples=60)
def test_moving_or_leaving_out_a_call_of_the_oracle_never_pays(name, at, by):
    world, best = solved(name)
    observed = next(iter(world.endpoints.values()))
    calls = list(best.times[observed.name])
    moved = calls.pop(int(at * len(calls)))
    calls = sorted({*calls, moved + by}) if by is not None else calls

    total = loss(world, {**best.times, observed.name: calls}).total

    gaps = np.diff([0, *calls, world.horizon])
    if gaps.max() <= observed.interval_max and gaps[:-1].min() >= observed.interval_min and calls[-1] < world.horizon:
        assert total >= best.loss - 1e-6
