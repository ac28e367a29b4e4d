"""`cronicorn policy`, as a person would type it."""

import json

import pytest
from jsonschema import Draft202012Validator

from tests.cli.command import cronicorn

POLICY = """\
version: 1
fields:
  err: {path: $.error_rate_pct, type: number}
  eta: {path: $.eta_minutes, type: number}
  at: {path: $.at, type: instant}
rules:
  - id: degraded
    why: many errors
    when: err > 5
    until: err < 2
    for: 2
    until_for: 90s
    hold: 2m
    action: {interval: 30s, ttl: 20m}
    priority: 7
  - id: near
    when: eta > 0
    cooldown: 5m
    max_fires: {count: 3, per: 1h, then: {pause: 20m}}
    action: {run_once: {field: eta, times: 60, min: 1m, default: 10m}}
  - {id: rest, when: known(at), once_per: at, action: {pause: {field: at}}}
  - {id: help, when: err > 9, probe: off, for: 3, action: {run: helper}}
unsupported: [tell my mother]
tests:
  - {given: {err: 8}, times: 2, expect: {interval: 30s}}
"""


def test_the_schema_is_json_schema_and_accepts_a_policy():
    ended = cronicorn("policy", "schema")

    schema = json.loads(ended.out)
    Draft202012Validator.check_schema(schema)
    assert ended.code == 0
    assert not list(Draft202012Validator(schema).iter_errors({"version": 1, "rules": []}))


def test_a_check_says_each_rule_in_words_and_what_became_of_each_test():
    ended = cronicorn("policy", "check", "-", "--every", "4m", "--min", "10s", stdin=POLICY)

    assert ended.code == 0, ended.err
    assert ended.out.splitlines() == [
        "Rules: 4, fields: 3, on an endpoint called every 4m, minimum 10s",
        "",
        "rule degraded (priority 7): many errors",
        "  when   err is above 5; 2 answers in a row; meanwhile called every 30s",
        "  do     call it every 30s, until 20m after an answer last said so",
        "  until  err is below 2; for 90s; and 2m have passed",
        "",
        "rule near",
        "  when   eta is above 0",
        (
            "  do     run it once, in eta × 60 seconds (at least 1m, where unknown 10m); again after 5m, not sooner; "
            "at most 3 times in 1h, then pause it for 20m"
        ),
        "  until  that no longer holds",
        "",
        "rule rest",
        "  when   at is known",
        "  do     pause it until the instant at; once for each value of at",
        "  until  that no longer holds",
        "",
        "rule help",
        "  when   err is above 9; 3 answers in a row",
        "  do     run helper once, now",
        "  until  that no longer holds",
        "",
        "no rule says: tell my mother",
        "",
        "test 1  held  err = 8, 2 times: every 30s",
    ]


def test_a_check_is_told_to_programs_with_all_that_people_are_told():
    failing = POLICY.replace("interval: 30s}}", "interval: baseline}}")
    odd = """\
version: 1
fields: {state: {path: $.state, type: string, enum: [ok]}}
rules: [{id: rest, when: state == 'no', action: {pause: 1m}}]
"""

    held = cronicorn("policy", "check", "-", "--json", stdin=POLICY)
    failed = cronicorn("policy", "check", "-", "--json", stdin=failing)
    warned = json.loads(cronicorn("policy", "check", "-", "--json", stdin=odd).out)

    told, refuted = json.loads(held.out), json.loads(failed.out)
    assert (held.code, failed.code) == (0, 1)
    assert [rule["id"] for rule in told["policy"]["rules"]] == ["degraded", "near", "rest", "help"]
    assert told["in_words"][0] == "rule degraded (priority 7): many errors"
    assert told["unsupported"] == ["tell my mother"]
    assert (told["held"], told["warnings"], [each["held"] for each in told["tests"]]) == (True, [], [True])
    assert (refuted["held"], [each["held"] for each in refuted["tests"]]) == (False, [False])
    assert [each["pointer"] for each in warned["warnings"]] == ["/rules/0/when"]


def test_a_test_that_fails_is_told_with_what_came_and_ends_with_1():
    ended = cronicorn("policy", "check", "-", stdin=POLICY.replace("interval: 30s}}", "interval: baseline}}"))

    assert ended.code == 1
    assert ended.out.splitlines()[-1] == (
        "test 1  FAILED  err = 8, 2 times: at the baseline; but it is called every 30s, having done probe, interval"
    )


def test_json_is_read_as_well():
    ended = cronicorn("policy", "check", "-", stdin=json.dumps({"version": 1, "rules": []}))

    assert (ended.code, ended.out) == (0, "Rules: 0, fields: 0, on an endpoint called every 5m\n")


def test_each_fault_is_told_with_its_line_and_place():
    faulty = POLICY.replace("when: err > 5\n", "when: er > 5\n").replace("cooldown: 5m", "cooldwn: 5m")

    ended = cronicorn("policy", "check", "-", stdin=faulty)

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines() == [
        "Error: stdin:9: /rules/0/when: No field is called er; did you mean err? (character 1)",
        "Error: stdin:18: /rules/1/cooldwn: Unknown field. Did you mean `cooldown`?",
    ]


@pytest.mark.parametrize(
    ("arguments", "stdin", "said"),
    [
        (("nowhere.yaml",), "", "There is no file nowhere.yaml."),
        (("-",), "- 1\n", "stdin is no policy: begin with `version: 1`, `fields` and `rules`."),
        (("-",), "", "stdin is no policy: begin with `version: 1`, `fields` and `rules`."),
        (("-", "--every", "5"), POLICY, "--every needs a unit: 5s, 5m, 5h or 5d."),
        (("-", "--every", "soon"), POLICY, "--every must be a duration such as 500ms, 10s, 5m, 2h or 30d, not 'soon'."),
        (("-", "--min", "0s"), POLICY, "--min must be at least 1s, not 0s."),
    ],
)
def test_what_can_not_be_checked_ends_with_2(arguments, stdin, said):
    ended = cronicorn("policy", "check", *arguments, stdin=stdin)

    assert (ended.code, ended.err) == (2, f"Error: {said}\n")


def test_a_check_says_what_guardrails_make_of_a_rule_and_what_no_answer_will_say():
    policy = """\
version: 1
fields: {state: {path: $.state, type: string, enum: [ok, degraded]}}
rules:
  - {id: fast, when: state == 'degradd', action: {interval: 5s}}
  - {id: slow, when: "'ok' == state", action: {interval: 1h}}
  - {id: rest, when: "!(state in ['ok', 'fine'])", until: state == 'ok', action: {pause: 30m}}
"""
    ended = cronicorn("policy", "check", "-", "--min", "30s", "--max", "10m", stdin=policy)

    assert ended.code == 0, ended.err
    lines = ended.out.splitlines()
    assert [line for line in lines if line.startswith("  do")] == [
        "  do     call it every 5s (its minimum makes that 30s)",
        "  do     call it every 1h (its maximum makes that 10m)",
        "  do     pause it for 30m (looked at every 10m, its maximum)",
    ]
    assert [line for line in lines if line.startswith("warning")] == [
        (
            "warning: /rules/0/when: state is declared to be one of ok, degraded, and never 'degradd'. "
            "Did you mean 'degraded'?"
        ),
        "warning: /rules/2/when: state is declared to be one of ok, degraded, and never 'fine'.",
    ]


def test_a_file_of_apply_is_told_from_a_policy():
    ended = cronicorn("policy", "check", "-", stdin="jobs: [{name: shop, endpoints: []}]")

    assert (ended.code, ended.out) == (2, "")
    assert "`cronicorn apply --dry-run` checks it" in ended.err
