"""The scenarios have the shape that their descriptions promise, the same in every process."""

import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.adaptation.loss import after
from benchmarks.adaptation.noise import autoregressive, generator, hysteresis
from benchmarks.adaptation.scenarios import SCENARIOS
from tests.architecture.source import ROOT

DIGEST = """
import hashlib, json
from benchmarks.adaptation.scenarios import SCENARIOS
for name in ("S1", "S3", "S6", "S8"):
    world = SCENARIOS[name](7)
    said = [
        (each, t, str(world.respond(each, t))) for each in world.endpoints for t in range(0, world.horizon, 97)
    ]
    print(name, hashlib.sha256(json.dumps(said).encode()).hexdigest())
"""


def answers(name, seed):
    world = SCENARIOS[name](seed)
    return [(each, t, str(world.respond(each, t))) for each in world.endpoints for t in range(0, world.horizon, 97)]


def only(name, seed=1):
    world = SCENARIOS[name](seed)
    return world, next(iter(world.endpoints.values()))


def spans_of(observed, state):
    """First second and length of each stretch of *state*."""
    starts = [0, *observed.transitions]
    ends = [*observed.transitions, observed.horizon]
    number = observed.states.index(state)
    return [(b, e - b) for b, e in zip(starts, ends, strict=True) if observed.label[b] == number]


def test_a_seed_gives_one_world_in_another_process_too():
    command = [sys.executable, "-c", DIGEST]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)

    here = [
        f"{name} {hashlib.sha256(json.dumps(answers(name, 7)).encode()).hexdigest()}"
        for name in ("S1", "S3", "S6", "S8")
    ]
    assert done.stdout.splitlines() == here


@pytest.mark.parametrize("name", SCENARIOS)
def test_another_seed_gives_another_world(name):
    first, other = SCENARIOS[name](1), SCENARIOS[name](2)

    one, another = (next(iter(world.endpoints.values())).label for world in (first, other))

    assert not np.array_equal(one, another)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_target_lies_within_the_guardrails_and_answers_are_json(name):
    world = SCENARIOS[name](1)

    for each in world.endpoints.values():
        assert each.target.min() >= each.interval_min
        assert each.interval_max is None or each.target.max() <= each.interval_max
        assert {array.size for array in (each.label, each.weight, each.cost, each.informative)} == {world.horizon}
        for t in range(1, world.horizon, 1_009):
            response = world.respond(each.name, t)
            assert json.loads(json.dumps(response.body)) == response.body
            assert "message" in response.body


def test_s1_has_three_sales_that_want_30_then_20_seconds():
    _world, observed = only("S1")

    assert [length for _, length in spans_of(observed, "surge")] == [480] * 3
    assert [length for _, length in spans_of(observed, "critical")] == [480] * 3
    assert sorted(set(observed.target)) == [20, 30, 60]


def test_s2_degrades_until_the_value_without_noise_is_below_2():
    _world, observed = only("S2")

    [(begins, length)] = spans_of(observed, "degraded")

    assert 3_600 + 1_400 < begins < 5_400 + 1_420
    assert length == pytest.approx(5_814, abs=15)


def test_s3_shifts_once_for_about_an_hour_under_spikes():
    world, observed = only("S3")

    [(_, length)] = spans_of(observed, "high")
    shown = [world.respond("latency", t).body["latency_ms"] for t in range(9_000)]

    assert 3_600 <= length < 4_600
    assert max(shown) > 800
    # Noise of 60, and for a fortieth of the time a spike of about 375.
    assert np.std(shown) == pytest.approx((60**2 + 375**2 / 40) ** 0.5, abs=12)


def test_s4_has_two_outages_each_followed_by_ten_minutes_degraded():
    world, observed = only("S4")

    down, degraded = spans_of(observed, "down"), spans_of(observed, "degraded")

    assert [begins + length for begins, length in down] == [begins for begins, _ in degraded]
    assert [length for _, length in degraded] == [600, 600]
    assert all(1_500 <= length <= 2_400 for _, length in down)
    assert world.respond("shop", down[0][0]).status == 503
    assert world.respond("shop", degraded[0][0]).body["status"] == "degraded"


