"""Trying a policy on its own examples."""

from datetime import timedelta

import pytest

from cronicorn.domain.policy.reading import policy_of
from cronicorn.domain.trying import Cadence, tried

MINUTE = timedelta(minutes=1)
ERR = {"err": {"path": "$.a.b", "type": "number"}}
TIGHT = {"id": "tight", "when": "err > 5", "for": 2, "probe": "45s", "action": {"interval": "30s"}}


def results(*tests, fields=ERR, rules=(TIGHT,), **cadence):
    policy = policy_of({"version": 1, "fields": fields, "rules": list(rules), "tests": list(tests)})
    return tried(policy, Cadence(**{"every": 5 * MINUTE} | cadence))


def test_an_example_holds_when_what_it_expects_is_in_force_in_the_end():
    held = results(
        {"given": {"err": 6}, "times": 2, "expect": {"interval": "30s"}},
        {"given": {"err": 6}, "times": 1, "expect": {"interval": "45s"}},
        {"given": {"err": 5}, "times": 9, "expect": {"interval": "baseline"}},
        {"given": {"err": 5}, "times": 9, "expect": {"interval": "5m"}},
    )

    assert [each.held for each in held] == [True] * 4


def test_an_example_that_fails_says_what_came_instead():
    [failed] = results({"given": {"err": 6}, "times": 2, "expect": {"interval": "baseline"}})

    assert (failed.held, failed.interval, failed.did) == (False, timedelta(seconds=30), ("probe", "interval"))


def test_the_limits_of_the_endpoint_hold():
    [clamped] = results({"given": {"err": 6}, "times": 2, "expect": {"interval": "1m"}}, interval_min=MINUTE)

    assert clamped.held


def test_values_are_those_of_fields_also_where_they_look_back():
    fields = {
        "mean": {"path": "$.v", "type": "number", "agg": "avg", "window": 50},
        "now": {"path": "$.v", "type": "number"},
        "moved": {"path": "$.v", "type": "number", "agg": "changed"},
    }
    rules = [TIGHT | {"when": "mean > 5 && now < 1 && moved", "for": 1}]

    [held] = results(
        {"given": {"mean": 6, "now": 0, "moved": True}, "expect": {"interval": "30s"}}, fields=fields, rules=rules
    )

    assert held.held


def test_http_says_what_it_says_of_a_success_unless_an_example_does():
    fields = {name: {"http": name} for name in ("status", "ok", "failures", "latency_ms", "retry_after")}
    calm = "status == 200 && ok && failures == 0 && latency_ms == 0 && !known(retry_after)"
    rules = [TIGHT | {"id": "calm", "when": calm, "for": 1}, {"id": "bad", "when": "!ok", "action": {"pause": "5m"}}]

    calm_, bad = results(
        {"expect": {"interval": "30s"}}, {"given": {"ok": False}, "expect": {"action": "pause"}},
        fields=fields, rules=rules,
    )  # fmt: skip

    assert (calm_.held, bad.held) == (True, True)


def test_a_sibling_answers_where_only_its_fields_are_given():
    fields = {"need": {"from": "sibling:health", "path": "$.need", "type": "bool"}}
    rules = [
        {"id": "recover", "when": "need", "cooldown": "3m", "action": {"run_once": "now"},
         "max_fires": {"count": 2, "per": "1h", "then": {"pause": "1h"}}},
    ]  # fmt: skip

    once, paused, not_yet = results(
        {"given": {"need": True}, "expect": {"action": "run_once"}},
        {"given": {"need": True}, "times": 7, "expect": {"action": "pause"}},
        {"given": {"need": True}, "times": 4, "expect": {"action": "pause"}},
        fields=fields, rules=rules, every=None,
    )  # fmt: skip

    assert (once.held, paused.held, not_yet.held) == (True, True, False)
    assert once.interval is None


@pytest.mark.parametrize("given", [{"err": "many"}, {"stands": True}], ids=["of another type", "how a rule stands"])
def test_what_nobody_can_give_is_named(given):
    fields = ERR | {"stands": {"from": "rule:tight", "path": "active"}}

    [failed] = results({"given": given, "expect": {"interval": "baseline"}}, fields=fields)

    assert (failed.held, failed.unread) == (False, tuple(given))


def test_rules_act_at_the_pace_that_they_set_themselves():
    rules = [TIGHT | {"for": 1, "action": {"interval": "30s", "ttl": "2m", "renew": False}}]

    held, over = results(
        {"given": {"err": 6}, "times": 4, "expect": {"interval": "30s"}},
        {"given": {"err": 6}, "times": 6, "expect": {"interval": "baseline"}}, rules=rules,
    )  # fmt: skip

    assert (held.held, over.held) == (True, True)
