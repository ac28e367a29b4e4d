"""A lease for whoever makes the call in a way of their own: claimed, renewed, committed or given back."""

import asyncio
import contextlib
import doctest
import logging
import re
import threading
from datetime import timedelta
from functools import partial

import pytest

from cronicorn.adapters.memory.stores import MemoryStores
from cronicorn.adapters.system_clock import SystemClock
from cronicorn.domain import (
    Baseline,
    ConflictError,
    InvalidInputError,
    JobStore,
    LeaseLostError,
    NotFoundError,
    SlotState,
    UnavailableError,
)
from cronicorn.domain.errors import QuotaExceededError
from cronicorn.domain.execution.limits import ExecutionLimits, TierLimits, month_of
from cronicorn.domain.fixtures import an_outcome
from cronicorn.domain.history import RunQuery
from cronicorn.domain.lease import Renewal
from cronicorn.domain.run import RunStatus
from cronicorn.scheduler import claim_with_lease, claiming, commit_outcome
from cronicorn.scheduler.rationed import RationedJobStore
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import CRON, MINUTE, TENANT, ask_to_run, claim, plant
from tests.scheduler.test_faults import FlakyStore
from tests.waiting import eventually_async

OK = an_outcome()


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
async def stores(clock):
    stores = MemoryStores.open(clock)
    await plant(stores)
    clock.advance(MINUTE)
    return stores


@pytest.fixture
def claimed(stores, clock):
    return partial(claim_with_lease, stores.job_store, clock=clock, worker_id="mine")


async def test_a_call_under_a_lease_is_recorded_and_planned_again(stores, clock, claimed):
    async with claimed("ep1") as held:
        clock.advance(timedelta(seconds=2))
        settlement = await commit_outcome(held, OK, CRON)

    (run,) = (await stores.runs.list(TENANT, "ep1", RunQuery())).runs
    assert (run.slot, run.status, run.finished_at - run.started_at) == (1, RunStatus.SUCCESS, timedelta(seconds=2))
    assert run.nominal_at == run.due_at
    assert settlement.state.due_at == run.due_at + MINUTE
    assert await claim(stores) == []


async def test_committing_again_is_answered_alike(stores, claimed):
    async with claimed("ep1") as held:
        first = await commit_outcome(held, OK, CRON)
        again = await commit_outcome(held, OK, CRON)

    assert again == first
    assert (await stores.runs.list(TENANT, "ep1", RunQuery())).total == 1


@pytest.mark.parametrize("leave", [None, ZeroDivisionError("a bug"), asyncio.CancelledError()])
async def test_a_block_left_without_commit_gives_the_slot_back_at_once(stores, claimed, leave):
    with contextlib.suppress(ZeroDivisionError, asyncio.CancelledError):
        async with claimed("ep1"):
            if leave is not None:
                raise leave

    assert len(await claim(stores)) == 1
    assert (await stores.runs.list(TENANT, "ep1", RunQuery())).total == 0


async def test_a_lease_can_be_abandoned_inside_the_block(stores, claimed):
    async with claimed("ep1") as held:
        await held.abandon()
        (other,) = await claim(stores, worker_id="w2")

    assert stores.job_store.renew([other], ttl=MINUTE) == Renewal()


async def test_a_lease_that_was_abandoned_commits_nothing(claimed):
    async with claimed("ep1") as held:
        await held.abandon()
        with pytest.raises(LeaseLostError):
            await commit_outcome(held, OK, CRON)


async def test_what_there_is_no_lease_on_is_said(stores, clock, claimed):
    look = partial(stores.endpoints.get, TENANT)
    with pytest.raises(ConflictError, match="not there, not due now, or under another worker's lease"):
        await claimed("nobody").__aenter__()
    with pytest.raises(NotFoundError, match="nobody"):
        await claimed("nobody", look=look).__aenter__()

    async with claimed("ep1") as held:
        with pytest.raises(ConflictError, match="ep1 is under another worker's lease"):
            await claimed("ep1", look=look).__aenter__()
        await commit_outcome(held, OK, CRON)

    with pytest.raises(ConflictError, match=re.escape(f"ep1 is not due before {(clock.now() + MINUTE).isoformat()}")):
        await claimed("ep1", look=look).__aenter__()
    await plant(stores, "rare", baseline=Baseline(dormant=True))
    with pytest.raises(ConflictError, match="rare has no next run"):
        await claimed("rare", look=look).__aenter__()


