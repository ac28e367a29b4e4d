"""Following runs: everything new, once, in order."""

import pytest

from cronicorn.cli.watched_runs import WatchedRuns
from cronicorn.domain.errors import NotFoundError
from tests.cli.places import interface_to
from tests.control.world import a_world


def watching(world, endpoint=None):
    return WatchedRuns(interface_to(world), endpoint, world.clock.now())


async def ran(world, times):
    """So many runs, a minute apart."""
    for _ in range(times):
        world.clock.move(minutes=1)
        await world.run_due()


def slots(found):
    return [each.run["slot"] for each in found]


async def test_only_what_is_newer_than_the_last_shown_follows():
    world = a_world()
    await world.endpoint()
    await ran(world, 5)
    watched = watching(world)

    first = await watched.latest(2)
    nothing = await watched.newer()
    await ran(world, 2)
    second = await watched.newer()

    assert slots(first) == [4, 5]
    assert slots(nothing) == []
    assert slots(second) == [6, 7]


async def test_following_begins_where_there_were_no_runs():
    world = a_world()
    await world.endpoint()
    watched = watching(world)

    first = await watched.latest(1)
    await ran(world, 3)

    assert slots(first) == []
    assert slots(await watched.newer()) == [1, 2, 3]
    assert slots(await watched.newer()) == []


async def test_more_than_a_page_of_new_runs_is_shown_whole_and_in_order():
    world = a_world()
    await world.endpoint()
    watched = watching(world)
    await watched.latest(20)

    await ran(world, 250)

    assert slots(await watched.newer()) == list(range(1, 251))


async def test_of_several_endpoints_the_newest_are_shown_and_the_older_ones_never_follow():
    world = a_world()
    job = await world.job()
    await world.endpoint(name="stock", jobId=job)
    await ran(world, 3)
    await world.endpoint(name="prices", jobId=job, baselineIntervalMs=3_600_000)
    watched = watching(world)

    first = await watched.latest(1)
    await ran(world, 1)
    second = await watched.newer()

    assert [(each.name, each.run["slot"]) for each in first] == [("shop/stock", 3)]
    assert [(each.name, each.run["slot"]) for each in second] == [("shop/stock", 4)]


async def test_an_endpoint_that_turns_up_later_brings_its_new_runs_only():
    world = a_world()
    watched = watching(world)
    await watched.latest(20)

    world.clock.move(seconds=1)
    await world.endpoint()
    await ran(world, 2)

    assert slots(await watched.newer()) == [1, 2]


async def test_an_endpoint_nobody_knows_is_not_found():
    with pytest.raises(NotFoundError):
        await watching(a_world(), "shop/stock").latest(1)


async def test_a_run_that_is_recorded_late_is_not_lost():
    world = a_world()
    job = await world.job()
    await world.endpoint(name="slow", jobId=job, baselineIntervalMs=60_000)
    watched = watching(world)
    await watched.latest(20)
    world.clock.move(minutes=1)
    slow = await world.claim()
    await world.endpoint(name="fast", jobId=job, baselineIntervalMs=1_000)
    world.clock.move(seconds=1)
    await world.run_due()

    before = await watched.newer()
    await world.finish(slow)
    after = await watched.newer()

    assert ([each.name for each in before], [each.name for each in after]) == (["shop/fast"], ["shop/slow"])
    assert after[0].run["startedAt"] <= before[0].run["startedAt"]


async def test_of_very_many_endpoints_those_are_asked_about_that_ran():
    world = a_world()
    job = await world.job()
    for number in range(30):
        await world.endpoint(name=f"e{number}", jobId=job, baselineIntervalMs=3_600_000)
    await world.endpoint(name="often", jobId=job)
    watched = watching(world)
    await watched.latest(20)

    await ran(world, 2)

    assert [(each.name, each.run["slot"]) for each in await watched.newer()] == [("shop/often", 1), ("shop/often", 2)]
    assert await watched.newer() == []
