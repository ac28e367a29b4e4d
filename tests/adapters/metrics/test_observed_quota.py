"""A quota whose decisions are counted and told."""

import logging
from datetime import timedelta

import pytest

from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.adapters.memory.quota import MemoryQuota
from cronicorn.adapters.metrics.observed_quota import ObservedQuota
from cronicorn.adapters.metrics.prometheus import Metrics
from cronicorn.domain.quota.allowance import Budget
from cronicorn.domain.quota.decision import Mode
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.quota_books import NOON, ask, denied, grant, standing, tiers
from tests.adapters.metrics.test_observed_job_store import counted

HOUR = timedelta(hours=1)


@pytest.fixture
def metrics():
    return Metrics()


def _quota(metrics, mode=Mode.RESERVE):
    return ObservedQuota(MemoryQuota(MemoryDatabase(VirtualClock(NOON)), tiers(), mode), metrics, mode)


async def test_what_is_reserved_charged_and_denied_is_counted_once(metrics, caplog):
    caplog.set_level(logging.INFO)
    quota = _quota(metrics)
    first, second = await grant(quota, "k1", 500), await grant(quota, "k2", 300)
    await ask(quota, "k1", 500)
    await denied(quota, "k3", 10)

    for _ in range(2):
        await quota.commit(first, None)
    await quota.release(second)

    assert await counted(metrics, "cronicorn_quota_reserved_tokens_total") == 800
    assert await counted(metrics, "cronicorn_quota_committed_tokens_total") == 500
    assert await counted(metrics, "cronicorn_quota_denied_total") == 1
    (record,) = caplog.records
    assert (record.message, record.tenant, record.budget, record.reason, record.retry_after_s) == (
        "quota_denied", "t1", "analysis", "reserved", 10.0,
    )  # fmt: skip
    assert await standing(quota) == (500, 0)


async def test_an_overrun_of_the_soft_mode_is_counted_and_told(metrics, caplog):
    quota = _quota(metrics, Mode.SOFT)
    grants = [await grant(quota, f"k{number}", 600, budget=Budget.COMPILE) for number in range(3)]

    for grant_id in grants:
        await quota.commit(grant_id, 600)

    assert await counted(metrics, "cronicorn_quota_overrun_tokens_total") == 800
    assert [(each.message, each.used, each.limit) for each in caplog.records] == [
        ("quota_overrun", 1_200, 1_000),
        ("quota_overrun", 1_800, 1_000),
    ]


async def test_what_is_charged_beyond_its_grant_is_counted_and_told(metrics, caplog):
    quota = _quota(metrics)
    within, beyond = await grant(quota, "k1", 300), await grant(quota, "k2", 300)

    await quota.commit(within, 300)
    await quota.commit(beyond, 420)
    await quota.commit(beyond, 420)

    assert await counted(metrics, "cronicorn_quota_excess_tokens_total") == 120
    (record,) = caplog.records
    assert (record.message, record.tenant, record.granted, record.charged) == ("grant_exceeded", "t1", 300, 420)


async def test_a_grant_of_another_process_is_charged_and_not_counted(metrics):
    database = MemoryDatabase(VirtualClock(NOON))
    there = MemoryQuota(database, tiers())
    quota = ObservedQuota(there, metrics, Mode.RESERVE)

    await quota.commit(await grant(there), 70)

    assert await standing(quota) == (70, 0)
    assert await counted(metrics, "cronicorn_quota_committed_tokens_total") == 0
