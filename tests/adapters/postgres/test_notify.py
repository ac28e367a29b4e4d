"""Workers are woken for what is due sooner than they would look, and for nothing else; and stay so through outages."""

import asyncio
import logging
import time
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from urllib.parse import urlsplit

import asyncpg
import pytest

from cronicorn.adapters.postgres.notify import Listener
from cronicorn.adapters.postgres.options import Feature, PostgresOptions
from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.domain.editing import suspended
from cronicorn.domain.endpoint import JobStatus
from cronicorn.domain.errors import ConflictError
from cronicorn.domain.fixtures import a_job, a_one_shot, an_endpoint
from cronicorn.domain.instant import ZERO
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import (
    CRON,
    MINUTE,
    TENANT,
    TTL,
    ask_to_run,
    claim_one,
    hint,
    plant,
    rename,
    settle,
    start,
)
from tests.servers.proxy import proxy_to
from tests.waiting import eventually_async

MILLISECOND = timedelta(milliseconds=1)
PAUSE = 50 * MILLISECOND
QUICK = PostgresOptions(connect_timeout=200 * MILLISECOND)
END_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
async def stores(clock, postgres_url):
    stores = await PostgresStores.open(postgres_url, clock)
    yield stores
    await stores.aclose()


class Ear:
    """Somebody else who listens, and counts."""

    def __init__(self, connection):
        self._connection = connection
        self._heard = 0

    def hear(self, *_):
        self._heard += 1

    async def count(self):
        """How often something came since the last count: what comes first is heard first."""
        await self._connection.fetchval("SELECT 1")
        heard, self._heard = self._heard, 0
        return heard


@pytest.fixture
async def ear(postgres_url):
    connection = await asyncpg.connect(postgres_url)
    ear = Ear(connection)
    await connection.add_listener("cronicorn", ear.hear)
    yield ear
    await connection.close()


async def test_only_what_is_due_soon_wakes_anybody(stores, clock, ear):
    await plant(stores)
    heard = {"a minute away": await ear.count()}
    await hint(stores, a_one_shot(clock.now() + timedelta(seconds=30), now=clock.now()))
    heard["half a minute away"] = await ear.count()
    await hint(stores, a_one_shot(clock.now() + timedelta(seconds=0.5), now=clock.now()))
    heard["at once"] = await ear.count()
    await rename(stores, "other")
    heard["no sooner"] = await ear.count()

    assert heard == {"a minute away": 0, "half a minute away": 0, "at once": 1, "no sooner": 0}


async def test_a_new_endpoint_that_is_due_wakes(stores, clock, ear):
    await stores.jobs.add(a_job())
    await stores.endpoints.add(
        an_endpoint(), lambda job, endpoint, now: start(job, endpoint, now - timedelta(minutes=2))
    )

    assert await ear.count() == 1


async def test_a_person_who_asks_for_a_run_or_for_its_end_wakes(stores, clock, ear):
    await plant(stores)
    await ask_to_run(stores)
    asked = await ear.count()
    lease = await claim_one(stores)
    await stores.run_control.cancel(TENANT, "ep1", lease.slot + 1)
    await stores.run_control.cancel(TENANT, "ep1", lease.slot)

    assert (asked, await ear.count()) == (1, 1)


async def test_a_job_that_goes_on_wakes_once_for_all_its_endpoints(stores, clock, ear):
    def follow(endpoint, job, stored):
        change = suspended(
            endpoint, job_active=job.status is JobStatus.ACTIVE, archived_at=None, stored=stored, cron=CRON
        )
        plan = change.endpoint.state.plan
        assert plan is not None
        due = plan._replace(next_run_at=stored.now) if job.status is JobStatus.ACTIVE else None
        return replace(change, endpoint=replace(change.endpoint, state=replace(change.endpoint.state, plan=due)))

    await plant(stores, "ep1", "ep2")
    await stores.jobs.change(TENANT, "job1", lambda job, now: replace(job, status=JobStatus.PAUSED), follow)
    paused = await ear.count()
    await stores.jobs.change(TENANT, "job1", lambda job, now: replace(job, status=JobStatus.ACTIVE), follow)

    assert (paused, await ear.count()) == (0, 1)


async def test_the_hot_path_is_silent(stores, clock, ear):
    await plant(stores)
    for _ in range(2):
        clock.advance(MINUTE)
        lease = await claim_one(stores)
        stores.job_store.renew([lease], ttl=TTL)
        await stores.job_store.abandon([lease])
        await settle(stores, await claim_one(stores))

    assert await ear.count() == 0


async def test_an_edit_that_fails_wakes_nobody(stores, clock, ear):
    await plant(stores)

    def edit(endpoint, job, stored):
        raise ConflictError("no")

    with pytest.raises(ConflictError):
        await stores.endpoints.change(TENANT, "ep1", edit)

    assert await ear.count() == 0


async def test_a_server_without_notifications_is_not_asked_for_any(clock, postgres_url, ear):
    stores = await PostgresStores.open(postgres_url, clock, PostgresOptions(without=frozenset({Feature.NOTIFY})))
    stores.listen(lambda: pytest.fail("woken"), lambda: pytest.fail("told"))
    await plant(stores)

    await ask_to_run(stores)

    assert await ear.count() == 0
    await stores.aclose()


