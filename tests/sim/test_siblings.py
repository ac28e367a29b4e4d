"""Rules that read and order siblings, through the real store and loop."""

from tests.sim.scenarios import policy, run, times

HEALTH = {"name": "health", "every": "60s", "answers": {"body": {"need": "=broken"}}}
BREAKS = {"at": "150s", "set": True}
STUCK = {"broken": {"start": False, "changes": [BREAKS]}}
BROKEN = {"broken": {"start": False, "changes": [BREAKS, {"call": "recover", "set": False, "after": "30s"}]}}
NEED = {"need": {"path": "$.need", "type": "bool"}}


def recover(**rule):
    need = {"need": {"from": "sibling:health", "path": "$.need", "type": "bool"}}
    return {"name": "recover", "dormant": True, "policy": policy(need, {"id": "down", "when": "need", **rule})}


def test_a_rule_runs_its_endpoint_at_once_when_a_sibling_says_so():
    simulated = run(endpoints=[HEALTH, recover(action={"run_once": "now"}, cooldown="5m")], state=BROKEN)

    assert times(simulated, "recover") == [180]


def test_a_cooldown_keeps_a_rule_from_acting_again():
    simulated = run(endpoints=[HEALTH, recover(action={"run_once": "now"}, cooldown="3m")], state=STUCK)

    assert times(simulated, "recover") == [180, 360, 540]


def test_a_rule_runs_a_sibling():
    orders = policy(NEED, {"id": "down", "when": "need", "action": {"run": "repair"}})
    health = {**HEALTH, "policy": orders}

    simulated = run(endpoints=[health, {"name": "repair", "dormant": True}], state=STUCK)

    assert times(simulated, "repair") == [180]


def test_an_endpoint_that_a_person_paused_stays_paused():
    orders = policy(NEED, {"id": "down", "when": "need", "action": {"wake": "repair"}})
    repair = {"name": "repair", "every": "1m", "paused": "6m30s"}

    simulated = run(endpoints=[{**HEALTH, "policy": orders}, repair], state=STUCK)

    assert times(simulated, "repair") == [390, 420, 480, 540]


def test_two_workers_see_what_the_other_made_due():
    simulated = run(workers=4, endpoints=[HEALTH, recover(action={"run_once": "now"}, cooldown="5m")], state=BROKEN)

    assert times(simulated, "recover") == [180]
