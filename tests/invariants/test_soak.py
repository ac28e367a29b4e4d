"""Everything at once for a while: no deadlock, no serialisation failure and no other error reaches a caller."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from cronicorn.domain.endpoint import Baseline, Job, JobStatus
from cronicorn.domain.errors import ConflictError, LeaseLostError
from cronicorn.domain.fixtures import MIDNIGHT, a_defer, a_pause, an_interval_hint
from cronicorn.domain.lease import Lease
from cronicorn.domain.mechanism import Invariant
from cronicorn.domain.settlement import Settlement
from cronicorn.testing.contracts.steering import steered_sibling
from cronicorn.testing.contracts.stores import (
    TENANT,
    Stores,
    ask_to_run,
    claim,
    hint,
    next_due_at,
    plant,
    rename,
    settle,
)
from cronicorn.testing.store_machine.edits import follow
from tests.invariants.holding import TTL, all_run_in_the_end
from tests.invariants.worlds import SYSTEM, World, kept

LASTS_S = 1.5
ENDPOINTS = [f"ep{number}" for number in range(12)]


async def _claim_and_settle(stores: Stores, chance: random.Random, world: World) -> None:
    leases = await claim(stores, limit=chance.randint(1, 8), ttl=timedelta(seconds=chance.choice([1, 20])))
    renewing = asyncio.to_thread(stores.job_store.renew, _shuffled(leases, chance), ttl=timedelta(seconds=5))
    await asyncio.gather(renewing, *(_settle(stores, lease) for lease in _shuffled(leases, chance)[:6]))


async def _settle(stores: Stores, lease: Lease) -> None:
    try:
        await settle(stores, lease)
    except LeaseLostError:
        return


async def _settle_and_steer(stores: Stores, chance: random.Random, world: World) -> None:
    now = world.clock.now()
    steer = a_defer(now + timedelta(seconds=1), now=now)
    for lease in await claim(stores, limit=3, ttl=TTL):
        try:
            await stores.job_store.settle(
                lease,
                None,
                lambda endpoint, stored: Settlement(
                    state=endpoint.state,
                    siblings={key: steered_sibling(stored, key, steer) for key in stored.siblings if key in ENDPOINTS},
                ),
            )
        except LeaseLostError:
            continue


async def _abandon(stores: Stores, chance: random.Random, world: World) -> None:
    leases = await claim(stores, limit=chance.randint(1, 8), ttl=timedelta(seconds=1))
    await asyncio.gather(*(stores.job_store.abandon(_shuffled(leases, chance)) for _ in range(2)))


async def _lose(stores: Stores, chance: random.Random, world: World) -> None:
    await claim(stores, limit=2, ttl=timedelta(seconds=1))


async def _edit(stores: Stores, chance: random.Random, world: World) -> None:
    now, endpoint_id = world.clock.now(), chance.choice(ENDPOINTS)
    edits: list[Callable[[], Awaitable[object]]] = [
        lambda: ask_to_run(stores, endpoint_id),
        lambda: rename(stores, f"{endpoint_id} {chance.random()}", endpoint_id),
        lambda: hint(stores, an_interval_hint(timedelta(seconds=2), now=now, ttl=TTL), endpoint_id),
        lambda: hint(stores, a_pause(now + timedelta(seconds=1), now=now), endpoint_id),
        lambda: stores.run_control.cancel(TENANT, endpoint_id, 1),
    ]
    try:
        await chance.choice(edits)()
    except ConflictError:
        return


async def _edit_job(stores: Stores, chance: random.Random, world: World) -> None:
    status = chance.choice([JobStatus.ACTIVE, JobStatus.ACTIVE, JobStatus.PAUSED])

    def edit(job: Job, _: object) -> Job:
        return replace(job, status=status)

    await stores.jobs.change(TENANT, "job1", edit, follow)


async def _look(stores: Stores, chance: random.Random, world: World) -> None:
    await stores.endpoints.list(TENANT, "job1")
    await next_due_at(stores.job_store)
    await stores.health.overdue(timedelta(0))
    await stores.runs.prune(world.clock.now() - timedelta(seconds=30), 5)


ACTS = [
    *[_claim_and_settle] * 6, _settle_and_steer, _abandon, _lose, *[_edit] * 3, _edit_job, _look,
]  # fmt: skip


@kept(Invariant.I18)
async def test_i18_no_deadlock_and_no_serialisation_failure_reaches_a_caller(world: World):
    for number, endpoint_id in enumerate(ENDPOINTS):
        interval = timedelta(seconds=1 + number % 3)
        await plant(world.stores, endpoint_id, baseline=Baseline(interval=interval, anchor_at=MIDNIGHT))
    ends = SYSTEM.monotonic() + LASTS_S
    done = 0

    async def keep_on(number: int) -> None:
        nonlocal done
        stores, chance = await world.another(), random.Random(number)
        while SYSTEM.monotonic() < ends:
            await chance.choice(ACTS)(stores, chance, world)
            world.advance(timedelta(milliseconds=chance.choice([0, 5, 300])))
            await asyncio.sleep(0)
            done += 1

    await asyncio.gather(*(keep_on(number) for number in range(6)))
    await _edit_job(world.stores, random.Random(1), world)

    assert done > 6
    await world.stores.jobs.change(TENANT, "job1", lambda job, _: replace(job, status=JobStatus.ACTIVE), follow)
    await all_run_in_the_end(world, *ENDPOINTS)


def _shuffled(leases, chance: random.Random) -> list[Lease]:
    return chance.sample(list(leases), len(leases))
