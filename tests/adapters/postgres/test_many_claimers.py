"""Many who claim, renew, settle and edit at once: nobody waits in a circle, nobody starves, no cap is exceeded."""

import asyncio
import random
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from cronicorn.adapters.postgres import claim_statements
from cronicorn.adapters.postgres.caps import Caps
from cronicorn.adapters.postgres.job_store import PostgresJobStore
from cronicorn.adapters.postgres.lease_statements import LeaseStatements
from cronicorn.adapters.postgres.options import PostgresOptions
from cronicorn.adapters.postgres.renewing import proofs_of
from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.adapters.postgres.watermark import SWEEP_INTERVAL_S
from cronicorn.domain.errors import CronicornError, LeaseLostError, UnavailableError
from cronicorn.domain.fixtures import a_run
from cronicorn.domain.lease import Lease
from cronicorn.domain.mechanism import Share
from cronicorn.domain.settlement import Change, Settlement
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import next_due_at
from tests.adapters.postgres.crowd import plant_crowd
from tests.adapters.postgres.variants import VARIANTS

TTL = timedelta(seconds=30)


@pytest.fixture
async def open_stores(postgres_url):
    opened = []

    async def open_one(options=None, judge=None):
        opened.append(await PostgresStores.open(postgres_url, judge, options))
        return opened[-1]

    yield open_one
    for stores in opened:
        await stores.aclose()


@pytest.fixture
async def beside(postgres_url):
    """A connection of somebody else."""
    connection = await asyncpg.connect(postgres_url)
    yield connection
    await connection.close()


def _host(lease):
    return lease.endpoint.id.split("-")[1]


def _soon_again(endpoint, stored):
    state = endpoint.state
    plan = state.plan._replace(next_run_at=stored.now + timedelta(milliseconds=50))
    return Settlement(state=replace(state, plan=plan, slot=state.slots_issued + 1, slots_issued=state.slots_issued + 1))


def _much_later(endpoint, stored):
    settlement = _soon_again(endpoint, stored)
    plan = settlement.state.plan._replace(next_run_at=stored.now + timedelta(hours=1))
    return settlement._replace(state=replace(settlement.state, plan=plan))


def _run(lease):
    return a_run(lease, finished_at=lease.claimed_at + timedelta(milliseconds=5))


class Worker:
    """Does what a worker does, with short leases, half of which it loses."""

    def __init__(self, stores, name):
        self.stores, self.name, self.settled, self.errors = stores, name, [], []
        self.chance = random.Random(name)

    async def work(self, until):
        while time.monotonic() < until:
            ttl = timedelta(seconds=self.chance.choice([0.05, 2]))
            try:
                leases = await self.stores.job_store.claim_due(worker_id=self.name, limit=40, ttl=ttl)
                await asyncio.to_thread(self.stores.job_store.renew, leases, ttl=ttl)
                given_back, kept = leases[:3], leases[3:]
                await asyncio.gather(
                    self.stores.job_store.abandon(given_back), *(self._settle(lease) for lease in kept)
                )
                await next_due_at(self.stores.job_store)
            except CronicornError as error:
                self.errors.append(error)

    async def _settle(self, lease):
        try:
            await self.stores.job_store.settle(lease, _run(lease), _soon_again)
        except LeaseLostError:
            return
        self.settled.append((lease.endpoint.id, lease.slot))

    async def edit(self, until):
        while time.monotonic() < until:
            tenant, number = f"t{self.chance.randrange(4)}", self.chance.randrange(50)
            try:
                if number % 2:
                    await self.stores.endpoints.change(tenant, f"{tenant}-127.0.0.1-{number:06}", _unchanged)
                else:
                    await self.stores.jobs.change(tenant, f"{tenant}-job", lambda job, now: job, _unchanged)
            except CronicornError as error:
                self.errors.append(error)


def _unchanged(endpoint, job, stored):
    return Change(endpoint=endpoint)


