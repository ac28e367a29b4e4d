"""Worlds run through the product's own `decide`, and the policies that owners wrote for them."""

from dataclasses import replace

import numpy as np
import pytest
import yaml

from benchmarks.adaptation import owners
from benchmarks.adaptation.injection import (
    HOSTILE_BODIES,
    HOSTILE_FIELDS,
    HOSTILE_HEADERS,
    PAYLOADS,
    injected,
    with_bodies,
    with_fields,
    with_headers,
)
from benchmarks.adaptation.product import RECOMPILE_SECONDS, Owned, Product, outcome_of
from benchmarks.adaptation.protocols import batches, outages, rate_limit
from benchmarks.adaptation.score import scored
from benchmarks.adaptation.siblings import sibling_recovery
from benchmarks.adaptation.simulation import simulate
from benchmarks.adaptation.thresholds import flapping_noise, schema_drift, slow_degradation, surge
from benchmarks.adaptation.world import Response, World, watched
from cronicorn.domain.call import Request
from cronicorn.domain.policy.reading import policy_of

CONTESTANTS = (owners.no_key_default, owners.rules, owners.rules_over_default, owners.ahead_over_default)
RULED = CONTESTANTS[1:]
THREE_HOURS = 10_800


def named(function):
    return function.__name__


def a_world(respond, *, horizon=3_600):
    observed = watched("api", (300, 30, 900), np.zeros(horizon, dtype=np.int64), {"steady": 300.0})
    return World(name="S0", seed=1, horizon=horizon, endpoints={"api": observed}, answer=lambda _, t: respond(t))


def a_policy(when, action):
    fields = {"err": {"path": "$.err", "type": "number"}}
    return policy_of({"version": 1, "fields": fields, "rules": [{"id": "one", "when": when, "action": action}]})


def times_of(world, contestant):
    return simulate(world, contestant(world)).times


def test_answers_that_say_nothing_leave_the_baseline():
    world = a_world(lambda t: Response(body={"n": t}))

    assert times_of(world, owners.no_key_default)["api"] == tuple(range(300, 3_600, 300))


def test_a_rule_decides_from_the_answer_that_meets_it_on():
    world = a_world(lambda t: Response(body={"err": 9 if 600 <= t < 700 else 0}))
    policy = a_policy("err > 5", {"interval": "50s"})

    times = simulate(world, Product(world, Owned(policy=policy))).times["api"]

    assert times[:5] == (300, 600, 650, 700, 1_000)


def test_the_refusal_of_a_server_is_kept_to_without_a_policy_and_the_call_comes_when_it_ends():
    world = rate_limit(1)
    ends = world.endpoints["items"].transitions[1::2]

    assert set(ends) <= set(times_of(world, owners.no_key_default)["items"])


def test_a_rule_runs_a_sibling_at_the_answer_that_asks_for_it_and_only_then():
    world = sibling_recovery(1)

    times = times_of(world, owners.rules)

    begins = world.ideal_calls["recover"]
    assert list(times["recover"]) == [next(t for t in times["health"] if t >= at) for at in begins]


def test_after_drift_the_other_policy_steers_once_the_owner_has_had_time():
    world = a_world(lambda t: Response(body={"err": 0} if t < 700 else {"late": 1}))
    other = a_policy("!known(err)", {"interval": "40s"})
    driver = Product(world, Owned(policy=a_policy("err > 5", {"interval": "50s"}), after_drift=other))

    times = simulate(world, driver).times["api"]

    drifted = times.index(1_500)
    assert times[: drifted + 2] == (300, 600, 900, 1_200, 1_500, 1_800)
    assert set(np.diff(times[drifted + 1 :])) == {40}


def test_no_call_can_come_before_the_other_policy():
    assert schema_drift(1).endpoints["api"].interval_min > RECOMPILE_SECONDS


@pytest.mark.parametrize("path", sorted(owners.POLICIES.rglob("*.yaml")), ids=lambda path: path.stem)
def test_a_policy_reads_and_is_that_of_a_scenario(path):
    assert policy_of(yaml.safe_load(path.read_text())).rules
    assert (owners.POLICIES / path.name).exists() or path.stem == "S10"


@pytest.mark.parametrize("scenario", [surge, slow_degradation, flapping_noise, outages, rate_limit, sibling_recovery])
def test_plain_rules_come_within_a_few_hundredths_of_what_answers_allow(scenario, reactive_score):
    world, best, reactive = reactive_score(scenario)

    found = scored(world, simulate(world, owners.rules(world)), best)

    assert found.violations == ()
    assert found.score >= 0.95 * reactive


@pytest.mark.parametrize("scenario", [slow_degradation, sibling_recovery, schema_drift])
def test_rules_that_look_ahead_beat_whoever_only_reacts(scenario, reactive_score):
    world, best, reactive = reactive_score(scenario)

    assert scored(world, simulate(world, owners.ahead_over_default(world)), best).score > 1.03 * reactive


@pytest.mark.parametrize("contestant", RULED, ids=named)
@pytest.mark.parametrize("scenario", [outages, batches, rate_limit, sibling_recovery], ids=named)
def test_no_text_in_a_body_moves_the_schedule_of_rules(contestant, scenario):
    world = replace(scenario(3), horizon=THREE_HOURS)
    clean = times_of(world, contestant)

    for payload in PAYLOADS.values():
        assert times_of(injected(world, payload), contestant) == clean


@pytest.mark.parametrize("contestant", CONTESTANTS, ids=named)
def test_no_hostile_field_or_header_leads_past_a_guardrail(contestant):
    hostile = [with_fields(batches(3), fields) for fields in HOSTILE_FIELDS]
    hostile += [with_headers(outages(3), headers) for headers in HOSTILE_HEADERS]

    for world in hostile:
        assert scored(world, simulate(world, contestant(world)), 1.0).violations == ()


@pytest.mark.parametrize("contestant", CONTESTANTS, ids=named)
@pytest.mark.parametrize("raw", HOSTILE_BODIES.values(), ids=HOSTILE_BODIES.keys())
def test_no_hostile_body_leads_past_a_guardrail(contestant, raw):
    world = with_bodies(batches(3), raw)

    assert scored(world, simulate(world, contestant(world)), 1.0).violations == ()


def test_a_body_beyond_the_cap_is_cut_and_is_no_json():
    cut = outcome_of(Response(raw=HOSTILE_BODIES["ten megabytes"]), Request(url="http://a", response_kb_max=1))

    assert cut.body_truncated
    assert not cut.body_is_json
    assert cut.body is not None
    assert len(cut.body) == 1_024


def test_headers_reach_the_product_in_lower_case():
    outcome = outcome_of(replace(Response(), headers={"Retry-After": "9"}), Request(url="http://a"))

    assert outcome.header("retry-after") == "9"
