"""Every kind of expectation holds where it should, and breaks where it should."""

import pytest

from cronicorn.sim.simulation import run_scenario
from tests.sim.scenarios import document, read, run

STOCK, SLOW = {"name": "stock", "every": "60s"}, {"name": "slow", "every": "4m", "phase": "30s"}
NEVER_CALLED = {"name": "asleep", "dormant": True}
WORLD = {
    "signals": {"load": {"ramp": {"0m": 0, "10m": 100}}, "mood": {"steps": {"0m": "calm", "5m": "hot"}}},
    "endpoints": [STOCK, SLOW, NEVER_CALLED],
    "outages": [{"from": "2m30s", "until": "4m30s", "endpoints": "stock", "status": 500}],
}
HELD = [
    {"endpoint": "stock", "first_call": {"by": "1m"}},
    {"endpoint": "stock", "first_call": {"after": "61s", "by": "2m"}},
    {"endpoint": "stock", "only": "failed", "first_call": {"by": "3m"}},
    {"endpoint": "slow", "not_before": "30s"},
    {"endpoint": "stock", "reaction": {"after": "2m", "by": "3m", "gap_at_least": "2m"}},
    {"endpoint": "stock", "reaction": {"by": "1m", "gap_at_most": "60s"}},
    {"endpoint": "stock", "count": {"until": "3m", "at_least": 2, "at_most": 2}},
    {"endpoint": "stock", "only": "failed", "count": {"at_least": 1}},
    {"endpoint": "slow", "count": {"from": "30s", "until": "31s", "at_least": 1}},
    {"endpoint": "asleep", "count": {"at_most": 0}},
    {"endpoint": "slow", "spacing": {"at_least": "4m", "at_most": "4m"}},
    {"endpoint": "asleep", "spacing": {"at_least": "4m"}},
    {"endpoint": "slow", "cadence": {"at_least": "4m", "at_most": "4m"}},
    {"endpoint": "stock", "cadence": {"from": "0m", "until": "3m", "at_least": "50s", "at_most": "60s"}},
    {"endpoint": "asleep", "never": True},
    {"endpoint": "slow", "never": {"from": "31s", "until": "4m30s"}},
    {"endpoint": "stock", "lateness": {"at_most": "1s"}},
    {"endpoint": "stock", "only_after": "slow"},
    {"endpoint": "asleep", "only_after": "slow"},
    {"order": ["slow", "stock"]},
    {"order": {"calls": ["stock", "slow"], "from": "31s"}},
    {"signal": "load", "value": {"at": "5m", "is": 50}},
    {"signal": "load", "value": {"at": "5m", "at_least": 50, "at_most": 50}},
    {"signal": "mood", "value": {"at": "5m", "is": "hot"}},
    {"signal": "mood", "value": {"at": "4m59s", "is": "calm"}},
]
BROKEN = [
    ({"endpoint": "stock", "first_call": {"by": "59s"}}, "first called at 0:01:00"),
    ({"endpoint": "asleep", "first_call": {"by": "10m"}}, "never called"),
    ({"endpoint": "stock", "not_before": "61s"}, "1 call: 0:01:00"),
    ({"endpoint": "stock", "reaction": {"by": "10m", "gap_at_most": "30s"}}, "no such gap"),
    ({"endpoint": "stock", "reaction": {"by": "1m", "gap_at_least": "2m"}}, "from 0:03:00 on"),
    ({"endpoint": "stock", "count": {"until": "3m", "at_least": 3}}, "2 calls: 0:01:00, 0:02:00"),
    ({"endpoint": "stock", "count": {"at_most": 0}}, ", …"),
    ({"endpoint": "slow", "spacing": {"at_most": "3m"}}, "4 min between the calls after 0:00:30"),
    ({"endpoint": "stock", "spacing": {"at_least": "61s"}}, "1 min between"),
    ({"endpoint": "slow", "cadence": {"at_least": "4m1s"}}, "every 4 min"),
    ({"endpoint": "asleep", "cadence": {"at_least": "1m"}}, "no calls, so no gap"),
    ({"endpoint": "slow", "never": {"from": "30s", "until": "31s"}}, "1 call: 0:00:30"),
    ({"endpoint": "stock", "never": True}, "calls: 0:01:00"),
    ({"endpoint": "slow", "only_after": "stock"}, "first called at 0:00:30, stock 0:01:00"),
    ({"endpoint": "slow", "only_after": "asleep"}, "asleep never"),
    ({"order": ["stock", "slow"]}, "stock 0:01:00, slow 0:00:30"),
    ({"order": ["slow", "asleep"]}, "asleep never"),
    ({"signal": "load", "value": {"at": "5m", "at_least": 51}}, "50"),
    ({"signal": "mood", "value": {"at": "5m", "is": "calm"}}, "hot"),
    ({"signal": "mood", "value": {"at": "5m", "at_least": 1}}, "hot"),
]


def judged(expectation):
    simulated = run(**WORLD, expect=[{"name": "it is so", **expectation}])
    [(_, verdict)] = simulated.verdicts
    assert simulated.held is verdict.held
    return verdict


@pytest.mark.parametrize("expectation", HELD, ids=str)
def test_what_is_so_holds(expectation):
    verdict = judged(expectation)

    assert verdict.held, verdict.seen


@pytest.mark.parametrize(("expectation", "seen"), BROKEN, ids=str)
def test_what_is_not_so_is_broken_and_says_what_was_seen(expectation, seen):
    verdict = judged(expectation)

    assert not verdict.held
    assert seen in verdict.seen


def test_a_slot_that_nobody_takes_over_is_late():
    late = {"name": "in time", "endpoint": "stock", "lateness": {"at_most": "1s"}}
    world = document(
        workers=1, endpoints=[{**STOCK, "answers": {"latency": "5s"}}], expect=[late],
        crashes=[{"at": "62s", "worker": 1}],
    )  # fmt: skip

    [(_, verdict)] = run_scenario(read(world)).verdicts

    assert (verdict.held, verdict.seen) == (False, "slot 1 was lost, and nobody called it again")


def test_a_slot_that_died_with_its_worker_is_late():
    late = {"name": "in time", "endpoint": "stock", "lateness": {"at_most": "1s"}}
    world = document(
        workers=2, endpoints=[{**STOCK, "answers": {"latency": "5s"}}], expect=[late],
        crashes=[{"at": "62s", "worker": 1}, {"at": "62s", "worker": 2, "back_after": "1s"}],
    )  # fmt: skip

    [(_, verdict)] = run_scenario(read(world)).verdicts

    assert not verdict.held
    assert verdict.seen.startswith("3")
