"""What is left of a claim or a settlement when the connection is cut, the caller leaves, or one item is poisoned."""

import asyncio
import resource
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from cronicorn.adapters.postgres.options import PostgresOptions
from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.domain.errors import InvalidInputError, UnavailableError
from cronicorn.domain.fixtures import a_run
from cronicorn.domain.history import RunQuery
from cronicorn.domain.lease import Renewal
from cronicorn.domain.settlement import Settlement
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import MINUTE, TENANT, TTL, claim, deciding, endpoint_of, plant, settle
from tests.servers.proxy import proxy_to


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
async def stores(clock, postgres_url):
    stores = await PostgresStores.open(postgres_url, clock)
    await plant(stores, *(f"ep{number}" for number in range(8)))
    clock.advance(MINUTE)
    yield stores
    await stores.aclose()


@pytest.fixture
async def behind_proxy(stores, clock, postgres_url):
    with proxy_to(urlsplit(postgres_url).port) as proxy:
        others = await PostgresStores.open(_through(proxy, postgres_url), clock)
        yield proxy, others
        await others.aclose()


def _through(proxy, url):
    parts = urlsplit(url)
    user = parts.netloc.rpartition("@")[0]
    return parts._replace(netloc=f"{user}@127.0.0.1:{proxy.port}").geturl()


async def _until(stores, holds):
    """Return once the SQL *holds*; the store that asks is not behind the proxy."""
    async with stores.database.connection() as connection, asyncio.timeout(10):
        while not await connection.fetchval(holds):
            await connection.fetchval("SELECT pg_sleep(0.01)")


async def test_a_claim_whose_answer_was_lost_is_found_again_by_its_nonce(stores, behind_proxy):
    proxy, others = behind_proxy
    await others.job_store.next_due()  # A connection is open.
    proxy.delay(0.3)

    claiming = asyncio.create_task(claim(others))
    await _until(stores, "SELECT count(claim_id) = 8 FROM cronicorn.schedule")
    proxy.abort()
    proxy.heal()
    leases = await claiming

    assert sorted(lease.endpoint.id for lease in leases) == [f"ep{number}" for number in range(8)]
    assert stores.job_store.renew(leases, ttl=TTL).lost == frozenset()
    await asyncio.gather(*(settle(others, lease) for lease in leases))


async def test_a_settlement_whose_answer_was_lost_is_answered_when_it_is_asked_again(stores, behind_proxy):
    proxy, others = behind_proxy
    lease, *_ = await claim(others)
    proxy.delay(0.3)

    settling = asyncio.create_task(settle(others, lease))
    await _until(stores, "SELECT count(*) = 1 FROM cronicorn.runs")
    proxy.abort()
    proxy.heal()
    settlement = await settling

    endpoint, stored = await stores.endpoints.get(TENANT, lease.endpoint.id)
    assert endpoint.state == settlement.state
    assert not stored.leased
    assert (await stores.runs.list(TENANT, lease.endpoint.id, RunQuery())).total == 1


async def test_a_store_that_is_connected_renews_when_no_descriptor_is_left(stores):
    leases = await claim(stores)

    await stores.job_store.connect()

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        renewal = stores.job_store.renew(leases, ttl=TTL)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert renewal == Renewal()


async def test_a_claim_that_never_arrived_says_that_the_store_is_away(stores, clock, postgres_url):
    with proxy_to(urlsplit(postgres_url).port) as proxy:
        others = await PostgresStores.open(_through(proxy, postgres_url), clock)
    try:
        with pytest.raises(UnavailableError):
            await claim(others)
    finally:
        await others.aclose()
    assert len(await claim(stores)) == 8


async def test_a_claim_that_stays_unanswered_leaves_nothing_leased_for_longer_than_asked(stores, clock, postgres_url):
    impatient = PostgresOptions(statement_timeout=timedelta(seconds=0.3), connect_timeout=timedelta(seconds=0.3))
    with proxy_to(urlsplit(postgres_url).port) as proxy:
        others = await PostgresStores.open(_through(proxy, postgres_url), clock, impatient)
        await others.job_store.next_due()
        proxy.black_hole()
        with pytest.raises(UnavailableError):
            await claim(others)
        proxy.heal()
        await others.aclose()
    clock.advance(TTL)

    assert len(await claim(stores)) == 8


async def test_the_leases_of_a_caller_that_left_are_given_back(stores, clock):
    for pauses in range(40):
        claiming = asyncio.create_task(claim(stores))
        for _ in range(pauses):
            await asyncio.sleep(0)
        claiming.cancel()
        (left,) = await asyncio.gather(claiming, return_exceptions=True)
        if not isinstance(left, BaseException):  # It was over before anybody left.
            await stores.job_store.abandon(left)
    await stores.job_store.aclose()

    assert len(await claim(stores)) == 8


async def test_a_claim_that_nobody_waits_for_holds_up_no_closing(stores, clock, postgres_url, monkeypatch, caplog):
    others = await PostgresStores.open(postgres_url, clock, PostgresOptions(statement_timeout=timedelta(seconds=0.3)))
    begun = asyncio.Event()

    async def never(*_):
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(others.job_store._claimer, "claim", never)
    claiming = asyncio.create_task(claim(others))
    await begun.wait()
    claiming.cancel()
    await asyncio.gather(claiming, return_exceptions=True)

    async with asyncio.timeout(10):
        await others.aclose()

    assert [record.message for record in caplog.records] == ["claim_left_to_expire"]


async def test_one_item_that_the_database_refuses_does_not_touch_those_written_with_it(stores):
    leases = await claim(stores)
    runs = [a_run(lease) for lease in leases]
    runs[3] = replace(runs[3], trace="\x00")

    answers = await asyncio.gather(
        *(stores.job_store.settle(lease, run, deciding(lease, run)) for lease, run in zip(leases, runs, strict=True)),
        return_exceptions=True,
    )

    assert [isinstance(answer, Settlement) for answer in answers] == [number != 3 for number in range(8)]
    assert isinstance(answers[3], InvalidInputError)
    for number, lease in enumerate(leases):
        page = await stores.runs.list(TENANT, lease.endpoint.id, RunQuery())
        assert page.total == (0 if number == 3 else 1)
    await settle(stores, leases[3])


async def test_a_store_that_does_not_remember_its_leases_settles_them(stores, clock, postgres_url):
    leases = await claim(stores)
    again = await PostgresStores.open(postgres_url, clock)

    settlements = await asyncio.gather(*(settle(again, lease) for lease in leases))

    await again.aclose()
    assert [await _state(stores, lease) for lease in leases] == [each.state for each in settlements]


async def _state(stores, lease):
    return (await endpoint_of(stores, lease.endpoint.id)).state
