"""A database or a target that is slow bounds what a worker takes on: no lease lies about until it expires."""

import asyncio
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import asyncpg

from tests.invariants.holding import runs_of
from tests.invariants.live_workers import SlowDispatcher, plant_due, working
from tests.invariants.places import PostgresPlace, SqlitePlace
from tests.invariants.worlds import World, on
from tests.waiting import eventually_async

IDS = [f"ep{number}" for number in range(40)]
CALLS_MAX = 4
TTL = timedelta(seconds=3)
HELD_S, FREE_S = 0.3, 0.1
"""Another one has the database for so long, and then nobody."""


def _hold_file(place: SqlitePlace, ended: threading.Event) -> None:
    connection = sqlite3.connect(place.path, isolation_level=None, timeout=10)
    while not ended.is_set():
        connection.execute("BEGIN IMMEDIATE")
        ended.wait(HELD_S)
        connection.execute("COMMIT")
        ended.wait(FREE_S)
    connection.close()


def _hold_server(place: PostgresPlace, ended: threading.Event) -> None:
    async def hold() -> None:
        connection = await asyncpg.connect(place.url)
        while not ended.is_set():
            async with connection.transaction():
                await connection.execute("LOCK TABLE cronicorn.schedule IN EXCLUSIVE MODE")
                await asyncio.to_thread(ended.wait, HELD_S)
            await asyncio.to_thread(ended.wait, FREE_S)
        await connection.close()

    asyncio.run(hold())


@contextmanager
def slow_database(world: World) -> Iterator[None]:
    """Another one keeps everybody from writing most of the time."""
    ended, hold = threading.Event(), _hold_file if isinstance(world.place, SqlitePlace) else _hold_server
    thread = threading.Thread(target=hold, args=(world.place, ended))
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


async def work_off(live: World, dispatcher: SlowDispatcher) -> int:
    """Have one worker call all endpoints, which takes longer than a lease lasts; answer how many it had at once."""
    most = 0
    store, grace = (await live.another()).job_store, timedelta(seconds=5)

    async with working(store, dispatcher, calls_max=CALLS_MAX, drain_grace=grace, lease_ttl=TTL) as scheduler:

        def worked_off() -> bool:
            nonlocal most
            most = max(most, scheduler.calls_in_progress)
            return len(dispatcher.made) >= len(IDS) and not scheduler.calls_in_progress

        await eventually_async(worked_off, within_s=60)
    return most


async def assert_each_was_called_once(live: World, dispatcher: SlowDispatcher) -> None:
    """And what the call came to was recorded, by the first who claimed the slot."""
    assert max(Counter(made.key for made in dispatcher.made).values()) == 1
    fences = [[run.fence for run in await runs_of(live.stores, endpoint_id)] for endpoint_id in IDS]
    assert fences == fences[:1] * len(IDS)
    assert len(fences[0]) == 1


@on("sqlite lease", "postgres lease", live=True)
async def test_a_slow_database_is_asked_for_no_more_than_there_is_room_to_run(live: World):
    await plant_due(live.stores, *IDS)
    dispatcher, began = SlowDispatcher(length=timedelta(seconds=0.1)), time.monotonic()

    with slow_database(live):
        most = await work_off(live, dispatcher)

    assert most <= CALLS_MAX
    assert time.monotonic() - began > TTL.total_seconds()
    await assert_each_was_called_once(live, dispatcher)


@on("sqlite lease", "postgres lease", live=True)
async def test_slow_targets_are_called_as_soon_as_their_slots_are_claimed(live: World):
    await plant_due(live.stores, *IDS)
    dispatcher = SlowDispatcher(length=TTL / 5)

    most = await work_off(live, dispatcher)

    assert most <= CALLS_MAX
    await assert_each_was_called_once(live, dispatcher)
