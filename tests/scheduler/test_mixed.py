"""Several mechanisms side by side: fair, and none held up by another."""

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from cronicorn.domain import JobStore, LeaseLostError, Renewal, UnavailableError
from cronicorn.domain.editing import started
from cronicorn.domain.fixtures import MIDNIGHT, a_lease, a_run, an_endpoint
from cronicorn.domain.lease import Lease, NextDue
from cronicorn.domain.mechanism import Mechanism
from cronicorn.domain.settlement import Settlement
from cronicorn.scheduler.mixed import MixedJobStore
from cronicorn.sim.virtual_time import run_virtually
from cronicorn.testing.contracts.stores import next_due_at
from tests.scheduler.world import CRON, SECOND

LEASE, OPTIMISTIC, REDIS = Mechanism.LEASE, Mechanism.OPTIMISTIC, Mechanism.REDIS
TTL = 30 * SECOND
AWAY = UnavailableError("It is away.")


@dataclass
class Part(JobStore):
    """Has so many slots due, and does what it is told to."""

    mechanism: Mechanism
    due: int = 0
    due_at: datetime | None = None
    fails: Exception | None = None
    takes: timedelta = timedelta(0)
    asked: list[object] = field(default_factory=list)
    abandoned: list[Lease] = field(default_factory=list)

    async def claim_due(self, *, worker_id, limit, ttl, endpoint_id=None):
        await self._answer("claim", limit)
        count = min(limit, self.due)
        self.due -= count
        return [_lease(self.mechanism, f"{self.mechanism}{self.due + number}") for number in range(count)]

    def renew(self, leases, *, ttl):
        self.asked.append(("renew", len(leases)))
        if self.fails is not None:
            raise self.fails
        return Renewal(lost=frozenset(lease.claim_id for lease in leases if lease.fence > 1))

    async def settle(self, lease, run, decide):
        await self._answer("settle", lease.claim_id)
        return Settlement(state=lease.endpoint.state)

    async def abandon(self, leases):
        await self._answer("abandon", len(leases))
        self.abandoned += leases

    async def next_due(self):
        await self._answer("next", None)
        return NextDue.when(self.due_at, MIDNIGHT)

    async def _answer(self, what, detail):
        self.asked.append((what, detail))
        await asyncio.sleep(self.takes.total_seconds())
        if self.fails is not None:
            raise self.fails


def _lease(mechanism, claim_id, late_s=0):
    endpoint = started(an_endpoint(id=claim_id), MIDNIGHT - late_s * SECOND, CRON)
    return a_lease(endpoint)._replace(claim_id=claim_id, mechanism=mechanism)


def _mixed(*parts):
    return MixedJobStore([(part.mechanism, part) for part in parts])


async def _claim(store, limit=10):
    leases = await store.claim_due(worker_id="w1", limit=limit, ttl=TTL)
    return [lease.mechanism for lease in leases]


async def test_a_claim_takes_as_much_from_each_and_fills_up_from_who_has_more():
    lease, optimistic = Part(LEASE, due=100), Part(OPTIMISTIC, due=2)

    claimed = await _claim(_mixed(lease, optimistic), limit=10)

    assert (claimed.count(LEASE), claimed.count(OPTIMISTIC)) == (8, 2)


async def test_nobody_is_always_the_first():
    store = _mixed(Part(LEASE, due=100), Part(OPTIMISTIC, due=100), Part(REDIS, due=100))

    claimed = [await _claim(store, limit=1) for _ in range(6)]

    assert sorted(claimed) == sorted([[LEASE], [OPTIMISTIC], [REDIS]] * 2)


async def test_a_claim_of_nothing_asks_nobody():
    lease = Part(LEASE, due=1)

    assert await _claim(_mixed(lease), limit=0) == []
    assert lease.asked == []


async def test_the_longest_due_come_first_whoever_serves_them():
    class Late(Part):
        async def claim_due(self, **_):
            return [_lease(self.mechanism, "late", late_s=90)]

    store = _mixed(Part(LEASE, due=1), Late(OPTIMISTIC))

    assert await _claim(store) == [OPTIMISTIC, LEASE]


@pytest.mark.parametrize("error", [AWAY, ZeroDivisionError("a bug")])
async def test_one_that_is_away_stops_none_of_the_others(error, caplog):
    away = Part(REDIS, fails=error)
    store = _mixed(Part(LEASE, due=5, due_at=MIDNIGHT), away)

    with caplog.at_level(logging.CRITICAL):
        assert await _claim(store) == [LEASE] * 5
        assert await next_due_at(store) == MIDNIGHT


def test_one_that_is_slow_to_fail_holds_up_claims_ever_less_often(caplog):
    async def main(_clock):
        away = Part(REDIS, fails=AWAY, takes=2 * SECOND)
        store = _mixed(Part(LEASE, due=10_000), away)
        begun, slow = asyncio.get_running_loop().time(), 0
        for _ in range(600):
            before = asyncio.get_running_loop().time()
            assert len(await _claim(store, limit=5)) == 5
            slow += asyncio.get_running_loop().time() - before >= 2
            await asyncio.sleep(0.1)
        away.fails = None
        away.due = 1
        await asyncio.sleep(5)
        return asyncio.get_running_loop().time() - begun, slow, await _claim(store, limit=5)

    with caplog.at_level(logging.CRITICAL):
        elapsed, slow, claimed = run_virtually(main)

    assert slow <= elapsed / 5
    assert REDIS in claimed