@pytest.mark.parametrize("variant", VARIANTS)
async def test_nobody_waits_in_a_circle_and_no_slot_is_settled_twice(open_stores, variant):
    workers = [Worker(await open_stores(VARIANTS[variant]), f"w{number}") for number in range(4)]
    await plant_crowd(workers[0].stores.database, {f"t{number}": 50 for number in range(4)})
    until = time.monotonic() + 4

    await asyncio.gather(*(worker.work(until) for worker in workers), workers[0].edit(until), workers[1].edit(until))

    assert [error for worker in workers for error in worker.errors] == []
    settled = Counter(slot for worker in workers for slot in worker.settled)
    assert settled
    assert max(settled.values()) == 1


UNORDERED = LeaseStatements(
    renew="""
UPDATE cronicorn.schedule AS e SET lease_until_us = e.lease_until_us
  FROM unnest($2::smallint[], $3::text[], $4::text[], $5::bigint[]) AS d(shard, endpoint_id, claim_id, fence)
 WHERE e.shard = d.shard AND e.endpoint_id = d.endpoint_id AND $1::bigint IS NULL AND $6::bigint > 0
RETURNING e.claim_id, e.cancelled, e.lease_until_us
""",
)


@pytest.mark.parametrize(
    ("statements", "found"), [(UNORDERED, True), (LeaseStatements(), False)], ids=["unordered", "ordered"]
)
async def test_statements_that_lock_in_any_order_wait_for_one_another(open_stores, statements, found):
    stores = await open_stores()
    await plant_crowd(stores.database, {"t1": 200})
    leases = await stores.job_store.claim_due(worker_id="w1", limit=200, ttl=TTL)
    until, deadlocks = time.monotonic() + 4, list[Exception]()

    async def ask(statement, more, orders):
        async with stores.database.connection() as connection:
            while time.monotonic() < until and not deadlocks:
                proofs = proofs_of(random.Random(len(orders)).sample(leases, 200), 1)
                orders.append(1)
                transaction = connection.transaction()
                await transaction.start()
                try:
                    await connection.fetch(statement, *more[:1], *proofs, *more[1:])
                except asyncpg.DeadlockDetectedError as error:
                    deadlocks.append(error)
                await transaction.rollback()

    # What abandons waits for locks, as what settles does; both undo what they did.
    await asyncio.gather(
        ask(statements.renew, (None, 1), []), ask(statements.renew, (None, 1), []),
        ask(statements.abandon, (), []), ask(statements.abandon, (), []),
    )  # fmt: skip

    assert bool(deadlocks) is found


async def test_one_tenants_backlog_keeps_no_other_tenant_waiting(open_stores):
    """Whatever order the workers get on in: each of 51 tenants has a part of every claim that serves in turn.

    The clock stands still, so no claim is dear. In turn a claim of 200 serves each tenant 3: 20 are gone after 7 of
    them, and a worker's first claim and its sixth are plain.
    """
    clock = VirtualClock()
    workers = [await open_stores(judge=clock) for _ in range(3)]
    await plant_crowd(workers[0].database, {"big": 9_000}, overdue=timedelta(minutes=5))
    await plant_crowd(workers[0].database, {f"small{number:02}": 20 for number in range(50)})

    async def claim_all(stores, name):
        batches = list[set[str]]()
        claimed = 0
        while leases := await stores.job_store.claim_due(worker_id=name, limit=200, ttl=TTL):
            batches.append({lease.endpoint.tenant_id for lease in leases})
            claimed += len(leases)
        last = max((number for number, tenants in enumerate(batches, 1) if tenants != {"big"}), default=0)
        return claimed, last

    claims = await asyncio.gather(*(claim_all(stores, f"w{number}") for number, stores in enumerate(workers)))

    assert sum(claimed for claimed, _ in claims) == 10_000
    assert max(last for _, last in claims) <= 9


