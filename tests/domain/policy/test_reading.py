import copy
import json

import pytest
import yaml

from cronicorn.domain.policy.document_part import PolicyError
from cronicorn.domain.policy.policy import FIELDS_MAX, RULES_MAX
from cronicorn.domain.policy.reading import policy_of
from cronicorn.domain.policy.text import policy_document, policy_from, policy_text

EVERYTHING = yaml.safe_load("""
version: 1
description: Tight while degraded, once when a batch is there, never more than asked.
fields:
  err: {path: $.error_rate_pct, type: number}
  state: {path: "$['status']", type: string, enum: [healthy, degraded, critical]}
  err5: {path: $.error_rate_pct, type: number, agg: avg, window: 5}
  need: {from: "sibling:health check", path: $.needs_recovery, type: bool, max_age: 15m}
  theirs: {from: "sibling:health check", http: status}
  code: {from: http, path: status, type: number}
  wait: {http: retry_after}
  ready_at: {path: $.ready_at, type: instant}
  tried: {from: "rule:recover", path: fires}
rules:
  - id: degraded
    why: status degraded or errors above five
    when: err > 5 || state in ['degraded', 'critical']
    until: err < 2 && state == 'healthy'
    for: {count: 2, duration: 30s}
    probe: 30s
    until_for: {count: 2}
    hold: 2m
    action: {interval: 30s, ttl: 15m}
    priority: 50
  - id: recover
    when: need && tried < 3
    action: {run_once: now, ttl: 30m}
    cooldown: 5m
    max_fires: {count: 3, per: 1h, then: {pause: 1h}}
  - {id: limited, when: code == 429, probe: false, action: {pause: {field: wait, default: 60s, max: 1h}}}
  - {id: batch, when: known(ready_at), once_per: ready_at, action: {run_once: {field: ready_at, max: 2h}}}
  - {id: later, when: err5 < 0.1, action: {defer: 10m, sibling: reports}}
  - {id: start, when: theirs == 503, action: {run: recovery}}
  - {id: wake, when: state == 'critical', action: {wake: night shift, ttl: 10m}}
  - {id: scaled, when: err5 > 1, action: {interval: {field: err5, times: 12.5, min: 10s, max: 5m}, renew: false}}
  - {id: far, when: err > 99, action: {run_once: "2026-02-03T04:05:06Z"}}
limits: {pause_max: 2h, hint_changes_per_hour: 60, flips_per_hour: 10}
tests:
  - {given: {err: 8.5, state: degraded}, times: 2, expect: {interval: 30s}}
  - {given: {code: 429}, times: 1, expect: {action: pause}}
unsupported: [resume at once when it returns]
""")


def test_everything_that_can_be_written_is_read_and_written_again_the_same():
    policy = policy_of(EVERYTHING)

    assert len(policy.fields) == 9
    assert len(policy.rules) == 9
    assert policy_of(policy_document(policy)) == policy
    assert policy_from(policy_text(policy)) == policy


def test_a_written_policy_is_json():
    document = json.loads(policy_text(policy_of(EVERYTHING)))

    assert policy_of(document) == policy_of(EVERYTHING)


@pytest.mark.parametrize(
    ("change", "pointer", "advice"),
    [
        ({"version": 2}, "/version", "Must be 1"),
        ({"rulez": []}, "/rulez", "Did you mean `rules`?"),
        ({"fields": []}, "/fields", "object"),
        ({"rules": {}}, "/rules", "list"),
        ({"rules": [1]}, "/rules/0", "object"),
        ({"rules": [{}] * (RULES_MAX + 1)}, "/rules", str(RULES_MAX)),
        ({"fields": {f"f{n}": {"path": "$.a", "type": "number"} for n in range(FIELDS_MAX + 1)}}, "/fields", "32"),
        ({"limits": {"pause_max": "2d"}}, "/limits/pause_max", "1d"),
        ({"tests": [{"given": {"nope": 1}, "expect": {}}]}, "/tests/0/given/nope", "No field"),
        ({"tests": [{"given": {"err": 1}, "expect": {"interval": []}}]}, "/tests/0/expect/interval", "length of time"),
        ({"tests": [{"given": {"err": 10**400}, "expect": {}}]}, "/tests/0/given/err", "a number"),
        ({"tests": [{"given": {"err": 1}, "times": 1_000, "expect": {}}] * 2}, "/tests", "18,000"),
        ({"version": True}, "/version", "Must be 1"),
        ({"description": "a\x1b[31m"}, "/description", "U+001B"),
        ({"unsupported": ["a\x00"]}, "/unsupported", "U+0000"),
        ({"unsupported": ["a", "b" * 501]}, "/unsupported", "Text 2 is longer than 500 characters"),
        ({"unsupported": ["a"] * 33}, "/unsupported", "at most 32 texts"),
    ],
)
def test_a_fault_at_the_top_is_placed_and_explained(change, pointer, advice):
    assert advice in problems_of({**EVERYTHING, **change})[pointer]


