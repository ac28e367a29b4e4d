"""Whoever waits for releases waits for those on their way, however many come after them."""

import asyncio

import pytest

from cronicorn.adapters.postgres.releasing import Releaser
from cronicorn.testing.claim_service import ClockedClaimService
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.claim_service import a_claim


class OneByOne(ClockedClaimService):
    """Lets go of one batch for each `go_on`, and tells which it has begun."""

    def __init__(self):
        super().__init__(VirtualClock())
        self.begun: asyncio.Queue[list[str]] = asyncio.Queue()
        self.go_on = asyncio.Semaphore(0)

    async def release(self, claims):
        self.begun.put_nowait([claim.key for claim in claims])
        await self.go_on.acquire()


@pytest.fixture
def service():
    return OneByOne()


@pytest.fixture
def releaser(service):
    return Releaser(service)


async def test_what_comes_meanwhile_is_released_together_and_waited_for_by_nobody_who_came_before(service, releaser):
    releaser.release_soon([a_claim("a")])
    first = await service.begun.get()
    releaser.release_soon([a_claim("b")])
    releaser.release_soon([a_claim("c")])
    waiting = asyncio.create_task(releaser.done())
    service.go_on.release()
    second = await service.begun.get()
    releaser.release_soon([a_claim("d")])
    service.go_on.release()
    third = await service.begun.get()

    async with asyncio.timeout(5):
        await waiting

    assert (first, second, third) == (["a"], ["b", "c"], ["d"])
    service.go_on.release()
    await releaser.done()


@pytest.mark.parametrize("held", ["a", "b"])
async def test_a_claim_waits_only_for_releases_of_what_it_chose(service, releaser, held):
    releaser.release_soon([a_claim("a")])
    await service.begun.get()
    releaser.release_soon([a_claim("b")])

    async with asyncio.timeout(5):
        await releaser.done({"c"})

    waiting = asyncio.create_task(releaser.done({held, "c"}))
    await asyncio.sleep(0)
    assert not waiting.done()
    for _ in range(2):
        service.go_on.release()
    await waiting
    await releaser.done()
