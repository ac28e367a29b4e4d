"""Asking why nothing else was done at an instant, and why a run was made and what followed from it."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from cronicorn.control.decisions import PastDecision, RunExplanation
from cronicorn.control.document import OneShotHintDocument
from cronicorn.control.runs import UnfinishedRun
from cronicorn.domain.errors import NotFoundError
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.plan import Source
from cronicorn.domain.run import Run
from tests.control.test_policies import POLICY, answering, ran
from tests.control.world import ALICE, BOB, a_world
from tests.domain.policy.history import MINUTE


def due_at(told: PastDecision | RunExplanation) -> datetime | None:
    """For when the plan was that followed, of which there must be one."""
    assert told.following is not None
    return told.following.due_at


async def test_a_past_instant_is_explained_by_what_had_been_decided_before_it() -> None:
    world = a_world()
    endpoint = await world.endpoint(policy=POLICY)
    await ran(world, 0, 9)
    at = world.clock.now() + 10 * MINUTE / 60
    world.clock.move(seconds=30)
    await world.run_due(answering(0))

    past = await world.control.decisions.explain_at(ALICE, endpoint.id, at)

    assert past.run is not None
    assert past.run.started_at == MIDNIGHT + 2 * MINUTE
    assert past.steering is not None
    assert [(rule.rule, rule.phase) for rule in past.steering.rules] == [("burst", "active")]
    assert past.following is not None
    assert past.following.due_at == MIDNIGHT + 2.5 * MINUTE
    assert ("interval-hint", "won") in [(step.step, step.verdict) for step in past.following.steps]


async def test_a_plan_that_was_made_later_is_not_told_of_an_instant_before() -> None:
    world = a_world()
    endpoint = await world.endpoint()
    await ran(world, 0)
    world.clock.move(seconds=20)
    asked_about = world.clock.now()
    before = await world.control.decisions.explain_at(ALICE, endpoint.id, asked_about)
    world.clock.move(seconds=5)
    await world.control.hints.write_one_shot(
        ALICE, endpoint.id, OneShotHintDocument.model_validate({"nextRunInMs": 3_000})
    )

    now = await world.control.decisions.explain_at(ALICE, endpoint.id)
    after = await world.control.decisions.explain_at(ALICE, endpoint.id, asked_about)
    world.clock.move(seconds=10)
    await world.run_due(answering(0))
    later = await world.control.decisions.explain_at(ALICE, endpoint.id, asked_about)

    assert due_at(before) == MIDNIGHT + 2 * MINUTE
    assert due_at(now) == asked_about + timedelta(seconds=8)
    assert [each.following for each in (after, later)] == [None, None]


async def test_an_instant_since_the_last_run_is_explained_by_the_plan_in_force() -> None:
    world = a_world()
    endpoint = await world.endpoint()
    await ran(world, 0)
    world.clock.move(seconds=20)

    past = await world.control.decisions.explain_at(ALICE, endpoint.id)

    assert (past.at, due_at(past)) == (world.clock.now(), MIDNIGHT + 2 * MINUTE)


async def test_an_instant_before_all_runs_has_no_decision_before_it() -> None:
    world = a_world()
    endpoint = await world.endpoint()
    await ran(world, 0)

    past = await world.control.decisions.explain_at(ALICE, endpoint.id, MIDNIGHT)

    assert (past.run, past.steering, due_at(past)) == (None, None, MIDNIGHT + MINUTE)


async def test_a_run_is_explained_by_the_plan_that_led_to_it_and_what_its_answer_decided() -> None:
    world = a_world()
    endpoint = await world.endpoint(policy=POLICY)
    await ran(world, 0)
    world.clock.move(minutes=1)
    run = await world.run_due(answering(9))
    world.clock.move(seconds=30)
    await world.run_due(answering(0))

    told = await world.control.decisions.explain_run(ALICE, run.id)
    after = await world.control.decisions.explain_run(ALICE, f"{endpoint.id}:3:1")

    assert isinstance(told.run, Run)
    assert told.run == replace(run, steering=told.run.steering)
    assert [(step.step, step.at) for step in told.steps if step.verdict == "won"] == [
        ("baseline-interval", MIDNIGHT + 2 * MINUTE)
    ]
    assert told.steering is not None
    assert [(rule.rule, rule.was, rule.phase) for rule in told.steering.rules] == [("burst", "idle", "active")]
    assert due_at(told) == MIDNIGHT + 2.5 * MINUTE
    assert ("interval-hint", "won") in [(step.step, step.verdict) for step in after.steps]


async def test_what_an_edit_replaced_does_not_follow_from_the_run_before() -> None:
    world = a_world()
    endpoint = await world.endpoint()
    await ran(world, 0)
    world.clock.move(seconds=20)
    await world.control.hints.write_one_shot(
        ALICE, endpoint.id, OneShotHintDocument.model_validate({"nextRunInMs": 3_000})
    )

    told = await world.control.decisions.explain_run(ALICE, f"{endpoint.id}:1:1")

    assert told.following is None


async def test_a_run_that_waits_or_goes_on_is_explained_by_its_plan_and_has_decided_nothing() -> None:
    world = a_world()
    endpoint = await world.endpoint()

    waiting = await world.control.decisions.explain_run(ALICE, f"{endpoint.id}:1:1")
    world.clock.move(minutes=1)
    await world.claim()
    going_on = await world.control.decisions.explain_run(ALICE, f"{endpoint.id}:1:1")

    assert [isinstance(told.run, UnfinishedRun) and told.run.running for told in (waiting, going_on)] == [False, True]
    for told in (waiting, going_on):
        assert [step.step for step in told.steps if step.verdict == "won"] == ["baseline-interval"]
        assert (told.steering, told.following) == (None, None)


async def test_a_run_that_a_person_asked_for_has_no_plan_and_a_test_call_decides_nothing() -> None:
    world = a_world()
    endpoint = await world.endpoint()
    asked = await world.control.requests.run_now(ALICE, endpoint.id)
    waiting = await world.control.decisions.explain_run(ALICE, asked)
    await world.run_due()
    test = await world.control.trials.call(ALICE, endpoint.id)

    manual = await world.control.decisions.explain_run(ALICE, asked)
    tried = await world.control.decisions.explain_run(ALICE, test.id)

    assert (waiting.run.source, waiting.steps) == (Source.MANUAL, ())
    assert (manual.run.source, manual.steps, due_at(manual)) == (Source.MANUAL, (), MIDNIGHT + MINUTE)
    assert (tried.run.source, tried.steps, tried.following) == (Source.TEST, (), None)


async def test_nobody_else_is_told() -> None:
    world = a_world()
    endpoint = await world.endpoint()
    await ran(world, 0)

    for asking in (
        world.control.decisions.explain_at(BOB, endpoint.id, MIDNIGHT),
        world.control.decisions.explain_run(BOB, f"{endpoint.id}:1:1"),
        world.control.decisions.explain_run(ALICE, f"{endpoint.id}:9:1"),
        world.control.decisions.explain_run(ALICE, "nonsense"),
    ):
        with pytest.raises(NotFoundError):
            await asking