def ignore():
    """Nobody wants to hear it."""


class Woken:
    """Counts how often it was called."""

    def __init__(self):
        self.count = 0

    def __call__(self):
        self.count += 1


async def test_another_process_is_woken_by_an_edit(stores, clock, postgres_url):
    other, woken = await PostgresStores.open(postgres_url, clock), Woken()
    other.listen(woken, ignore)
    await eventually_async(lambda: woken.count == 1)  # It listens now.
    await plant(stores)

    await ask_to_run(stores)

    await eventually_async(lambda: woken.count == 2)
    await other.aclose()


async def test_only_who_cancels_a_run_has_the_others_look_for_cancelled_ones(stores, clock, postgres_url):
    other, woken, told = await PostgresStores.open(postgres_url, clock), Woken(), Woken()
    other.listen(woken, told)
    await eventually_async(lambda: told.count == 1)  # It listens now.
    await plant(stores)

    await ask_to_run(stores)
    await eventually_async(lambda: woken.count == 2)
    told_of_work = told.count
    lease = await claim_one(stores)
    await stores.run_control.cancel(TENANT, "ep1", lease.slot)

    await eventually_async(lambda: told.count == 2)
    assert told_of_work == 1
    await other.aclose()


@pytest.mark.parametrize("words", ["", ", 'something new'"])
async def test_what_another_version_says_may_mean_either(listener, postgres_url, words):
    woken, told = Woken(), Woken()
    listener.listen(woken, told)
    await eventually_async(lambda: told.count == 1)
    connection = await asyncpg.connect(postgres_url)

    await connection.execute(f"NOTIFY cronicorn{words}")

    await eventually_async(lambda: (woken.count, told.count) == (2, 2))
    await connection.close()


@pytest.fixture
async def listener(postgres_url):
    listener = Listener(postgres_url, PostgresOptions(), pause=PAUSE)
    yield listener
    await listener.aclose()


async def test_many_notices_make_few_calls(listener, postgres_url):
    called_at = []
    listener.listen(lambda: called_at.append(time.monotonic()), ignore)
    await eventually_async(lambda: called_at)
    connection = await asyncpg.connect(postgres_url)

    while len(called_at) < 4:
        await connection.execute("NOTIFY cronicorn")
    await connection.close()

    assert all(later - earlier >= PAUSE.total_seconds() for earlier, later in pairwise(called_at))


async def test_a_callback_that_fails_does_not_deafen(listener, postgres_url, caplog):
    woken = Woken()

    def fail():
        woken()
        raise ValueError("no")

    listener.listen(fail, ignore)
    await eventually_async(lambda: woken.count == 1)
    connection = await asyncpg.connect(postgres_url)

    await connection.execute("NOTIFY cronicorn")

    await eventually_async(lambda: woken.count == 2)
    await connection.close()
    assert [record.message for record in caplog.records] == ["listener_crashed"] * 2


async def test_a_connection_that_the_server_ends_is_made_anew_and_the_work_missed_is_looked_for(
    listener, postgres_url, caplog
):
    woken = Woken()
    listener.listen(woken, ignore)
    await eventually_async(lambda: woken.count == 1)
    connection = await asyncpg.connect(postgres_url)

    await connection.execute(END_OTHERS)
    await eventually_async(lambda: woken.count == 2)
    await connection.execute("NOTIFY cronicorn")

    await eventually_async(lambda: woken.count == 3)
    await connection.close()
    assert "listener_lost" in [record.message for record in caplog.records]


@pytest.fixture
def proxy(postgres_url):
    with proxy_to(urlsplit(postgres_url).port) as proxy:
        yield proxy


@pytest.fixture
async def far_listener(postgres_url, proxy):
    place = urlsplit(postgres_url)
    credentials = place.netloc.rpartition("@")[0]
    url = place._replace(netloc=f"{credentials}@127.0.0.1:{proxy.port}").geturl()
    listener = Listener(url, QUICK, heartbeat=100 * MILLISECOND, patience=100 * MILLISECOND, pause=ZERO)
    yield listener
    await listener.aclose()


async def test_a_connection_into_a_black_hole_is_noticed_and_made_anew(far_listener, proxy, postgres_url, caplog):
    caplog.set_level(logging.INFO)
    woken = Woken()
    far_listener.listen(woken, ignore)
    await eventually_async(lambda: woken.count == 1)

    proxy.black_hole()
    await eventually_async(lambda: any(record.message == "listener_lost" for record in caplog.records))
    await eventually_async(lambda: any(record.message == "listener_not_connected" for record in caplog.records))
    proxy.heal(lose=True)
    await eventually_async(lambda: woken.count == 2)

    connection = await asyncpg.connect(postgres_url)
    before = woken.count
    await connection.execute("NOTIFY cronicorn")
    await eventually_async(lambda: woken.count > before)
    await connection.close()


async def test_a_listener_in_a_black_hole_can_be_stopped(far_listener, proxy):
    woken = Woken()
    far_listener.listen(woken, ignore)
    await eventually_async(lambda: woken.count == 1)
    proxy.black_hole()

    async with asyncio.timeout(1):
        await far_listener.aclose()
        await far_listener.aclose()
