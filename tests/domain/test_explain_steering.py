"""What was made of an answer, in words."""

from cronicorn.domain.explain_steering import explained_steering
from tests.domain.policy.history import History, endpoint_with

FIELDS = {"err": {"path": "$.err", "type": "number"}, "state": {"path": "$.state", "type": "string", "enum": ["ok"]}}
RULE = {"id": "tight", "when": "err > 5 && state.endsWith('END')", "until": "err < 2", "action": {"interval": "30s"}}


def explained_after(*bodies, rules=(RULE,)):
    endpoint = endpoint_with({"fields": FIELDS, "rules": [*rules]})
    history = History.of(endpoint)
    for body in bodies:
        history.answer(body)
    return explained_steering(history.record, endpoint.policy)


def test_each_comparison_is_told_as_it_came_out_however_long_the_text():
    [rule] = explained_after({"err": 9, "state": "x" * 300 + "END"}).rules

    assert (rule.was, rule.phase, rule.verdict, rule.asked) == ("idle", "active", True, RULE["when"])
    assert rule.why == "Its condition holds: it is in force now."
    assert [(part.text, part.value) for part in rule.parts] == [("err > 5", True), ("state.endsWith('END')", True)]
    assert rule.otherwise == "err <= 5"
    assert rule.did == ("interval",)


def test_a_rule_in_force_is_asked_what_ends_it():
    [rule] = explained_after({"err": 9, "state": "END"}, {"err": 3, "state": "END"}).rules

    assert (rule.was, rule.phase, rule.verdict, rule.asked) == ("active", "active", False, "err < 2")
    assert rule.otherwise == "err < 2"


def test_what_answers_lack_is_told():
    events = explained_after(*[{"state": "oddEND"}] * 3).events

    assert events == (
        "state is none of the values it was declared to have.",
        "Rule tight: three answers in a row did not say what it asks for (drift).",
    )


def test_a_rule_that_has_changed_since_is_told_without_its_text():
    history = History.of(endpoint_with({"fields": FIELDS, "rules": [RULE]}))
    history.answer({"err": 9, "state": "END"})
    now = endpoint_with({"fields": FIELDS, "rules": [RULE | {"when": "err < 0"}]})

    [rule] = explained_steering(history.record, now.policy).rules

    assert (rule.verdict, rule.asked, rule.parts, rule.otherwise) == (True, None, (), None)


def test_each_rule_is_told_with_how_others_stood_when_it_was_asked():
    fields = FIELDS | {"low": {"from": "rule:b", "path": "active"}}
    rules = [
        {"id": "a", "when": "!low", "action": {"run_once": "1m"}},
        {"id": "b", "when": "err > 5", "action": {"interval": "30s"}},
        {"id": "c", "when": "low", "action": {"run_once": "2m"}},
    ]
    endpoint = endpoint_with({"fields": fields, "rules": rules})
    history = History.of(endpoint)
    history.answer({"err": 9, "state": "END"})

    told = explained_steering(history.record, endpoint.policy).rules

    assert [(rule.rule, rule.verdict, rule.parts[0].value) for rule in told] == [
        ("a", True, False), ("b", True, True), ("c", True, True),
    ]  # fmt: skip


def test_a_rule_that_is_gone_is_told_without_its_text():
    endpoint = endpoint_with({"fields": FIELDS, "rules": [RULE]})
    history = History.of(endpoint)
    history.answer({"err": 9, "state": "END"})

    [rule] = explained_steering(history.record, None).rules

    assert (rule.rule, rule.phase, rule.asked, rule.parts, rule.otherwise) == ("tight", "active", None, (), None)
