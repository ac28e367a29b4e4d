"""Validators find what is wrong with a draft, each in its turn."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cronicorn.domain.compilation.answer_profile import AnswerProfile, profile_of
from cronicorn.domain.compilation.draft import (
    FINDING_CHARACTERS_MAX,
    Figures,
    Finding,
    FindingCheck,
    Severity,
    errors_in,
)
from cronicorn.domain.compilation.judging import backtested, judged, read_draft
from cronicorn.domain.compilation.meeting import meeting_of
from cronicorn.domain.fixtures import an_endpoint
from tests.domain.compilation.values import a_policy, a_rule, answers

TESTS = [
    {"given": {"err": 8}, "expect": {"interval": "15s"}},
    {"given": {"err": 0}, "expect": {"interval": "baseline"}},
]
PROFILE = profile_of(answers({"err": 1, "state": "ok", "up": True}, {"err": 9, "state": "bad", "up": False}))
ENDPOINT = an_endpoint(interval_min=timedelta(seconds=5), interval_max=timedelta(hours=1))


def said(*rules, profile=PROFILE, siblings=(), **more):
    """Which validators say what where of a policy with *rules*."""
    policy = a_policy(*rules, **({"tests": TESTS} | more))
    return [(each.check, each.severity.value, each.pointer) for each in judged(policy, ENDPOINT, profile, siblings)]


def test_a_sound_policy_passes():
    assert said(a_rule("err > 5", "err < 2")) == []


def test_what_is_no_policy_is_told_with_every_fault():
    policy, findings = read_draft({"version": 1, "rules": [{"id": "a", "when": "x > 1", "action": {}}, {"id": "b"}]})

    assert policy is None
    assert {each.check for each in findings} == {"schema"}
    assert len(findings) >= 3


@pytest.mark.parametrize(
    ("change", "pointer", "character"),
    [
        ({"unsupported": ["send mail\u202e"]}, "/unsupported/0", "U+202E"),
        ({"rules": [a_rule("state == 'o\u200bk'")]}, "/rules/0/when", "U+200B"),
        ({"rules": [a_rule("err > 5", why="much\u2028to do")]}, "/rules/0/why", "U+2028"),
        ({"rules": [a_rule("err > 5") | {"id": "sur\u200bge"}]}, "/rules/0/id", "U+200B"),
        (
            {"fields": {"state": {"path": "$.state", "type": "string", "enum": ["o\u2060k"]}}},
            "/fields/state/enum/0",
            "U+2060",
        ),
        ({"fields": {"st\u200bate": {"path": "$.state", "type": "string"}}}, "/fields/state", "U+200B"),
    ],
)
def test_a_text_that_holds_what_nobody_sees_is_refused_and_named(change, pointer, character):
    policy, (finding,) = read_draft(
        {"version": 1, "description": "of the owner\u200b", "fields": {}, "rules": []} | change
    )

    assert policy is None
    assert (finding.check, finding.severity, finding.pointer) == ("schema", Severity.ERROR, pointer)
    assert f"holds {character}, which nobody sees" in finding.message
    assert finding.message.isprintable()


def test_invisible_texts_without_end_are_told_by_the_first_ones():
    _, findings = read_draft({"version": 1, "rules": [], "unsupported": ["\u200b"] * 1_000})

    assert len(findings) == 10


def test_a_field_that_no_answer_had_is_unverified():
    assert ("fields", "warning", "/fields/up") in said(a_rule("err > 5"), profile=profile_of(answers({"err": 1})))


def test_a_field_of_another_type_is_refused():
    profile = profile_of(answers({"err": "much", "state": "ok", "up": True}))

    assert ("fields", "error", "/fields/err") in said(a_rule("err > 5"), profile=profile)


def test_a_word_that_was_never_answered_is_unverified():
    fields = {"state": {"path": "$.state", "type": "string", "enum": ["ok", "bad", "worse"]}}
    tests = [{"given": {"state": "worse"}, "expect": {"interval": "15s"}}]

    assert said(a_rule("state == 'worse'"), fields=fields, tests=tests) == [("fields", "warning", "/fields/state")]


def test_a_word_outside_its_own_enumeration_is_refused():
    fields = {"state": {"path": "$.state", "type": "string", "enum": ["ok", "bad"]}}
    found = said(a_rule("state == 'wrose'"), fields=fields, tests=[{"given": {"state": "ok"}, "expect": {}}])

    assert ("fields", "error", "/rules/0/when") in found


@pytest.mark.parametrize("length", ["1s", "2h"])
def test_an_interval_outside_the_guardrails_is_refused(length):
    found = said(a_rule("err > 5", action={"interval": length}), tests=[{"given": {"err": 0}, "expect": {}}])

    assert ("limits", "error", "/rules/0/action/interval") in found


def test_a_sibling_that_is_not_there_is_refused_and_one_that_is_unverified():
    fields = {"theirs": {"from": "sibling:other", "path": "$.x", "type": "number"}}
    rule = a_rule("theirs > 5")
    tests = [{"given": {"theirs": 8}, "expect": {"interval": "15s"}}]

    assert said(rule, fields=fields, tests=tests) == [("fields", "error", "/fields/theirs")]
    assert said(rule, fields=fields, tests=tests, siblings=["other"]) == [("fields", "warning", "/fields/theirs")]


def test_a_longer_pause_than_usual_is_to_be_looked_at():
    rule = a_rule("err > 5", action={"pause": "2h"}, cooldown="3h")
    tests = [{"given": {"err": 8}, "expect": {"action": "pause"}}]

    assert said(rule, limits={"pause_max": "3h"}, tests=tests) == [("limits", "warning", "/limits/pause_max")]


def test_a_test_that_does_not_hold_is_refused_with_what_came():
    policy = a_policy(a_rule("err > 5"), tests=[{"given": {"err": 8}, "expect": {"interval": "30s"}}])

    (finding,) = judged(policy, ENDPOINT, PROFILE, ())

    assert (finding.pointer, finding.check) == ("/tests/0", "tests")
    assert finding.message == (
        "After err = 8, once, this test expects that the interval is 30s in the end; but the rules did: interval; the "
        "interval is 15s. Mend the rule if the test says what the description does, else the test."
    )


def sentence(*rules, profile=PROFILE, siblings=(), **more):
    """The only thing that validators say."""
    policy = a_policy(*rules, **({"tests": TESTS} | more))
    (finding,) = judged(policy, ENDPOINT, profile, siblings)
    return finding.message


THEIR_TESTS = [{"given": {"theirs": 8}, "expect": {"interval": "15s"}}]
TEST = {"given": {"err": 0}, "expect": {"interval": "baseline"}}
THEIRS = {"theirs": {"from": "sibling:other", "path": "$.x", "type": "number"}}


@pytest.mark.parametrize(
    ("found", "parts"),
    [
        (
            lambda: sentence(a_rule("err > 5", action={"interval": "1s"}), tests=[TEST]),
            ["Every 1s is below", "the minimum interval, 5s,", "Give that at the utmost"],
        ),
        (
            lambda: sentence(a_rule("err > 5", "err < 9")),
            ["both hold for err = ", "Change `until`", "err > 5 and err < 9"],
        ),
        (
            lambda: sentence(a_rule("err > 5", "err > 10 && err < 3"), tests=TESTS[:1]),
            ["`until` never holds", "err > 10 && err < 3", "leave it out"],
        ),
        (
            lambda: sentence(a_rule("err > 5"), tests=[]),
            ["rules and no tests", '{"interval": "baseline"}'],
        ),
        (
            lambda: sentence(
                a_rule("err > 5"), tests=[{"given": {"err": 8}, "times": 2, "expect": {"action": "pause"}}]
            ),
            [
                "After err = 8, 2 times in a row,",
                "expects that the rules pause;",
                "but the rules did: interval;",
                "15s",
            ],
        ),
        (
            lambda: sentence(a_rule("err > 5"), tests=[{"given": {"err": 1}, "expect": {"interval": "15s"}}]),
            ["After err = 1, once,", "the interval is 15s in the end", "but no rule acted", "Mend the rule if"],
        ),
        (
            lambda: sentence(a_rule("err > 5"), tests=[{"given": {"err": 9}, "expect": {"interval": "baseline"}}]),
            ["the interval is the baseline in the end; but the rules did: interval; the interval is 15s"],
        ),
        (
            lambda: sentence(a_rule("err > 5"), tests=[{"given": {"err": "much"}, "expect": {"interval": "15s"}}]),
            ["can't be read, of err", "declared fields, values of their types"],
        ),
        (
            lambda: sentence(a_rule("theirs > 5"), fields=THEIRS, tests=THEIR_TESTS, siblings=["a", "b"]),
            ["no other endpoint called other", "It has a, b: name one of these, or take the field out"],
        ),
        (
            lambda: sentence(a_rule("theirs > 5"), fields=THEIRS, tests=THEIR_TESTS),
            ["no other endpoint called other", "It has no other endpoint: take the field out"],
        ),
        (
            lambda: sentence(a_rule("err > 5"), profile=profile_of(answers({"err": "much", "state": "a", "up": True}))),
            ["Declared as number, but", "hold string at $.err", "Declare the type that they have"],
        ),
    ],
)
def test_a_sentence_says_what_was_found_what_was_expected_and_how_to_mend_it(found, parts):
    message = found()

    assert [part for part in parts if part not in message] == []
    assert message.endswith((".", "}."))
    assert len(message) < 400


def test_rules_without_tests_are_refused():
    assert said(a_rule("err > 5"), tests=[]) == [("tests", "error", "/tests")]
    assert said(tests=[]) == []


@pytest.mark.parametrize(
    ("when", "until", "meets"),
    [
        ("err > 5", "err < 2", False),
        ("err > 5", "err <= 5", False),
        ("err > 5", "err < 9", True),
        ("err >= 5", "err <= 5", True),
        ("err > 5", "up", True),
        ("err > 5 && !up", "up", False),
        ("state == 'bad'", "state != 'worse'", True),
        ("state in ['bad', 'worse']", "state == 'ok'", False),
        ("state.startsWith('b')", "state == 'bad'", True),
        ("state.contains('err')", "!state.contains('err')", False),
        ("known(err)", "!known(err)", False),
        ("known(err)", "err > 3", True),
        ("err * 2 > 10", "err < 2", False),
    ],
)
def test_what_begins_a_rule_may_not_end_it(when, until, meets):
    policy = a_policy(a_rule(when, until))

    met = meeting_of(policy.rules[0], policy)

    assert (met.both is not None) == meets
    assert met.whole


def test_how_long_a_rule_has_been_in_force_may_end_it():
    fields = {
        "err": {"path": "$.err", "type": "number"},
        "since": {"from": "rule:rule", "path": "active_for"},
    }
    policy = a_policy(a_rule("err > 5", "err < 2 || since > 3600"), fields=fields)

    assert meeting_of(policy.rules[0], policy).both is None


@pytest.mark.parametrize(("when", "until", "pointer"), [
    ("err > 10 && err < 5", None, "/rules/0/when"),
    ("err > 5", "err > 10 && err < 3", "/rules/0/until"),
    ("state == 'a' && state == 'b'", None, "/rules/0/when"),
])  # fmt: skip
def test_what_never_holds_is_refused(when, until, pointer):
    policy = a_policy(a_rule(when, until))

    found = [each.pointer for each in judged(policy, ENDPOINT, AnswerProfile(), ()) if each.check == "ends"]

    assert found == [pointer]


def test_more_combinations_than_can_be_tried_are_to_be_looked_at():
    names = [f"f{number}" for number in range(12)]
    fields = {name: {"path": f"$.{name}", "type": "number"} for name in names}
    policy = a_policy(a_rule(" && ".join(f"{name} > 1" for name in names), "f0 < 0"), fields=fields)

    (finding,) = (each for each in judged(policy, ENDPOINT, AnswerProfile(), ()) if each.check == "ends")

    assert finding.severity == "warning"


def test_rules_that_come_and_go_on_the_record_are_refused_and_no_record_is_to_be_looked_at():
    assert errors_in(backtested(Figures(calls_a_day_new=9.0, flips_an_hour=4.1)))
    assert backtested(Figures(calls_a_day_new=9.0, flips_an_hour=4.0)) == ()
    assert [each.severity for each in backtested(Figures())] == ["warning"]


def test_a_finding_is_one_bounded_line_whoever_makes_it():
    long = "ab\r\n\u2028 \x1b[31mcd " * FINDING_CHARACTERS_MAX
    finding = Finding(check=FindingCheck.MODEL, severity=Severity.ERROR, pointer=f"/fields/{long}", message=long)

    for shown in (finding.pointer, finding.message):
        assert "ab [31mcd ab" in shown
        assert shown.isprintable()
        assert len(shown) == FINDING_CHARACTERS_MAX
        assert shown.endswith("…")
    assert replace(finding, message="As it was.").message == "As it was."
