"""Workers that hold leases: what most tests here begin with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from cronicorn.domain.errors import LeaseLostError
from cronicorn.domain.fixtures import a_run
from cronicorn.domain.history import RunQuery
from cronicorn.domain.lease import Lease
from cronicorn.domain.run import Run
from cronicorn.domain.settlement import Settlement
from cronicorn.testing.contracts.stores import TENANT, Stores, claim, next_due_at, settle
from tests.invariants.worlds import World

TTL = timedelta(seconds=120)
"""Longer than any mechanism's shortest lock, so that all of them hold for as long."""


@dataclass(frozen=True, slots=True)
class Held:
    """A lease in the hands of a worker."""

    stores: Stores
    lease: Lease

    async def settle(self, run: Run | None = None) -> Settlement:
        return await settle(self.stores, self.lease, run)

    async def settles(self, run: Run | None = None) -> bool:
        """Whether a settlement is accepted."""
        try:
            await self.settle(run)
        except LeaseLostError:
            return False
        return True

    @property
    def run(self) -> Run:
        return a_run(self.lease)


async def hold(world: World, *, worker_id: str = "w1", ttl: timedelta = TTL) -> Held:
    """The lease on the one slot that is due, or will be next, in the hands of a new worker."""
    stores = await world.another()
    await wait_until_due(world)
    leases = await claim(stores, worker_id=worker_id, ttl=ttl)
    if not leases:  # A lock service beside the database may remember a claim that the database has forgotten.
        world.advance(ttl)
        leases = await claim(stores, worker_id=worker_id, ttl=ttl)
    (lease,) = leases
    return Held(stores, lease)


async def holders(world: World, count: int) -> list[Held]:
    """*count* workers that each claimed the same slot, one after another: each lost it to the next."""
    held = [await hold(world, worker_id=f"w{number}") for number in range(count)]
    assert len({(each.lease.slot, each.lease.attempt) for each in held}) == 1
    return held


async def wait_until_due(world: World) -> None:
    """Let time pass until a claim finds something."""
    due_at = await next_due_at(world.stores.job_store)
    assert due_at is not None
    world.advance(max(due_at - world.clock.now(), timedelta(0)))


async def runs_of(stores: Stores, endpoint_id: str = "ep1") -> Sequence[Run]:
    """All runs of an endpoint, newest first."""
    return (await stores.runs.list(TENANT, endpoint_id, RunQuery(limit=100_000))).runs


async def all_run_in_the_end(world: World, *endpoint_ids: str) -> None:
    """Let every worker end, and see that a new one can claim and settle each of the endpoints: none is lost."""
    await world.end()
    stores = await world.another()
    for endpoint_id in endpoint_ids:
        wait = timedelta(0)
        while not (leases := await claim_only(stores, endpoint_id)):
            wait = wait * 2 or timedelta(seconds=1)
            assert wait < timedelta(days=30), endpoint_id
            world.advance(wait)
        for lease in leases:
            await settle(stores, lease)


async def claim_only(stores: Stores, endpoint_id: str = "ep1") -> Sequence[Lease]:
    """Claim one endpoint and no other."""
    return await stores.job_store.claim_due(worker_id="w1", limit=1, ttl=TTL, endpoint_id=endpoint_id)
