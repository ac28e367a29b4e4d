"""The flash sale, in both its variants, and what becomes of it when nothing helps."""

from itertools import pairwise

import pytest
import yaml

from cronicorn.sim.simulation import run_scenario
from tests.architecture.source import ROOT
from tests.cli.command import cronicorn
from tests.sim.scenarios import read, times

SCENARIOS = ROOT / "examples" / "scenarios"
REMEDIES = ("cache_warm_up", "scale_checkout_workers")
ALERTS = ("slack_operations", "slack_customer_support", "emergency_oncall_page")


def without_recovery(name):
    """The variant *name*, with the shop as bad as ever to the end of two hours."""
    scenario = yaml.safe_load((SCENARIOS / f"{name}.yaml").read_text(encoding="utf-8"))
    for course in scenario["signals"].values():
        course["steps"] = {time: value for time, value in course["steps"].items() if time not in {"21m", "26m"}}
    return read({**scenario, "length": "2h", "expect": []})


@pytest.mark.parametrize("name", ["flash-sale-simulation", "flash-sale-story"])
def test_the_sale_goes_as_it_is_told(name):
    ended = cronicorn("simulate", str(SCENARIOS / f"{name}.yaml"))

    assert ended.code == 0, ended.out + ended.err
    assert "BROKEN" not in ended.out
    assert ended.out.count("\nheld ") >= 20


def test_somebody_is_called_when_both_remedies_have_failed_and_not_before():
    simulated = run_scenario(without_recovery("flash-sale-story"))

    [paged] = times(simulated, "emergency_oncall_page")
    tried = max(times(simulated, remedy)[0] for remedy in REMEDIES)
    assert 600 <= paged - tried <= 900
    assert times(simulated, "slack_customer_support")[0] < paged + 900


def test_cooldowns_hold_however_long_it_lasts():
    simulated = run_scenario(without_recovery("flash-sale-story"))

    gaps = {
        name: min((later - earlier for earlier, later in pairwise(times(simulated, name))), default=0)
        for name in (*REMEDIES, *ALERTS)
    }
    assert gaps["cache_warm_up"] >= 900
    assert gaps["scale_checkout_workers"] >= 1_200
    assert gaps["slack_operations"] >= 600
    assert gaps["slack_customer_support"] >= 900
    assert len(times(simulated, "emergency_oncall_page")) == 1


def test_without_its_rules_nothing_that_sleeps_is_woken():
    scenario = yaml.safe_load((SCENARIOS / "flash-sale-simulation.yaml").read_text(encoding="utf-8"))
    for endpoint in scenario["endpoints"]:
        del endpoint["policy"]

    simulated = run_scenario(read(scenario))

    assert not simulated.held
    assert [times(simulated, name) for name in (*REMEDIES, *ALERTS)] == [[]] * 5