async def test_no_room_stays_idle_while_one_tenant_has_something_due(open_stores):
    stores = await open_stores()
    await plant_crowd(stores.database, {"big": 1_000}, overdue=timedelta(minutes=5))
    await plant_crowd(stores.database, {"small": 3})

    batches = [await stores.job_store.claim_due(worker_id="w1", limit=100, ttl=TTL) for _ in range(11)]

    assert [len(batch) for batch in batches] == [*[100] * 10, 3]
    assert "small" in {lease.endpoint.tenant_id for batch in batches[:3] for lease in batch}
    for batch in batches:
        assert [lease.endpoint.state.due_at for lease in batch] == sorted(
            lease.endpoint.state.due_at for lease in batch
        )


@pytest.mark.parametrize("variant", VARIANTS)
async def test_calls_in_progress_never_exceed_a_cap_and_nobody_else_is_held_up(open_stores, variant):
    stores = await open_stores(VARIANTS[variant])
    await plant_crowd(stores.database, {"a": 60, "b": 60}, host="slow")
    await plant_crowd(stores.database, {"c": 4, "d": 60}, host="fast")
    caps = Caps(per_tenant=7, per_host=10)
    claimers = [PostgresJobStore((await open_stores(VARIANTS[variant])).database, caps=caps) for _ in range(4)]

    async def claim_some(store, number):
        return [await store.claim_due(worker_id=f"w{number}", limit=3, ttl=TTL) for _ in range(4)]

    claims = await asyncio.gather(*(claim_some(store, number) for number, store in enumerate(claimers)))

    leases = [lease for batches in claims for batch in batches for lease in batch]
    assert Counter(_host(lease) for lease in leases) == {
        "slow": 10,
        "fast": 10,
    }
    assert max(Counter(lease.endpoint.tenant_id for lease in leases).values()) <= 7
    await claimers[0].abandon(leases[:1])
    (again,) = await claimers[1].claim_due(worker_id="w1", limit=5, ttl=TTL)
    assert (
        again.endpoint.id.rpartition("-")[0].partition("-")[2]
        == leases[0].endpoint.id.rpartition("-")[0].partition("-")[2]
    )
    for store in claimers:
        await store.aclose()


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("per_host", [1, 3])
async def test_tenants_take_turns_at_a_host_that_is_capped(open_stores, variant, per_host):
    stores = await open_stores(VARIANTS[variant])
    await plant_crowd(stores.database, {"big": 300}, overdue=timedelta(minutes=5))
    await plant_crowd(stores.database, {"other": 30, "small": 30})
    store = PostgresJobStore(stores.database, caps=Caps(per_host=per_host))
    served: Counter[str] = Counter()

    for _ in range(12):
        leases = await store.claim_due(worker_id="w1", limit=5, ttl=TTL)
        assert len(leases) == per_host
        for lease in leases:
            served[lease.endpoint.tenant_id] += 1
            await store.settle(lease, _run(lease), _much_later)

    assert max(served.values()) - min(served.values()) <= 4
    assert served.keys() == {"big", "other", "small"}
    await store.aclose()


async def test_what_waits_for_a_cap_is_not_said_to_be_due_at_once(open_stores):
    stores = await open_stores()
    await plant_crowd(stores.database, {"a": 3})
    store = PostgresJobStore(stores.database, caps=Caps(per_tenant=2))

    leases = await store.claim_due(worker_id="w1", limit=10, ttl=TTL)
    nothing = await store.claim_due(worker_id="w1", limit=10, ttl=TTL)

    assert (len(leases), len(nothing)) == (2, 0)
    next_due = await store.next_due()
    assert next_due is not None
    assert next_due.due_at > leases[0].claimed_at
    await store.aclose()


