"""Asking when, and why then."""

from datetime import timedelta

import pytest

from cronicorn.control.document import IntervalHintDocument, PreviewDocument
from cronicorn.domain.errors import InvalidInputError, NotFoundError
from cronicorn.domain.fixtures import MIDNIGHT
from tests.control.world import ALICE, BOB, a_world


async def test_the_next_runs_of_an_endpoint_follow_its_schedule() -> None:
    world = a_world()
    endpoint = await world.endpoint()

    plans = await world.control.schedules.upcoming(ALICE, endpoint.id, 3)

    assert [plan.next_run_at for plan in plans] == [MIDNIGHT + timedelta(minutes=minute) for minute in (1, 2, 3)]


async def test_a_schedule_can_be_tried_out_without_storing_anything() -> None:
    world = a_world()
    document = PreviewDocument.model_validate(
        {"endpoint": {"baselineCron": "0 9 * * *", "maxIntervalMs": 3_600_000}, "count": 2}
    )

    preview = await world.control.schedules.preview(ALICE, document)

    assert len(preview.plans) == 2
    assert [warning.pointer for warning in preview.warnings] == ["/endpoint/maxIntervalMs"]
    assert await world.control.jobs.list(ALICE) == []


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"endpoint": {}}, "/endpoint"),
        ({"endpoint": {"baselineCron": "0 0 30 2 *"}}, "/endpoint/baselineCron"),
        ({"endpoint": {"baselineIntervalMs": 1}}, "/endpoint/baselineIntervalMs"),
        ({"endpoint": {"dormant": True}, "count": 101}, "/count"),
        ({"endpoint": {"dormant": True, "url": "ftp://x"}}, "/endpoint/url"),
    ],
)
async def test_a_preview_refuses_what_the_doors_refuse(fields: dict[str, object], pointer: str) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        await a_world().control.schedules.preview(ALICE, PreviewDocument.model_validate(fields))

    assert [fault.pointer for fault in refusal.value.fields] == [pointer]


async def test_an_explanation_tells_the_plan_in_force_and_what_it_would_be_now() -> None:
    world = a_world()
    endpoint = await world.endpoint()
    document = IntervalHintDocument.model_validate({"intervalMs": 5_000, "ttlMinutes": 1, "reason": "sale"})
    await world.control.hints.write_interval(ALICE, endpoint.id, document)

    told = await world.control.schedules.explain(ALICE, endpoint.id)
    world.clock.move(minutes=2)
    later = await world.control.schedules.explain(ALICE, endpoint.id)

    assert told.stored is not None
    assert told.stored.plan.source == told.current.plan.source == "ai-interval"
    assert [hint.reason for hint in told.hints] == ["sale"]
    assert [step.step for step in told.stored.steps] == ["baseline-interval", "interval-hint"]
    assert (later.current.plan.source, later.hints) == ("baseline-interval", ())


async def test_nobody_else_is_told() -> None:
    world = a_world()
    endpoint = await world.endpoint()

    for asking in (
        world.control.schedules.upcoming(BOB, endpoint.id, 1),
        world.control.schedules.explain(BOB, endpoint.id),
    ):
        with pytest.raises(NotFoundError):
            await asking