@pytest.mark.parametrize(
    ("field", "pointer", "advice"),
    [
        ({"path": "$.a"}, "/type", "number, string, bool or instant"),
        ({"path": "$.a", "type": "float"}, "/type", "one of number"),
        ({"type": "number"}, "/path", "$.status"),
        ({"path": "$..a", "type": "number"}, "/path", "character 2"),
        ({"from": "sibling", "path": "$.a", "type": "number"}, "/from", "sibling:NAME"),
        ({"from": "http", "path": "code"}, "/path", "status"),
        ({"from": "http", "path": "status", "type": "string"}, "/type", "a number"),
        ({"from": "rule:nobody", "path": "fires"}, "", "No rule is called nobody."),
        ({"path": "$.a", "type": "string", "agg": "avg", "window": 3}, "/agg", "made of numbers"),
        ({"path": "$.a", "type": "number", "agg": "avg"}, "/window", "2 to 100"),
        ({"path": "$.a", "type": "number", "window": 3}, "/window", "agg"),
        ({"path": "$.a", "type": "number", "max_age": "1m"}, "/max_age", "sibling"),
        ({"path": "$.a", "type": "number", "enum": ["a"]}, "/enum", "Only text"),
        ({"path": "$.a", "type": "number", "unit": "ms"}, "/unit", "Unknown field"),
    ],
)
def test_a_fault_of_a_field_is_placed_and_explained(field, pointer, advice):
    document = copy.deepcopy(EVERYTHING)
    document["fields"]["extra"] = field

    assert advice in problems_of(document)[f"/fields/extra{pointer}"]


@pytest.mark.parametrize("name", ["1st", "if", "true", "known", "startsWith", "a b", "x" * 100])
def test_a_name_that_conditions_can_not_speak_of_is_refused(name):
    document = {**EVERYTHING, "fields": {**EVERYTHING["fields"], name: {"path": "$.a", "type": "number"}}}

    assert f"/fields/{name}" in problems_of(document)


@pytest.mark.parametrize(
    ("rule", "pointer", "advice"),
    [
        ({"id": None}, "/id", "an id"),
        ({"id": "2nd"}, "/id", "a letter first"),
        ({"id": "recover"}, "/id", "Another rule"),
        ({"when": None}, "/when", "condition"),
        ({"when": "er > 5"}, "/when", "err"),
        ({"when": "err > 'a'"}, "/when", "character"),
        ({"when": "err"}, "/when", "character"),
        ({"for": {"counts": 2}}, "/for/counts", "Did you mean `count`?"),
        ({"for": 0}, "/for", "1 to 100"),
        ({"probe": "10ms"}, "/probe", "1s"),
        ({"hold": "for ever"}, "/hold", "30s"),
        ({"cooldown": -5}, "/cooldown", "length of time"),
        ({"max_fires": {"count": 3}}, "/max_fires/per", "{count: 3, per: 1h}"),
        ({"priority": 1_001}, "/priority", "1000"),
        ({"once_per": "nothing"}, "/once_per", "No field"),
        ({"action": None}, "/action", "interval"),
        ({"action": {}}, "/action", "interval, run_once"),
        ({"action": {"interval": "30s", "pause": "1m"}}, "/action", "interval or pause"),
        ({"action": {"interval": "500ms"}}, "/action/interval", "1s"),
        ({"action": {"interval": "soon"}}, "/action/interval", "30s"),
        ({"action": {"pause": "25h"}}, "/action/pause", "1d"),
        ({"action": {"pause": "3h"}}, "/action/pause", "limits.pause_max, 2h"),
        ({"action": {"run_once": "tomorrow"}}, "/action/run_once", "now"),
        ({"action": {"interval": {"field": "state"}}}, "/action/interval/field", "string"),
        ({"action": {"interval": {"field": "nope"}}}, "/action/interval/field", "No field"),
        ({"action": {"interval": {"field": "ready_at"}}}, "/action/interval/field", "instant"),
        ({"action": {"pause": {"field": "wait", "min": "2h", "max": "1h"}}}, "/action/pause/min", "1h"),
        ({"action": {"pause": "1m", "renew": False}}, "/action/renew", "interval"),
        ({"action": {"run": "a", "sibling": "b"}}, "/action/sibling", "already"),
    ],
)
def test_a_fault_of_a_rule_is_placed_and_explained(rule, pointer, advice):
    document = copy.deepcopy(EVERYTHING)
    document["rules"].append({"id": "extra", "when": "err > 5", "action": {"interval": "30s"}} | rule)

    assert advice in problems_of(document)[f"/rules/9{pointer}"]


def problems_of(document):
    with pytest.raises(PolicyError) as refused:
        policy_of(document)
    return {problem.pointer: problem.problem for problem in refused.value.problems}


def test_a_stored_text_that_is_longer_than_today_s_limit_is_cut_and_the_policy_is_read() -> None:
    stored = policy_text(policy_of(EVERYTHING)).replace("resume at once when it returns", "a" * 501 + '","b')

    policy = policy_from(stored)

    assert policy.unsupported == ("a" * 500, "b")
    assert policy_from(policy_text(policy)) == policy
