"""The policies that are compared, and the driver that puts their wishes to the product's planner."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.adaptation.contestants import CONTESTANTS
from benchmarks.adaptation.hinting import Hinting, Reading
from benchmarks.adaptation.oracle import oracle
from benchmarks.adaptation.policies import Aimd, Fixed
from benchmarks.adaptation.protocols import batches, outages, rate_limit
from benchmarks.adaptation.readers import Reader
from benchmarks.adaptation.score import scored
from benchmarks.adaptation.siblings import sibling_recovery
from benchmarks.adaptation.simulation import Planned, simulate
from benchmarks.adaptation.world import Response, World, watched


def a_world(respond, *, horizon=3_600):
    observed = watched("api", (300, 30, 900), np.zeros(horizon, dtype=np.int64), {"steady": 300.0})
    return World(name="S0", seed=1, horizon=horizon, endpoints={"api": observed}, answer=lambda _, t: respond(t))


def test_fixed_calls_at_the_baseline():
    world = a_world(lambda t: Response())

    requests = simulate(world, Hinting(world, Fixed()))

    assert requests.times["api"] == tuple(range(300, 3_600, 300))


def test_fixed_backs_off_from_failures_as_the_product_does():
    world = a_world(lambda t: Response(status=503))

    requests = simulate(world, Hinting(world, Fixed()))

    assert requests.times["api"] == (300, 900, 1_800, 2_700)


def test_aimd_halves_down_to_the_minimum_when_every_answer_differs():
    world = a_world(lambda t: Response(body={"n": t}))

    gaps = np.diff(simulate(world, Hinting(world, Aimd(world))).times["api"])

    assert gaps[:2].tolist() == [338, 169]
    assert set(gaps[5:]) == {30}


def test_aimd_adds_an_eighth_of_the_baseline_while_nothing_changes():
    world = a_world(lambda t: Response(body={"n": 1}))

    gaps = np.diff(simulate(world, Hinting(world, Aimd(world))).times["api"])

    assert gaps[:3].tolist() == [338, 375, 412]


def test_the_reactive_oracle_returns_at_the_end_of_a_refusal_and_of_a_batch():
    limited, batch = rate_limit(1), batches(1)
    refusals = limited.endpoints["items"].transitions

    items = simulate(limited, CONTESTANTS["reactive oracle"](limited)).times["items"]
    ends = simulate(batch, CONTESTANTS["reactive oracle"](batch)).times["batch"]

    assert set(refusals[1::2]) <= set(items)
    assert set(batch.endpoints["batch"].events) <= set(ends)


def test_the_reactive_oracle_runs_the_sibling_at_the_answer_that_asks_for_it_and_only_then():
    world = sibling_recovery(1)

    times = simulate(world, CONTESTANTS["reactive oracle"](world)).times

    begins = world.ideal_calls["recover"]
    asked = [next(t for t in times["health"] if t >= at) for at in begins]
    assert list(times["recover"]) == asked


def test_a_reader_decides_at_its_passes_and_its_latency_later():
    world = outages(1)
    down = world.endpoints["shop"].transitions[0]

    times = simulate(world, Reading(world, Reader(world, look_back=None), first_pass=140)).times["shop"]

    found = next(t for t in times if t >= down)
    read = next(at for at in range(140, world.horizon, 300) if at >= found) + 8
    assert times[times.index(found) + 1] == found + 60 * -(-(read - found) // 60)


def test_a_reader_that_looks_back_never_runs_a_sibling_that_does_not_run_by_itself():
    world = sibling_recovery(1)

    blind = simulate(world, CONTESTANTS["reader, 5 minutes"](world))
    ideal = simulate(world, CONTESTANTS["ideal reader"](world))

    assert blind.times["recover"] == ()
    assert len(ideal.times["recover"]) == 3


def test_a_reader_as_prompted_reads_a_stable_endpoint_each_hour_and_pays_for_fewer_analyses():
    world = a_world(lambda t: Response(), horizon=21_600)

    often = simulate(world, Reading(world, Reader(world), first_pass=100))
    prompted = simulate(world, Reading(world, Reader(world, stable=3_600), first_pass=100))

    assert prompted.tokens == 6 * 9_500
    assert often.tokens > 60 * 9_500


@pytest.mark.parametrize("name", CONTESTANTS)
@pytest.mark.parametrize("scenario", [rate_limit, sibling_recovery])
def test_a_contestant_violates_no_guardrail_and_stays_behind_the_oracle(name, scenario):
    world = scenario(2)

    found = scored(world, simulate(world, CONTESTANTS[name](world)), oracle(world).loss)

    assert found.violations == ()
    assert 0 < found.score <= 100


def test_one_answer_may_move_another_endpoints_call():
    world = a_world(lambda t: Response(), horizon=1_000)
    both = {name: replace(world.endpoints["api"], name=name) for name in ("a", "b")}

    requests = simulate(replace(world, endpoints=both), Wakes())

    assert requests.times == {"a": (100,), "b": (100, 400)}
    assert requests.plans["b"] == (Planned(at=100), Planned(at=400), Planned(at=None))


class Wakes:
    """Calls `a` once, and `b` when `a` has answered."""

    tokens = 0

    def first_at(self):
        return {"a": 100, "b": None}

    def answered(self, name, t, response):
        if name == "a":
            return {"a": Planned(at=None), "b": Planned(at=t)}
        return {"b": Planned(at=400 if t == 100 else None)}