def test_one_that_is_away_rests_for_longer_and_longer_also_while_there_is_room_for_one_lease_only(caplog):
    async def main(_clock):
        away = Part(REDIS, fails=AWAY)
        store = _mixed(Part(LEASE, due=10_000), Part(OPTIMISTIC), away)
        for _ in range(600):
            assert await _claim(store, limit=1) == [LEASE]
            await asyncio.sleep(0.1)
        return len(away.asked)

    with caplog.at_level(logging.CRITICAL):
        asked = run_virtually(main)

    assert 60 / 5 <= asked <= 60 / 5 + 6


async def test_when_all_are_away_the_store_is(caplog):
    store = _mixed(Part(LEASE, fails=AWAY), Part(REDIS, fails=AWAY))

    with caplog.at_level(logging.CRITICAL):
        for _ in range(2):
            with pytest.raises(UnavailableError):
                await _claim(store)
        with pytest.raises(UnavailableError):
            await next_due_at(store)


async def test_what_was_claimed_for_a_caller_that_has_gone_is_given_back():
    lease, redis = Part(LEASE, due=3), Part(REDIS, takes=3600 * SECOND)
    claim = asyncio.create_task(_claim(_mixed(lease, redis)))
    for _ in range(20):
        await asyncio.sleep(0)

    claim.cancel()
    with pytest.raises(asyncio.CancelledError):
        await claim

    assert len(lease.abandoned) == 3


def test_each_lease_is_renewed_by_its_own_store_and_one_that_is_away_answers_nothing(caplog):
    lease, away = Part(LEASE), Part(REDIS, fails=AWAY)
    broken = Part(OPTIMISTIC, fails=ZeroDivisionError("a bug"))
    held, lost, unasked = _lease(LEASE, "held"), _lease(LEASE, "lost")._replace(fence=2), _lease(REDIS, "unasked")
    crashed, foreign = _lease(OPTIMISTIC, "crashed"), _lease(Mechanism.ETCD, "foreign")

    with caplog.at_level(logging.WARNING):
        renewal = _mixed(away, broken, lease).renew([held, lost, unasked, crashed, foreign], ttl=TTL)

    assert renewal == Renewal(lost=frozenset({"lost", "foreign"}), unextended=frozenset({"unasked", "crashed"}))
    assert lease.asked == [("renew", 2)]
    said = {record.getMessage(): record.mechanism for record in caplog.records}
    assert said == {"renewal_failed": "redis", "renewal_crashed": "optimistic"}


async def test_each_lease_is_settled_and_abandoned_by_its_own_store():
    lease, redis = Part(LEASE), Part(REDIS)
    store = _mixed(lease, redis)
    first, second = _lease(LEASE, "first"), _lease(REDIS, "second")

    for claimed in (first, second):
        await store.settle(claimed, a_run(claimed), _never)
    await store.abandon([first, second])

    assert lease.asked == [("settle", "first"), ("abandon", 1)]
    assert redis.asked == [("settle", "second"), ("abandon", 1)]


async def test_abandoning_reaches_all_stores_before_it_fails():
    away, lease = Part(REDIS, fails=AWAY), Part(LEASE)
    leases: list[Lease] = [_lease(REDIS, "first"), _lease(LEASE, "second")]

    with pytest.raises(UnavailableError):
        await _mixed(away, lease).abandon(leases)

    assert [each.claim_id for each in lease.abandoned] == ["second"]


async def test_a_bug_of_one_store_keeps_no_lease_from_being_abandoned_by_the_others(caplog):
    broken, lease = Part(REDIS, fails=ZeroDivisionError("a bug")), Part(LEASE)

    await _mixed(broken, lease).abandon([_lease(REDIS, "first"), _lease(LEASE, "second")])

    assert [each.claim_id for each in lease.abandoned] == ["second"]
    [said] = [record for record in caplog.records if record.getMessage() == "abandon_crashed"]
    assert (said.mechanism, said.leases, said.levelname) == ("redis", 1, "ERROR")


async def test_a_lease_of_a_mechanism_that_nobody_runs_here_is_lost():
    lease = Part(LEASE)
    store, foreign = _mixed(lease), _lease(Mechanism.ETCD, "foreign")

    with pytest.raises(LeaseLostError):
        await store.settle(foreign, a_run(foreign), _never)
    await store.abandon([foreign])

    assert lease.asked == []


async def test_the_next_due_instant_is_the_earliest_of_all():
    store = _mixed(Part(LEASE), Part(REDIS, due_at=MIDNIGHT + SECOND), Part(OPTIMISTIC, due_at=MIDNIGHT))

    assert await next_due_at(store) == MIDNIGHT
    assert await next_due_at(_mixed(Part(LEASE))) is None


def _never(endpoint, stored):
    raise AssertionError