async def test_a_store_serves_its_share_of_the_tenants(open_stores):
    stores = await open_stores()
    await plant_crowd(stores.database, {f"t{number}": 5 for number in range(40)})
    low = PostgresJobStore(stores.database, share=Share(0, 30))
    high = PostgresJobStore(stores.database, share=Share(30, 100))

    async def claimed(store):
        batches = [await store.claim_due(worker_id="w1", limit=20, ttl=TTL) for _ in range(11)]
        return [lease.endpoint.tenant_id for batch in batches for lease in batch]

    lows, highs = await claimed(low), await claimed(high)

    assert all(tenant in Share(0, 30) for tenant in lows)
    assert all(tenant in Share(30, 100) for tenant in highs)
    assert len(lows) + len(highs) == 200
    await low.aclose()
    await high.aclose()


async def test_a_held_snapshot_does_not_slow_claims_down(open_stores, beside):
    stores = await open_stores()
    await plant_crowd(stores.database, {"t1": 20_000})
    await beside.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    await beside.fetchval("SELECT count(*) FROM cronicorn.schedule")
    for _ in range(38):
        await stores.job_store.claim_due(worker_id="w1", limit=500, ttl=TTL)

    leases = await stores.job_store.claim_due(worker_id="w1", limit=500, ttl=TTL)
    watermark = stores.job_store._claimer._watermarks[0]

    assert len(leases) == 500
    assert 10 * await _visited(stores, watermark.mark) < await _visited(stores, (0, 0))


async def _visited(stores, mark):
    """How many entries of the index a claim passes that begins at *mark*."""
    arguments = (None, 0, 10, mark[0], 0, 100, 1, 0, "nonce", "w1", 1, mark[1])
    async with stores.database.connection() as connection:
        await connection.execute("BEGIN")
        plan = await connection.fetch(f"EXPLAIN (ANALYZE, BUFFERS) {claim_statements.CLAIM}", *arguments)
        await connection.execute("ROLLBACK")
    (scan,) = [number for number, row in enumerate(plan) if "using schedule_due" in row[0]]
    (buffers,) = [row[0] for row in plan[scan : scan + 6] if "Buffers" in row[0]][:1]
    return int(buffers.partition("hit=")[2].split()[0])


async def test_a_row_that_somebody_else_locks_is_not_lost(open_stores, beside):
    stores = await open_stores()
    await plant_crowd(stores.database, {"t1": 3})
    leases = await stores.job_store.claim_due(worker_id="w1", limit=3, ttl=TTL)
    await beside.execute("BEGIN")
    await beside.fetch(
        "SELECT 1 FROM cronicorn.schedule WHERE endpoint_id = $1 FOR NO KEY UPDATE", leases[1].endpoint.id
    )
    await stores.job_store.abandon(leases[2:])

    renewal = await asyncio.to_thread(stores.job_store.renew, leases, ttl=TTL)

    assert renewal.unextended == {leases[1].claim_id}
    assert renewal.lost == {leases[2].claim_id}


async def test_all_shards_are_claimed_and_settled(open_stores, beside):
    await beside.execute("UPDATE cronicorn.installation SET shards = 4")
    stores = await open_stores()
    await plant_crowd(stores.database, {f"t{number}": 10 for number in range(20)})

    batches = [await stores.job_store.claim_due(worker_id="w1", limit=30, ttl=TTL) for _ in range(7)]
    leases = [lease for batch in batches for lease in batch]
    await asyncio.gather(*(stores.job_store.settle(lease, _run(lease), _soon_again) for lease in leases))

    assert len({lease.endpoint.id for lease in leases}) == 200
    assert await beside.fetchval("SELECT count(DISTINCT shard) FROM cronicorn.schedule") == 4
    assert await beside.fetchval("SELECT count(*) FROM cronicorn.runs") == 200


