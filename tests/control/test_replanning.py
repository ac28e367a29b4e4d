"""Every change of state plans again at once, and wakes the scheduler; a run that a person asks for moves nothing."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from cronicorn.control.document import (
    DeferHintDocument,
    EndpointPatch,
    IntervalHintDocument,
    OneShotHintDocument,
    PauseDocument,
)
from cronicorn.domain.endpoint import JobEndpoint, JobStatus
from cronicorn.domain.fixtures import MIDNIGHT, an_outcome
from tests.control.world import ALICE, World, a_world

HOUR_MS = 3_600_000

Deed = Callable[[World, JobEndpoint], Awaitable[object]]


def edit(**fields: Any) -> Deed:
    patch = EndpointPatch.model_validate(fields)
    return lambda world, endpoint: world.control.endpoints.edit(ALICE, endpoint.id, patch)


def hint_interval(interval_ms: int) -> Deed:
    document = IntervalHintDocument.model_validate({"intervalMs": interval_ms})
    return lambda world, endpoint: world.control.hints.write_interval(ALICE, endpoint.id, document)


def hint_one_shot(in_ms: int) -> Deed:
    document = OneShotHintDocument.model_validate({"nextRunInMs": in_ms})
    return lambda world, endpoint: world.control.hints.write_one_shot(ALICE, endpoint.id, document)


def hint_defer(for_ms: int) -> Deed:
    document = DeferHintDocument.model_validate({"forMs": for_ms})
    return lambda world, endpoint: world.control.hints.write_defer(ALICE, endpoint.id, document)


def pause(until: str | None) -> Deed:
    document = PauseDocument.model_validate({"pausedUntil": until})
    return lambda world, endpoint: world.control.hints.pause(ALICE, endpoint.id, document)


def clear(world: World, endpoint: JobEndpoint) -> Awaitable[object]:
    return world.control.hints.clear(ALICE, endpoint.id)


def reset(world: World, endpoint: JobEndpoint) -> Awaitable[object]:
    return world.control.endpoints.forgive(ALICE, endpoint.id)


def move_job(status: JobStatus) -> Deed:
    return lambda world, endpoint: world.control.jobs.move(ALICE, endpoint.job_id, status)


def archive(*, archived: bool) -> Deed:
    return lambda world, endpoint: world.control.endpoints.archive(ALICE, endpoint.id, archived=archived)


@pytest.mark.parametrize(
    ("deeds", "minutes"),
    [
        pytest.param([edit(baselineIntervalMs=60_000)], 11, id="a shorter interval"),
        pytest.param([edit(baselineCron="*/15 * * * *")], 15, id="a cron instead"),
        pytest.param([edit(maxIntervalMs=1_200_000)], 20, id="a maximum"),
        pytest.param([edit(dormant=True)], None, id="dormant"),
        pytest.param([hint_interval(1_800_000)], 30, id="an interval hint"),
        pytest.param([hint_one_shot(60_000)], 11, id="a one-shot"),
        pytest.param([hint_defer(2 * HOUR_MS)], 130, id="a defer"),
        pytest.param([hint_interval(1_800_000), clear], 60, id="hints cleared"),
        pytest.param([pause("2026-01-01T03:00:00Z")], 180, id="a pause"),
        pytest.param([pause("2026-01-01T03:00:00Z"), clear], 180, id="clearing hints leaves a pause"),
        pytest.param([pause("2026-01-01T03:00:00Z"), pause("2026-01-01T02:00:00Z")], 120, id="a shorter pause"),
        pytest.param([pause("2026-01-01T03:00:00Z"), pause(None)], 60, id="resumed"),
        pytest.param([move_job(JobStatus.PAUSED)], None, id="the job paused"),
        pytest.param([move_job(JobStatus.PAUSED), move_job(JobStatus.ACTIVE)], 60, id="the job resumed"),
        pytest.param([move_job(JobStatus.ARCHIVED)], None, id="the job archived"),
        pytest.param([move_job(JobStatus.ARCHIVED), move_job(JobStatus.ACTIVE)], 60, id="the job brought back"),
        pytest.param([archive(archived=True)], None, id="archived"),
        pytest.param([archive(archived=True), archive(archived=False)], 60, id="unarchived"),
    ],
)
async def test_a_change_plans_again_at_once(deeds: list[Deed], minutes: int | None) -> None:
    world = a_world()
    endpoint = await world.endpoint(baselineIntervalMs=HOUR_MS)
    world.clock.move(minutes=10)

    for deed in deeds:
        world.wakes.clear()
        await deed(world, endpoint)

    expected = None if minutes is None else MIDNIGHT + timedelta(minutes=minutes)
    assert await world.next_run_at(endpoint) == expected
    assert world.wakes == [world.clock.now()]


async def test_creating_an_endpoint_wakes_the_scheduler() -> None:
    world = a_world()

    await world.endpoint()

    assert world.wakes == [MIDNIGHT]


async def test_forgiven_failures_no_longer_hold_a_run_back() -> None:
    world = a_world()
    endpoint = await world.endpoint()
    for _ in range(3):
        next_run_at = await world.next_run_at(endpoint)
        assert next_run_at is not None
        world.clock.instant = next_run_at
        await world.run_due(an_outcome(500))
    backed_off = await world.next_run_at(endpoint)

    await reset(world, endpoint)

    assert backed_off == world.clock.now() + timedelta(minutes=8)
    assert await world.next_run_at(endpoint) == world.clock.now() + timedelta(minutes=1)


async def test_a_run_that_was_asked_for_never_shifts_the_schedule() -> None:
    world = a_world()
    endpoint = await world.endpoint()
    world.clock.move(seconds=30)
    planned = await world.next_run_at(endpoint)

    await world.control.requests.run_now(ALICE, endpoint.id)
    asked = await world.next_run_at(endpoint)
    run = await world.run_due(an_outcome(500))

    assert run.source == "manual"
    assert planned == asked == await world.next_run_at(endpoint) == MIDNIGHT + timedelta(minutes=1)
    assert (await world.now_stored(endpoint)).state.failure_count == 0


async def test_a_test_call_never_shifts_the_schedule() -> None:
    world = a_world()
    endpoint = await world.endpoint()
    before = await world.now_stored(endpoint)

    await world.control.trials.call(ALICE, endpoint.id)

    after = await world.now_stored(endpoint)
    assert (after.state.plan, after.state.failure_count) == (before.state.plan, 0)
