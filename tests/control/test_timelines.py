"""Timelines and overviews: what is told of a span, of the next hour, and of whom."""

from datetime import timedelta

import pytest

from cronicorn.control.document import PauseDocument
from cronicorn.control.overviews import ENDPOINTS_LOOKED_AT, JOBS_LOOKED_AT, PLANS_MAX
from cronicorn.control.timelines import NOMINAL_MAX, RUNS_MAX, SPAN_MAX
from cronicorn.control.whereabouts import LATE_AFTER
from cronicorn.domain.endpoint import JobStatus
from cronicorn.domain.errors import InvalidInputError, NotFoundError
from cronicorn.domain.fixtures import MIDNIGHT, an_outcome
from cronicorn.domain.instant import MICROSECOND
from tests.control.world import ALICE, BOB, World, a_world

HOUR = timedelta(hours=1)


async def runs(world: World, number: int) -> None:
    for _ in range(number):
        world.clock.move(minutes=1)
        await world.run_due()


async def test_a_timeline_tells_the_runs_of_its_span_and_the_one_before() -> None:
    world = a_world()
    endpoint = await world.endpoint()
    await runs(world, 6)

    told = await world.control.timelines.show(
        ALICE, endpoint.id, MIDNIGHT + timedelta(minutes=3), MIDNIGHT + timedelta(minutes=5)
    )

    assert [run.slot for run in told.runs] == [3, 4, 5]
    assert told.before is not None
    assert (told.before.slot, told.runs_in_all, told.plans) == (2, 3, ())
    assert told.nominal == tuple(MIDNIGHT + timedelta(minutes=minute) for minute in (3, 4, 5))


async def test_a_timeline_tells_what_comes_and_what_did_not_run() -> None:
    world = a_world()
    endpoint = await world.endpoint()
    pause = {"pausedUntil": MIDNIGHT + timedelta(minutes=5), "reason": "They deploy."}
    await world.control.hints.pause(ALICE, endpoint.id, PauseDocument.model_validate(pause))
    world.clock.move(minutes=5)
    await world.run_due()

    told = await world.control.timelines.show(ALICE, endpoint.id, MIDNIGHT, MIDNIGHT + timedelta(minutes=8))

    assert [(skip.state.value, skip.count) for skip in told.skips] == [("skipped_paused", 4)]
    assert [plan.next_run_at for plan in told.plans] == [MIDNIGHT + timedelta(minutes=minute) for minute in (6, 7, 8)]


async def test_of_very_many_runs_and_instants_the_newest_are_told_and_how_many_there_are() -> None:
    world = a_world()
    endpoint = await world.endpoint(baselineIntervalMs=1_000)
    for _ in range(RUNS_MAX + 5):
        world.clock.move(seconds=1)
        await world.run_due()

    told = await world.control.timelines.show(ALICE, endpoint.id, MIDNIGHT, MIDNIGHT + HOUR)

    assert (len(told.runs), told.runs_in_all) == (RUNS_MAX, RUNS_MAX + 5)
    assert told.before is not None
    assert told.before.slot + 1 == told.runs[0].slot
    assert told.nominal is None
    assert NOMINAL_MAX < RUNS_MAX


@pytest.mark.parametrize("span", [-HOUR, timedelta(0), SPAN_MAX + MICROSECOND])
async def test_a_span_that_makes_no_sense_is_refused(span: timedelta) -> None:
    world = a_world()
    endpoint = await world.endpoint()

    with pytest.raises(InvalidInputError, match="92 days"):
        await world.control.timelines.show(ALICE, endpoint.id, MIDNIGHT, MIDNIGHT + span)
    with pytest.raises(NotFoundError):
        await world.control.timelines.show(BOB, endpoint.id, MIDNIGHT, MIDNIGHT + HOUR)


async def test_an_endpoint_that_runs_all_the_time_is_said_to_be_cut_also_when_it_is_alone() -> None:
    world = a_world()
    endpoint = await world.endpoint(baselineIntervalMs=5_000)

    coming = world.control.overviews.coming(await world.control.overviews.show(ALICE))

    assert len(coming.runs) < 720  # As many as there are within the hour.
    assert [each.endpoint.id for each in coming.cut] == [endpoint.id]


async def test_an_overview_tells_what_runs_is_due_fails_and_waits_of_one_tenant() -> None:
    world = a_world()
    steady = await world.endpoint(name="steady")
    failing = await world.endpoint(name="failing", baselineIntervalMs=30_000)
    archived = await world.endpoint(name="archived")
    await world.control.endpoints.archive(ALICE, archived.id)
    gone = await world.endpoint(name="gone")
    await world.control.jobs.move(ALICE, gone.job_id, JobStatus.ARCHIVED)
    await world.endpoint(BOB, name="theirs")
    world.clock.move(seconds=30)
    await world.run_due(an_outcome(500))
    await world.control.requests.run_now(ALICE, failing.id)
    lease = await world.claim()

    found = await world.control.overviews.show(ALICE)
    coming = world.control.overviews.coming(found)
    world.clock.instant += timedelta(minutes=1) + LATE_AFTER + MICROSECOND
    late = await world.control.overviews.show(ALICE)

    assert (found.jobs, found.endpoints, found.complete) == (3, 2, True)
    assert [each.running for each in found.due] == [lease.run_id, None]
    assert [each.endpoint.name for each in found.due] == ["failing", "steady"]
    assert [each.endpoint.name for each in found.failing] == ["failing"]
    assert {each.placed.endpoint.name for each in found.steered} <= {"failing"}
    assert (found.late, late.late) == (0, 2)  # The lease has run out by then.
    assert sum(each.endpoint.id == steady.id for _, each in coming.runs) == 60
    assert len(coming.runs) <= PLANS_MAX
    assert all(at <= MIDNIGHT + HOUR for at, _ in coming.runs)
    assert [each.endpoint.name for each in coming.cut] == ["failing"]
    assert found.soon == 2


async def test_an_overview_says_that_it_has_not_looked_at_all_endpoints() -> None:
    world = a_world()
    job = await world.job()
    for number in range(ENDPOINTS_LOOKED_AT + 1):
        await world.endpoint(jobId=job, name=f"e{number}")

    for number in range(JOBS_LOOKED_AT + 1):  # A job without endpoints takes nobody's place.
        await world.job(BOB, f"empty {number}")
    await world.endpoint(BOB)

    found = await world.control.overviews.show(ALICE)
    theirs = await world.control.overviews.show(BOB)

    assert (found.endpoints, found.complete) == (ENDPOINTS_LOOKED_AT, False)
    assert (theirs.endpoints, theirs.complete, theirs.jobs) == (1, True, JOBS_LOOKED_AT + 2)