async def test_what_becomes_due_below_the_mark_is_claimed_within_a_sweep(open_stores):
    mine, other = await open_stores(), await open_stores()
    await plant_crowd(mine.database, {"t1": 2_000})
    first = await other.job_store.claim_due(worker_id="w2", limit=10, ttl=TTL)
    await mine.job_store.claim_due(worker_id="w1", limit=5, ttl=TTL)
    await mine.job_store.claim_due(worker_id="w1", limit=5, ttl=TTL)
    await other.job_store.abandon(first)
    began, claimed = time.monotonic(), set[str]()

    while not claimed >= {lease.endpoint.id for lease in first}:
        leases = await mine.job_store.claim_due(worker_id="w1", limit=5, ttl=TTL)
        claimed |= {lease.endpoint.id for lease in leases}
        assert time.monotonic() - began < SWEEP_INTERVAL_S + 1.0


async def test_a_dead_workers_slots_are_taken_over_soon_after_their_leases_end(open_stores):
    dead, alive = await open_stores(), await open_stores()
    await plant_crowd(dead.database, {"t1": 20})
    ttl = timedelta(seconds=0.5)
    await dead.job_store.claim_due(worker_id="w2", limit=20, ttl=ttl)
    assert not await alive.job_store.claim_due(worker_id="w1", limit=20, ttl=ttl)
    began, taken = time.monotonic(), list[Lease]()

    while len(taken) < 20:
        taken += await alive.job_store.claim_due(worker_id="w1", limit=20, ttl=TTL)
        assert time.monotonic() - began < ttl.total_seconds() + SWEEP_INTERVAL_S + 0.5

    assert all(lease.taken_over and lease.fence == 2 for lease in taken)
    assert time.monotonic() - began > 0.3


async def test_the_end_of_anothers_lease_is_next_due_between_sweeps_and_not_before(open_stores):
    dead = await open_stores()
    await plant_crowd(dead.database, {"t1": 2})
    alive = PostgresJobStore(dead.database, sweep_interval=TTL / 2)
    (lost,) = await dead.job_store.claim_due(worker_id="w2", limit=1, ttl=TTL)
    await alive.claim_due(worker_id="w1", limit=1, ttl=2 * TTL)

    due_at = await next_due_at(alive)

    assert due_at == lost.expires_at
    await alive.aclose()


async def test_what_is_lost_or_lies_below_the_mark_is_next_due_with_the_next_sweep(open_stores):
    other = await open_stores()
    await plant_crowd(other.database, {"t1": 5})
    mine = PostgresJobStore(other.database, sweep_interval=TTL)
    await mine.claim_due(worker_id="w1", limit=1, ttl=10 * TTL)
    lost = await other.job_store.claim_due(worker_id="w2", limit=2, ttl=timedelta(microseconds=1))
    for _ in range(2):  # One in turn, and one that moves the mark.
        await mine.claim_due(worker_id="w1", limit=1, ttl=10 * TTL)

    expired = await mine.next_due()
    await other.job_store.abandon(lost)
    given_back = await mine.next_due()

    for found in (expired, given_back):
        assert found is not None
        assert TTL / 2 < found.wait < TTL
    await mine.aclose()


async def test_a_process_that_freezes_in_a_transaction_keeps_no_row_locked_for_long(open_stores):
    impatient = PostgresOptions(statement_timeout=timedelta(seconds=0.5))
    frozen, alive = await open_stores(impatient), await open_stores()
    await plant_crowd(alive.database, {"t1": 1})
    locked, thawed = asyncio.Event(), asyncio.Event()

    async def freeze(transaction):
        await transaction.connection.execute("SELECT 1 FROM cronicorn.schedule FOR UPDATE")
        locked.set()
        await thawed.wait()
        await transaction.connection.execute("UPDATE cronicorn.schedule SET due_us = NULL")

    freezing = asyncio.create_task(frozen.database.write(freeze))
    await locked.wait()
    began = time.monotonic()
    while not await alive.job_store.claim_due(worker_id="w1", limit=1, ttl=TTL):
        assert time.monotonic() - began < 5
    thawed.set()

    with pytest.raises(UnavailableError):
        await freezing
