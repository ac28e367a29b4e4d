"""A description is compiled again when there is a reason to, and not more often than that."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cronicorn.domain.compilation.draft import CompileReason, DraftStatus
from cronicorn.domain.compilation.recompiling import A_DAY_MAX, SPACING, allowed_at, recompilation
from cronicorn.domain.endpoint import CompileMode, EndpointState
from cronicorn.domain.fixtures import MIDNIGHT, an_endpoint, an_outcome
from cronicorn.domain.policy.memory import Phase, PolicyMemory, RuleMemory
from cronicorn.domain.policy.steps import PolicySteps, RuleStep
from cronicorn.domain.steering_memory import SteeringMemory
from cronicorn.domain.steering_record import SteeringRecord
from tests.domain.compilation.values import DESCRIPTION, SURGE, a_draft, a_policy, a_rule, answers

HOUR = timedelta(hours=1)
LATER = MIDNIGHT + 48 * HOUR
RUNS = answers(*[{"err": 1}] * 6)


def endpoint(memory: RuleMemory | None = None, **changes):
    """One that SURGE is in force on."""
    rules = PolicyMemory(rules={"rule": memory} if memory is not None else {})
    state = EndpointState(memory=SteeringMemory(rules=rules))
    return an_endpoint(**({"description": DESCRIPTION, "policy": SURGE, "state": state} | changes))


def asked(of=None, drafts=None, runs=RUNS, now=LATER):
    return recompilation(of or endpoint(), runs, [a_draft()] if drafts is None else drafts, now)


def steered(run, *, unexpected=(), flips=0):
    """*run* with what was made of its answer."""
    awake = tuple(RuleStep(f"rule{number}", RuleMemory(), Phase.ACTIVE, verdict=True) for number in range(flips))
    frame = SURGE.frame._replace(rules=tuple(step.rule for step in awake))
    steps = PolicySteps(frame, (1.0,), awake, tuple(unexpected))
    return replace(run, steering=SteeringRecord(at=run.started_at, own=steps).encode())


def test_while_all_is_well_nothing_is_asked():
    assert asked() is None


def test_a_new_description_is_compiled_once_a_few_answers_are_known():
    new = endpoint(policy=None, compile_mode=CompileMode.AUTO)

    assert asked(new, []) is CompileReason.FIRST
    assert asked(new, [], RUNS[:4]) is None


def test_the_first_compile_is_a_persons_unless_the_mode_says_otherwise():
    assert asked(endpoint(policy=None), []) is None


def test_what_a_person_wrote_is_left_alone():
    assert asked(endpoint(), []) is None
    assert asked(endpoint(RuleMemory(unknowns=9), policy=a_policy(a_rule("err > 9")))) is None


def test_a_changed_description_is_compiled():
    assert asked(endpoint(description="Another.")) is CompileReason.CHANGED


def test_a_description_changed_back_is_compiled_unless_what_was_made_of_it_stands():
    other = a_policy(a_rule("err > 9"))
    newer = a_draft(id="dr2", description="Another.", policy=other)
    was = a_draft(status=DraftStatus.SUPERSEDED)
    waits = a_draft(id="dr2", description="Another.", status=DraftStatus.DRAFT)

    assert asked(endpoint(policy=other), [newer, was]) is CompileReason.CHANGED
    assert asked(endpoint(policy=other), [newer, a_draft(status=DraftStatus.REJECTED)]) is None
    assert asked(drafts=[waits, a_draft()]) is None, "the policy of this description is in force"


def test_a_newer_compiler_compiles_again():
    assert asked(drafts=[a_draft(compiler=0)]) is CompileReason.COMPILER


def test_a_rule_that_reads_nothing_three_times_in_a_row_has_drifted():
    assert asked(endpoint(RuleMemory(unknowns=2))) is None
    assert asked(endpoint(RuleMemory(unknowns=3))) is CompileReason.DRIFT


def test_drift_asks_nobody_while_a_draft_waits():
    waiting = a_draft(id="dr2", status=DraftStatus.DRAFT)

    assert asked(endpoint(RuleMemory(unknowns=3)), [waiting, a_draft()]) is None


def test_a_new_value_counts_when_it_comes_twice():
    once = [*RUNS[:5], steered(RUNS[5], unexpected=["state"])]
    twice = [*RUNS[:4], steered(RUNS[4], unexpected=["state"]), steered(RUNS[5], unexpected=["state"])]

    assert asked(runs=once) is None
    assert asked(runs=twice) is CompileReason.NEW_VALUE


def test_a_new_kind_of_answer_counts_when_it_comes_twice():
    strange = answers(*[{"err": 1}] * 6, status_code=503)

    assert asked(runs=[*RUNS, strange[0]]) is None
    assert asked(runs=[*RUNS, *strange[:2]]) is CompileReason.NEW_KIND


def test_rules_that_come_and_go_or_stay_for_a_day_are_only_told():
    flapping = [steered(run, flips=1) for run in RUNS]
    stuck = RuleMemory(phase=Phase.ACTIVE, entered_at=LATER - 25 * HOUR)

    assert asked(runs=flapping) is CompileReason.FLIPS
    assert asked(endpoint(stuck)) is CompileReason.STUCK
    assert CompileReason.FLIPS.only_suggested
    assert CompileReason.STUCK.only_suggested
    assert not CompileReason.DRIFT.only_suggested


@pytest.mark.parametrize("changes", [
    {"compile_mode": CompileMode.OFF}, {"description": None}, {"description": ""}, {"archived_at": MIDNIGHT},
])  # fmt: skip
def test_nothing_is_asked_where_there_is_nothing_to_compile(changes):
    assert asked(endpoint(RuleMemory(unknowns=3), **changes)) is None


def test_six_hours_lie_between_two_compiles():
    drifted = endpoint(RuleMemory(unknowns=3))

    assert asked(drifted, now=MIDNIGHT + SPACING - timedelta(seconds=1)) is None
    assert asked(drifted, now=MIDNIGHT + SPACING) is CompileReason.DRIFT


def test_three_compiles_a_day_are_the_most():
    drafts = [a_draft(id=f"dr{hour}", created_at=MIDNIGHT + hour * HOUR) for hour in (14, 7, 0)]

    assert len(drafts) == A_DAY_MAX
    assert allowed_at(drafts) == MIDNIGHT + 24 * HOUR
    assert allowed_at(drafts[:2]) == MIDNIGHT + 20 * HOUR


def test_what_people_asked_for_counts_for_nothing():
    assert allowed_at([a_draft(reason=CompileReason.ASKED)]) is None


def test_each_failure_doubles_the_wait():
    failed = [a_draft(status=DraftStatus.NEEDS_ATTENTION)] * 30

    assert allowed_at([*failed[:1], a_draft()]) == MIDNIGHT + 12 * HOUR
    assert allowed_at([*failed[:2], a_draft()]) == MIDNIGHT + 24 * HOUR
    assert allowed_at(failed) == MIDNIGHT + timedelta(days=8)


def test_a_draft_that_changes_nothing_holds_no_later_compile_up():
    same = a_draft(id="dr2", status=DraftStatus.UNCHANGED, created_at=MIDNIGHT + HOUR, decided_at=None, decided_by=None)
    strange = answers(*[{"err": 1}] * 6, status_code=404)
    later = [
        replace(run, started_at=run.started_at + 2 * HOUR, finished_at=run.finished_at + 2 * HOUR) for run in strange
    ]
    of_that_kind = replace(same, classes=frozenset({"2xx json", "4xx json"}))

    assert asked(drafts=[same, a_draft()], runs=later) is CompileReason.NEW_KIND
    assert asked(drafts=[of_that_kind, a_draft()], runs=later) is None


def test_that_nothing_changed_is_no_new_kind_of_answer():
    unchanged = [replace(run, outcome=an_outcome(304)) for run in RUNS]

    assert asked(runs=[*RUNS, *unchanged]) is None
