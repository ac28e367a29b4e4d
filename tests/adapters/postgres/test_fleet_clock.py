"""The database's clock as a process knows it: estimated, watched, and not trusted for a while after a step."""

import re
from datetime import timedelta

import pytest

from cronicorn.adapters.postgres.fleet_clock import ALWAYS, NEVER, FleetClock
from cronicorn.adapters.postgres.job_store import PostgresJobStore
from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.domain.fields import us
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import MINUTE, TTL, claim, claim_one, next_due_at, plant

TTL_US = 30_000_000


class OwnClock(FleetClock):
    """With a monotonic clock of the test's."""

    seconds = 50.0

    def monotonic(self):
        return self.seconds


@pytest.fixture
def clock():
    clock = OwnClock()
    clock.observe(clock.seconds, 1_000_000_000, TTL_US)
    return clock


def _observe(clock, now_us, *, trip=0.001):
    sent = clock.seconds
    clock.seconds += trip
    clock.observe(sent, now_us, TTL_US)


def test_nothing_is_known_before_the_first_claim():
    clock = FleetClock()

    assert clock.now() is None
    assert clock.takeover_window_us(TTL_US) == ALWAYS


def test_the_database_clock_moves_on_with_the_monotonic_one(clock):
    clock.seconds += 7

    assert us(clock.now()) == 1_007_000_000


def test_a_claim_that_hung_does_not_put_the_clock_ahead(clock):
    clock.seconds += 5
    _observe(clock, 1_013_000_000, trip=8)
    assert us(clock.now()) == 1_013_000_000

    clock.seconds += 1
    assert us(clock.now()) == 1_014_000_000


@pytest.mark.parametrize("parted_us", [700, -700])
def test_clocks_that_part_are_followed(clock, parted_us):
    for second in range(1, 11):
        clock.seconds += 0.9999
        _observe(clock, 1_000_000_000 + second * (1_000_000 + parted_us), trip=0.0001)

    assert abs(us(clock.now()) - (1_010_000_000 + 10 * parted_us)) <= 100


def test_leases_are_taken_over_near_the_instant_expected_only(clock):
    clock.seconds += 7

    low, high = clock.takeover_window_us(TTL_US)

    assert (low, high) == (1_007_000_000 - TTL_US // 3, 1_007_000_000 + TTL_US // 3)


@pytest.mark.parametrize("step_s", [3_600, -3_600, 11, -11])
def test_a_step_stops_takeovers_for_the_length_of_a_lease(clock, caplog, step_s):
    clock.seconds += 5
    _observe(clock, 1_005_000_000 + step_s * 1_000_000)

    assert clock.takeover_window_us(TTL_US) == NEVER
    assert [record.message for record in caplog.records] == ["database_clock_stepped"]
    assert round(caplog.records[0].by_s) == step_s
    clock.seconds += 29.9
    assert clock.takeover_window_us(TTL_US) == NEVER
    clock.seconds += 0.2
    assert clock.takeover_window_us(TTL_US) != NEVER


@pytest.mark.parametrize("drift_s", [9, -9])
def test_what_a_slow_answer_explains_is_no_step(clock, caplog, drift_s):
    clock.seconds += 5
    _observe(clock, 1_005_000_000 + drift_s * 1_000_000)
    clock.seconds += 5
    _observe(clock, 1_010_000_000 + drift_s * 1_000_000, trip=60)

    assert not caplog.records
    assert clock.takeover_window_us(TTL_US) != NEVER


def test_another_server_stops_takeovers_for_the_length_of_a_lease(clock, caplog):
    clock.answered_by("7000:00000001", TTL_US)
    clock.answered_by(None, TTL_US)
    clock.answered_by("7000:00000001", TTL_US)
    assert clock.takeover_window_us(TTL_US) != NEVER

    clock.answered_by("7000:00000002", TTL_US)

    assert clock.takeover_window_us(TTL_US) == NEVER
    assert [record.message for record in caplog.records] == ["database_failed_over"]


async def test_a_server_says_who_it_is_and_on_which_timeline(postgres_url):
    stores = await PostgresStores.open(postgres_url)
    await next_due_at(stores.job_store)
    await stores.aclose()

    assert stores.database.server.identity is not None
    assert re.fullmatch(r"\d{15,}:[0-9A-F]{8}", stores.database.server.identity)


class TestStep:
    @pytest.fixture
    def clock(self):
        return VirtualClock()

    @pytest.fixture
    async def stores(self, clock, postgres_url):
        stores = await PostgresStores.open(postgres_url, clock)
        await plant(stores)
        clock.advance(MINUTE)
        yield stores
        await stores.aclose()

    async def test_a_jump_of_the_database_clock_takes_nothing_from_a_holder_that_renews(self, stores, clock):
        other = PostgresJobStore(stores.database)
        lease = await claim_one(stores, ttl=TTL)
        await next_due_at(other)
        await other.claim_due(worker_id="w2", limit=10, ttl=TTL)

        clock.jump(clock.now() + timedelta(hours=1))

        assert await other.claim_due(worker_id="w2", limit=10, ttl=TTL) == []
        assert stores.job_store.renew([lease], ttl=TTL).lost == frozenset()
        for _ in range(4):
            clock.advance(TTL / 3)
            assert stores.job_store.renew([lease], ttl=TTL).lost == frozenset()
            assert await other.claim_due(worker_id="w2", limit=10, ttl=TTL) == []
        await other.aclose()

    async def test_a_slot_of_a_dead_holder_is_taken_over_one_lease_after_the_jump(self, stores, clock):
        await claim_one(stores, ttl=TTL)
        clock.jump(clock.now() + timedelta(hours=1))
        assert await claim(stores) == []
        assert await next_due_at(stores.job_store) == clock.now() + TTL

        clock.advance(TTL)

        assert len(await claim(stores)) == 1

    async def test_what_is_free_is_claimed_all_the_same(self, stores, clock):
        await plant(stores, "other")
        clock.advance(MINUTE)
        (taken,) = await claim(stores, limit=1)

        clock.jump(clock.now() + timedelta(hours=1))

        (free,) = await claim(stores)
        assert {taken.endpoint.id, free.endpoint.id} == {"ep1", "other"}
        assert not free.taken_over