async def test_a_lease_that_allows_no_call_is_not_handed_out(stores, clock):
    counting = RationedJobStore(stores.job_store, stores.run_book, TierLimits(other=ExecutionLimits(runs=1)))
    claiming_mine = partial(claim_with_lease, counting, "ep1", clock=clock, worker_id="mine")
    async with claiming_mine() as held:
        await commit_outcome(held, OK, CRON)
    clock.advance(MINUTE)

    for cron, fate, skipped in (
        (None, "is given back and stays due", []),
        (CRON, "has ended without a call", [SlotState.SKIPPED_QUOTA]),
    ):
        due_at = (await stores.endpoints.get(TENANT, "ep1"))[0].state.due_at
        with pytest.raises(QuotaExceededError, match=f"ep1 {fate}: the tenant's 1 runs of .* are used up") as refusal:
            await claiming_mine(cron=cron).__aenter__()
        endpoint, stored = await stores.endpoints.get(TENANT, "ep1")
        assert refusal.value.retry_after == month_of(clock.now()).end_at - clock.now()
        assert [skip.state for skip in (await stores.runs.skips(TENANT, "ep1", 10)).skips] == skipped
        assert endpoint.state.due_at == (due_at if cron is None else due_at + MINUTE)
        assert not stored.leased
    assert (await stores.runs.list(TENANT, "ep1", RunQuery())).total == 1


async def test_a_slot_that_rests_is_told_from_one_that_is_leased(stores, clock, claimed):
    for _ in range(3):
        await claim(stores, ttl=timedelta(seconds=1))
        clock.advance(timedelta(seconds=1))

    with pytest.raises(ConflictError, match="rests after lost leases"):
        await claimed("ep1", look=partial(stores.endpoints.get, TENANT)).__aenter__()


async def test_a_renewal_that_comes_too_seldom_is_refused(claimed):
    with pytest.raises(InvalidInputError, match=r"30 s can't be renewed each 27 s"):
        await claimed("ep1", renew_interval=timedelta(seconds=27)).__aenter__()


async def test_the_lease_is_renewed_while_the_block_lasts():
    stores = await _due_now()
    renewals, threads = [], set(threading.enumerate())

    class Counting(FlakyStore):
        def renew(self, leases, *, ttl):
            renewals.append(ttl)
            return super().renew(leases, ttl=ttl)

    async with _quick(Counting(stores.job_store)) as held:
        await eventually_async(lambda: len(renewals) >= 3)
        during = held.alive
        await commit_outcome(held, OK, CRON)
    count = len(renewals)

    assert during
    assert set(renewals) == {timedelta(seconds=1)}
    assert [thread.name for thread in set(threading.enumerate()) - threads if "asyncio" not in thread.name] == []
    assert len(renewals) == count


async def test_a_call_is_stopped_when_its_lease_can_not_be_renewed(caplog):
    stores = await _due_now()

    with caplog.at_level(logging.CRITICAL), pytest.raises(LeaseLostError):
        async with _quick(FlakyStore(stores.job_store, renewals_off=True)) as held:
            await held.within(asyncio.get_running_loop().create_future())


async def test_a_store_that_is_away_at_the_end_hides_no_error(stores, clock, caplog):
    away = FlakyStore(stores.job_store, settles_off=True)

    with caplog.at_level(logging.CRITICAL), pytest.raises(ZeroDivisionError):
        async with claim_with_lease(away, "ep1", clock=clock, worker_id="mine"):
            raise ZeroDivisionError("a bug")
    with caplog.at_level(logging.CRITICAL), pytest.raises(UnavailableError):
        async with claim_with_lease(FlakyStore(away, claims_off=True), "ep1", clock=clock, worker_id="mine"):
            pass


async def test_what_is_committed_is_not_given_back(stores, clock, caplog):
    store = FlakyStore(stores.job_store)

    async with claim_with_lease(store, "ep1", clock=clock, worker_id="mine") as held:
        await commit_outcome(held, OK, CRON)
        store.settles_off = True

    assert caplog.records == []


async def test_the_example_works(stores, clock):
    example = doctest.DocTestFinder().find(claim_with_lease, globs=vars(claiming).copy())[0]

    async def my_call(_endpoint):
        return OK

    example.globs["my_call"] = my_call
    doctest.DocTestRunner().run(example, clear_globs=False)

    due_at = await example.globs["run_one"](stores, "ep1", clock, CRON)

    assert due_at == clock.now() + MINUTE


async def _due_now() -> MemoryStores:
    stores = MemoryStores.open(SystemClock())
    await plant(stores)
    await ask_to_run(stores)
    return stores


def _quick(store: JobStore):
    return claim_with_lease(
        store, "ep1", ttl=timedelta(seconds=1), renew_interval=timedelta(milliseconds=20), clock=SystemClock(),
        worker_id="mine",
    )  # fmt: skip
