"""Many workers at once at random, and what they were told: enough to check who held what, and when."""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cronicorn.domain.endpoint import Baseline
from cronicorn.domain.errors import ConflictError, LeaseLostError
from cronicorn.domain.fixtures import MIDNIGHT, a_pause, an_interval_hint
from cronicorn.domain.lease import Lease
from cronicorn.testing.contracts.stores import Stores, ask_to_run, claim, hint, plant, rename, settle
from tests.invariants.holding import TTL
from tests.invariants.worlds import World

ENDPOINTS = tuple(f"ep{number}" for number in range(6))
STEPS = [timedelta(seconds=seconds) for seconds in (0, 0, 1, 7, 31, 61, 121, 400)]
TAKEN_MAX = 8


@dataclass(slots=True, eq=False)
class Tenure:
    """The time for which a lease stood, by the store's clock."""

    lease: Lease
    round: int
    until: datetime
    settled_in: int | None = None


@dataclass(slots=True)
class Worker:
    """A worker, and the leases it believes in."""

    stores: Stores
    name: str
    tenures: list[Tenure] = field(default_factory=list)


@dataclass(slots=True)
class Stir:
    """Rounds in which each worker does one thing at random while the clock stands still; then time passes."""

    world: World
    workers: Sequence[Worker]
    chance: random.Random
    jumps: Sequence[timedelta] = ()
    tenures: list[Tenure] = field(default_factory=list)
    round: int = 0

    async def run(self, rounds: int) -> None:
        for _ in range(rounds):
            self.round += 1
            await asyncio.gather(*(self._act(worker) for worker in self.workers))
            self.world.advance(self.chance.choice(STEPS))
            if self.jumps:
                self.world.jump(self.chance.choice(self.jumps))

    async def _act(self, worker: Worker) -> None:
        acts: Sequence[Callable[[Worker], Awaitable[None]]] = [
            self._claim, self._claim, self._settle, self._settle, self._renew, self._abandon, self._edit,
        ]  # fmt: skip
        await self.chance.choice(acts)(worker)

    async def _claim(self, worker: Worker) -> None:
        leases = await claim(worker.stores, worker_id=worker.name, limit=self.chance.randint(1, 4), ttl=TTL)
        found = [Tenure(lease, self.round, lease.expires_at) for lease in leases]
        self.tenures += found
        worker.tenures += found
        del worker.tenures[:-TAKEN_MAX]

    async def _settle(self, worker: Worker) -> None:
        if not worker.tenures:
            return
        tenure = self.chance.choice(worker.tenures)
        try:
            await settle(worker.stores, tenure.lease)
        except LeaseLostError:
            return
        if tenure.settled_in is None:
            tenure.settled_in = self.round
            tenure.until = min(tenure.until, self.world.clock.now())

    async def _renew(self, worker: Worker) -> None:
        tenures = [tenure for tenure in worker.tenures if tenure.lease.mechanism.renewable]
        if not tenures:
            return
        renewal = await asyncio.to_thread(worker.stores.job_store.renew, [tenure.lease for tenure in tenures], ttl=TTL)
        for tenure in tenures:
            if tenure.lease.claim_id not in renewal.lost | renewal.unextended:
                tenure.until = self.world.clock.now() + TTL

    async def _abandon(self, worker: Worker) -> None:
        if worker.tenures:
            tenure = worker.tenures.pop(self.chance.randrange(len(worker.tenures)))
            await worker.stores.job_store.abandon([tenure.lease])
            tenure.until = min(tenure.until, self.world.clock.now())

    async def _edit(self, worker: Worker) -> None:
        endpoint_id, now = self.chance.choice(ENDPOINTS), self.world.clock.now()
        edits: Sequence[Callable[[], Awaitable[object]]] = [
            lambda: ask_to_run(worker.stores, endpoint_id),
            lambda: rename(worker.stores, f"{endpoint_id} {self.round}", endpoint_id),
            lambda: hint(worker.stores, an_interval_hint(timedelta(seconds=20), now=now), endpoint_id),
            lambda: hint(worker.stores, a_pause(now + timedelta(seconds=50), now=now), endpoint_id),
        ]
        try:
            await self.chance.choice(edits)()
        except ConflictError:
            return  # Too many hints.


async def stirred(
    world: World,
    *,
    seed: int,
    rounds: int = 50,
    others: Sequence[Stores] = (),
    jumps: Sequence[timedelta] = (),
) -> Stir:
    """Six endpoints and four workers, or two and the *others*, after *rounds* of random work.

    After each round the clock that judges makes one of the *jumps*.
    """
    for number, endpoint_id in enumerate(ENDPOINTS):
        interval = timedelta(seconds=10 + 15 * number)
        await plant(world.stores, endpoint_id, baseline=Baseline(interval=interval, anchor_at=MIDNIGHT))
    stores = [await world.another() for _ in range(2 if others else 4)]
    workers = [Worker(each, f"w{number}") for number, each in enumerate([*stores, *others])]
    stir = Stir(world, workers, random.Random(seed), jumps)
    await stir.run(rounds)
    assert len(stir.tenures) > rounds / 4
    return stir


def overlapping(tenures: Sequence[Tenure]) -> list[tuple[Tenure, Tenure]]:
    """Pairs of leases on one endpoint of which one began before the other had ended."""
    by_endpoint = defaultdict(list)
    for tenure in tenures:
        by_endpoint[tenure.lease.endpoint.id].append(tenure)
    return [
        (earlier, later)
        for found in by_endpoint.values()
        for ordered in [sorted(found, key=lambda tenure: tenure.lease.fence)]
        for number, later in enumerate(ordered)
        for earlier in ordered[:number]
        if earlier.until > later.lease.claimed_at
    ]


def settled_twice(tenures: Sequence[Tenure]) -> list[str]:
    """Runs that more than one lease was told it had settled."""
    settled = Counter(tenure.lease.run_id for tenure in tenures if tenure.settled_in is not None)
    return [run_id for run_id, count in settled.items() if count > 1]


def stale(tenures: Sequence[Tenure]) -> list[tuple[Tenure, Tenure]]:
    """Accepted settlements, each with a claim of an earlier round that had a higher fence."""
    return [
        (tenure, other)
        for tenure in tenures
        for other in tenures
        if tenure.settled_in is not None
        and other.lease.endpoint.id == tenure.lease.endpoint.id
        and other.round < tenure.settled_in
        and other.lease.fence > tenure.lease.fence
    ]
