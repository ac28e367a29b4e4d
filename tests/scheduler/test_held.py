"""A lease in the hands of its holder, when its time is over."""

import asyncio
from datetime import timedelta

import pytest

from cronicorn.adapters.memory.stores import MemoryStores
from cronicorn.adapters.system_clock import SystemClock
from cronicorn.domain.errors import LeaseLostError
from cronicorn.domain.fixtures import a_lease, an_endpoint
from cronicorn.scheduler.held import CallStoppedError, HeldLease

SPAN = timedelta(seconds=0.05)


class SlowClock(SystemClock):
    """By which every timer ends a little early, as uvloop's do."""

    def monotonic(self):
        return super().monotonic() * 0.9


@pytest.fixture
def held():
    clock = SlowClock()
    return HeldLease(a_lease(an_endpoint()), MemoryStores.open(clock).job_store, clock, clock.monotonic(), SPAN)


async def test_a_call_that_outlives_its_lease_is_lost_not_cancelled_even_if_the_timer_ends_early(held):
    with pytest.raises(LeaseLostError):
        await held.within(asyncio.Event().wait())


async def test_a_call_whose_lease_was_over_before_does_not_begin(held):
    begun = []

    async def call():
        begun.append(True)

    held.lose()

    with pytest.raises(LeaseLostError):
        await held.within(call())
    assert begun == []


async def test_a_call_that_was_cancelled_while_its_lease_stands_was_stopped(held):
    held.cancel()

    with pytest.raises(CallStoppedError):
        await held.within(asyncio.Event().wait())


async def test_a_call_that_was_cancelled_after_its_lease_was_lost_is_lost(held):
    held.cancel()
    held.lose()

    with pytest.raises(LeaseLostError):
        await held.within(asyncio.Event().wait())
