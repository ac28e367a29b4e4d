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


def test_a_rule_that_is_gone_is_told_without_its_text():
    endpoint = endpoint_with({"fields": FIELDS, "rules": [RULE]})
    history = History.of(endpoint)
    history.answer({"err": 9, "state": "END"})

    [rule] = explained_steering(history.record, None).rules

    assert (rule.rule, rule.phase, rule.asked, rule.parts, rule.otherwise) == ("tight", "active", None, (), None)