def test_s5_must_see_each_batch_end_and_estimates_it_roughly():
    world, observed = only("S5")
    runs = spans_of(observed, "running")

    off = [
        world.respond("batch", t).body["eta_seconds"] / (begins + length - t)
        for begins, length in runs
        for t in range(begins, begins + length - 300, 60)
        if begins + length < world.horizon
    ]

    assert observed.events == tuple(begins + length for begins, length in runs if begins + length < world.horizon)
    assert len(observed.events) >= 2
    assert np.std(off) == pytest.approx(0.1, abs=0.03)


def test_s6_has_four_windows_in_which_refusals_say_how_long_they_last():
    world, observed = only("S6")

    windows = spans_of(observed, "limited")
    refused = world.respond("items", windows[0][0] + 100)

    assert [length for _, length in windows] == [900] * 4
    assert (refused.status, refused.headers["Retry-After"]) == (429, "800")
    assert not observed.informative[windows[1][0]]
    assert observed.cost[windows[1][0]] == 5
    assert set(observed.weight) == {2 / 60**2}


def test_s7_has_a_peak_and_a_night_in_a_day():
    _world, observed = only("S7")

    lengths = {state: sum(length for _, length in spans_of(observed, state)) for state in observed.states}

    assert lengths["peak"] == pytest.approx(86_400 * 0.29, rel=0.15)
    assert lengths["night"] == pytest.approx(86_400 * 0.36, rel=0.15)


def test_s8_has_three_incidents_that_a_recovery_run_ends_half_a_minute_later():
    world, observed = only("S8")
    begins = [begins for begins, _ in spans_of(observed, "down")]

    helped = after(world, {"recover": [begins[0] + 100]}).endpoints["health"]

    assert [length for _, length in spans_of(observed, "down")] == [3_600] * 3
    assert [length for _, length in spans_of(helped, "down")] == [130, 3_600, 3_600]
    assert world.respond("health", begins[0]).status == 500
    assert world.respond("health", begins[0]).body["needs_recovery"] is True


def test_s9_never_jumps_from_cool_to_hot_and_charges_five_while_hot():
    for seed in range(1, 6):
        _world, observed = only("S9", seed)

        assert set(np.abs(np.diff(observed.label))) <= {0, 1}
        assert set(observed.cost[observed.label == 2]) <= {5.0}
        assert all(1_200 <= length <= 3_000 for _, length in spans_of(observed, "warm")[:-1])


def test_s10_changes_often_in_one_of_its_turns_and_rarely_in_the_other():
    world, observed = only("S10")
    in_turn = observed.label[list(observed.changes)]

    assert (in_turn == 1).sum() > 10 * (in_turn == 0).sum()
    assert (in_turn == 1).sum() == pytest.approx((observed.label == 1).sum() / 300, rel=0.3)
    assert world.respond("feed", 86_399).body["version"] == 1 + len(observed.changes)
    assert not observed.weight.any()


def test_s11_renames_the_field_after_the_first_incident_and_before_the_second():
    world, observed = only("S11")
    first, second = spans_of(observed, "degraded")

    names = [next(iter(world.respond("api", t).body)) for t in range(world.horizon)]
    renamed_at = names.index("errorRatePct")

    assert sum(first) < renamed_at < second[0]
    assert set(names[renamed_at:]) == {"errorRatePct"}
    assert set(names[:renamed_at]) == {"error_rate_pct"}


def test_noise_has_the_deviation_and_the_memory_asked_for():
    values = autoregressive(generator(1, "noise"), 20_000, memory=0.6, sd=4)

    assert np.std(values) == pytest.approx(4, rel=0.05)
    assert np.corrcoef(values[:-1], values[1:])[0, 1] == pytest.approx(0.6, abs=0.03)


def test_hysteresis_holds_between_its_bounds_in_both_directions():
    values = np.array([3.0, 6.0, 3.0, 1.0, 3.0])

    assert hysteresis(values, enter=5, leave=2).tolist() == [False, True, True, False, False]
    assert hysteresis(values, enter=2, leave=5).tolist() == [False, False, False, True, True]
