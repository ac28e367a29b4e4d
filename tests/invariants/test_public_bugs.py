"""Bugs that other schedulers and queues had in public, each as a test of what must happen here.

A docstring says what happened there. Reports without a counterpart:

=================================================  ====================================================================
report                                             why nothing here can go wrong that way
=================================================  ====================================================================
good_job 52, 269, 1573 (PgBouncer)                 no lock belongs to a connection; every claim is a row. Without
                                                   prepared statements and NOTIFY all invariants are tried as well.
good_job 151 ("once and only once")                a promise in a text; ours is at least once, recorded at most once.
que (session locks)                                as good_job 989.
cockroach 97135, 121917; yugabyte 21833            bugs of other databases, which these tests can't run. The claim that
                                                   does not need SKIP LOCKED is tried on PostgreSQL.
quartz 548, mlflow 25199 (clocks of nodes)         as db-scheduler 433.
dolphinscheduler 3000 (Quartz underneath)          as quartz 107.
apscheduler 952, 1121 (what followed from 1116)    as apscheduler 1116.
graphile pull 241, 353 (shutdown released nothing) as invariant 19.
graphile pull 374, 400 (unlocking by hand)         nothing needs unlocking by hand: as graphile 204.
solid_queue 591 (who retries pruned jobs)          as solid_queue 422.
solid_queue 751 (a fork that never starts up)      processes have a supervisor with tests of its own.
procrastinate 740, 1344 (no heartbeat of workers)  leases have one from the start: as procrastinate 1518.
db-scheduler's note on queued executions           nothing is queued: only what there is room to run is claimed.
airflow 23361, 25843                               as airflow 66794.
oban, asynchronous acknowledgement                 a settlement is answered after its commit.
dkron, missed ticks while a leader is elected      there is no leader.
etcd, a lock granted after its lease had ended     the claim of an endpoint is checked again in the database; tested
                                                   with the mechanism. For all others as invariant 8.
redlock, no token for those who write              as invariant 2.
litellm 26672, 27736, 34732, 40095                 about budgets, not about leases.
=================================================  ====================================================================
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import asyncpg

from cronicorn.adapters.postgres.job_store import PostgresJobStore
from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.adapters.sqlite.job_store import SqliteJobStore
from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.domain.endpoint import Baseline
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.fixtures import MIDNIGHT, an_outcome
from cronicorn.domain.lease import Lease, Renewal
from cronicorn.domain.mechanism import Share, bucket_of
from cronicorn.domain.ports import JobStore
from cronicorn.domain.run import RunStatus
from cronicorn.domain.takeover import PROMPT_TAKEOVERS
from cronicorn.testing.contracts.stores import (
    MINUTE,
    TENANT,
    Stores,
    ask_to_run,
    claim,
    deciding,
    endpoint_of,
    next_due_at,
    plant,
    rename,
    settle,
)
from tests.invariants.elsewhere import Elsewhere
from tests.invariants.holding import TTL, Held, all_run_in_the_end, hold, runs_of, wait_until_due
from tests.invariants.live_workers import BUSY, SHORT, LyingClock, SlowDispatcher, plant_due, working
from tests.invariants.places import PostgresPlace
from tests.invariants.test_fairness import crowd
from tests.invariants.worlds import CAPS, SYSTEM, World, on
from tests.scheduler.test_faults import FlakyStore
from tests.waiting import eventually, eventually_async

BOTH = ("sqlite lease", "postgres lease")
HOUR = timedelta(hours=1)
LONGER_THAN_ANY_LEASE = timedelta(seconds=2.5)


async def lost(world: World, count: int = 1, *, first: int = 0) -> list[Held]:
    """Workers that claimed *count* endpoints and were never heard of again."""
    stores = await world.another()
    return [Held(stores, lease) for lease in await claim(stores, worker_id=f"dead{first}", limit=count, ttl=TTL)]


def job_store_of(world: World) -> Callable[[Share], JobStore]:
    """Makes a worker's job store that serves a share."""
    stores = world.stores
    if isinstance(stores, PostgresStores):
        database = stores.database
        return lambda share: PostgresJobStore(database, share=share)
    assert isinstance(stores, SqliteStores)
    file = stores.database
    return lambda share: SqliteJobStore(file, share=share)


async def deadlocks(world: World) -> int:
    """How many deadlocks the database has counted, once its workers have ended."""
    assert isinstance(world.place, PostgresPlace)
    connection = await asyncpg.connect(world.place.url)
    try:
        await connection.execute("SELECT pg_stat_clear_snapshot()")
        found = await connection.fetchval("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        assert isinstance(found, int)
        return found
    finally:
        await connection.close()


async def disconnect(world: World) -> None:
    """End every connection to the database, from the server's side."""
    assert isinstance(world.place, PostgresPlace)
    connection = await asyncpg.connect(world.place.url)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await connection.close()


@on(*BOTH)
async def test_river_1302_a_rescuer_never_overwrites_a_completion(world: World):
    """A job completed after it had been found stuck was put back to be retried. The outcome must stand."""
    await plant(world.stores)
    held = await hold(world)
    world.advance(held.lease.ttl)
    decided = deciding(held.lease, held.run)

    with Elsewhere(world) as elsewhere:

        def decide(endpoint, stored):
            elsewhere.begin(lambda stores: claim(stores, worker_id="rescuer", ttl=TTL))
            return decided(endpoint, stored)

        settled = await asyncio.gather(
            held.stores.job_store.settle(held.lease, held.run, decide), return_exceptions=True
        )
        rescued = elsewhere.answer()

    completed = not isinstance(settled[0], BaseException)
    assert completed is not bool(rescued)
    assert len(await runs_of(world.stores)) == int(completed)
    assert not completed or await claim(world.stores, ttl=TTL) == []


@on(*BOTH)
async def test_river_1373_a_rescue_never_takes_a_job_that_was_claimed_afresh_meanwhile(world: World):
    """A job that was retried between being found stuck and being rescued lost its fresh attempt. One rescuer wins."""
    await plant(world.stores, *(f"ep{number}" for number in range(5)))
    await wait_until_due(world)
    await lost(world, 5)
    world.advance(TTL)
    rescuers = [await world.another() for _ in range(6)]

    claims = await asyncio.gather(*(claim(rescuer, ttl=TTL) for rescuer in rescuers))

    taken = Counter(lease.endpoint.id for leases in claims for lease in leases)
    assert taken == dict.fromkeys((f"ep{number}" for number in range(5)), 1)
    for rescuer, leases in zip(rescuers, claims, strict=True):
        for lease in leases:
            assert await Held(rescuer, lease).settles()


@on(*BOTH)
async def test_river_682_and_1258_nothing_stays_stuck_at_running(world: World):
    """Thousands of jobs were running for months, and a dead worker's job for an hour. All are due when leases end."""
    await plant(world.stores, *(f"ep{number}" for number in range(40)))
    await wait_until_due(world)
    assert len(await lost(world, 40)) == 40

    world.advance(TTL)

    assert len(await claim(await world.another(), limit=100, ttl=TTL)) == 40


@on(*BOTH)
async def test_river_1105_a_worker_takes_over_nothing_that_it_does_not_serve(world: World):
    """A rescuer discarded jobs of queues that it did not know. A worker's share bounds what it takes over, too."""
    await plant(world.stores)
    await wait_until_due(world)
    (before,) = await lost(world)
    world.advance(TTL)
    bucket = bucket_of(TENANT)
    make = job_store_of(world)

    strangers = [make(share) for share in (Share(0, bucket), Share(bucket + 1, 100))]
    found = [await each.claim_due(worker_id="w2", limit=9, ttl=TTL) for each in strangers]
    due = [await next_due_at(each) for each in strangers]
    own = make(Share(bucket, bucket + 1))
    (lease,) = await own.claim_due(worker_id="w3", limit=9, ttl=TTL)

    assert (found, due) == ([[], []], [None, None])
    assert (lease.slot, lease.attempt) == (before.lease.slot, before.lease.attempt)


@on(*BOTH)
async def test_river_1318_a_page_of_what_can_not_be_rescued_hides_nothing(world: World):
    """A full page of jobs that must not be rescued hid all behind it from the rescuer. Limits count what is taken."""
    ids = [f"ep{number}" for number in range(12)]
    await plant(world.stores, *ids)
    await wait_until_due(world)
    for losses in range(PROMPT_TAKEOVERS + 1):
        assert len(await lost(world, 12, first=losses)) == 12
        world.advance(TTL)
    resting = await claim(await world.another(), limit=4, ttl=TTL)
    await plant(world.stores, "behind")
    world.advance(timedelta(seconds=1))
    await ask_to_run(world.stores, "behind")
    (behind,) = await lost(world)
    stores = await world.another()
    stores.job_store.renew([behind.lease], ttl=timedelta(seconds=2))
    world.advance(timedelta(seconds=2))

    found = await claim(stores, limit=4, ttl=TTL)

    assert resting == []
    assert [lease.endpoint.id for lease in found] == ["behind"]


@on(*BOTH)
async def test_oban_lifeline_what_is_truly_executing_is_never_rescued(world: World):
    """After an hour a job counted as orphaned although its worker was at it. A renewed lease lasts for a day."""
    await plant(world.stores)
    held, other = await hold(world), await world.another()

    for _ in range(0, 24 * 3_600, 110):
        world.advance(timedelta(seconds=110))
        assert not held.stores.job_store.renew([held.lease], ttl=TTL).lost
    taken = await claim(other, ttl=TTL)

    assert taken == []
    assert await held.settles()


@on(*BOTH, live=True)
async def test_graphile_204_and_222_the_slots_of_a_killed_worker_come_back_by_themselves(live: World):
    """Jobs of a killed process stayed locked for four hours, or until somebody unlocked them. A lease is short."""
    ids = [f"ep{number}" for number in range(5)]
    await plant_due(live.stores, *ids)
    victim, heir = SlowDispatcher(HOUR), SlowDispatcher()
    store = FlakyStore(live.stores.job_store)
    async with working(store, victim):
        await eventually_async(lambda: len(victim.made) == len(ids))
        killed_at = SYSTEM.monotonic()
        store.claims_off = store.renewals_off = store.settles_off = True

        async with working((await live.another()).job_store, heir, worker_id="w2"):
            await eventually_async(lambda: len(heir.made) == len(ids))

    assert max(made.begun_mono for made in heir.made) - killed_at <= (SHORT.recovery_bound + BUSY).total_seconds()
    assert {made.key for made in heir.made} == {made.key for made in victim.made}


@on("postgres lease")
async def test_graphile_449_and_quartz_145_broken_connections_leave_nothing_half_locked(world: World):
    """Rows stayed locked by nobody, or blocked without a record of what runs, after connections had broken off."""
    ids = [f"ep{number}" for number in range(6)]
    await plant(world.stores, *ids)
    workers = [await world.another() for _ in range(3)]

    async def work(stores: Stores) -> None:
        for _ in range(12):
            try:
                await asyncio.gather(*(settle(stores, lease) for lease in await claim(stores, limit=3, ttl=TTL)))
                await rename(stores, "renamed", "ep1")
            except UnavailableError:
                continue

    for _ in range(4):
        world.advance(MINUTE)
        working_ = asyncio.gather(*(work(stores) for stores in workers))
        for _ in range(3):
            await asyncio.sleep(0)
            await disconnect(world)
        await working_

    for endpoint, stored in await world.stores.endpoints.list(TENANT, "job1"):
        assert endpoint.state.due_at is not None
        assert not stored.leased or await world.stores.run_control.held(TENANT, endpoint.id) is not None
    await all_run_in_the_end(world, *ids)


@on(*BOTH)
async def test_procrastinate_1518_a_worker_with_a_dead_workers_name(world: World):
    """A pod came back under its name and kept the dead one's job alive, or the dead one's record was gone: stuck."""
    await plant(world.stores)
    dead = await hold(world, worker_id="pod-1")
    await plant(world.stores, "other")
    reborn = await hold(world, worker_id="pod-1")
    assert {dead.lease.endpoint.id, reborn.lease.endpoint.id} == {"ep1", "other"} or not world.kind.exclusive

    for _ in range(3):
        world.advance(TTL / 2)
        assert not reborn.stores.job_store.renew([reborn.lease], ttl=TTL).lost
    (heir,) = await claim(reborn.stores, worker_id="pod-1", ttl=TTL)

    assert heir.run_id == dead.lease.run_id
    assert not await dead.settles()
    assert await Held(reborn.stores, heir).settles()
    assert await reborn.settles()


@on(*BOTH)
async def test_procrastinate_1408_recovery_needs_nothing_that_could_itself_be_lost(world: World):
    """Stalled jobs were retried by a job, which stalled. Whoever claims takes over, whatever else keeps failing."""
    await plant(world.stores, "poison", "victim")
    await wait_until_due(world)
    for losses in range(PROMPT_TAKEOVERS + 3):
        await lost(world, 2, first=losses)
        world.advance(TTL)
    await plant(world.stores, "fresh")
    world.advance(MINUTE)
    (fresh,) = [each for each in await lost(world, 9, first=99) if each.lease.endpoint.id == "fresh"]
    world.advance(fresh.lease.ttl)

    assert "fresh" in {lease.endpoint.id for lease in await claim(await world.another(), ttl=TTL)}
    await all_run_in_the_end(world, "poison", "victim", "fresh")


@on(*BOTH, live=True)
async def test_pgqueuer_431_and_apscheduler_864_and_1030_no_retry_while_running(live: World):
    """Heartbeats came less often than the lease ended, or never: a call longer than its lease was made again."""
    await plant_due(live.stores, "ep1")
    first, second = SlowDispatcher(LONGER_THAN_ANY_LEASE), SlowDispatcher()

    async with working(live.stores.job_store, first, drain_grace=HOUR):
        await eventually_async(lambda: first.made)
        async with working((await live.another()).job_store, second, worker_id="w2"):
            await eventually_async(lambda: first.made[0].ended_mono)

    assert (len(first.made), len(second.made)) == (1, 0)
    assert [run.status for run in await runs_of(live.stores)] == [RunStatus.SUCCESS]


@on(*BOTH)
async def test_db_scheduler_402_frozen_node(world: World):
    """A frozen node lost its lock, woke up and went on with it. Here it hears so, and can no longer write."""
    await plant(world.stores)
    frozen = await hold(world)
    other = await hold(world, worker_id="w2")
    before = await endpoint_of(world.stores)

    renewal = frozen.stores.job_store.renew([frozen.lease], ttl=TTL)
    await frozen.stores.job_store.abandon([frozen.lease])

    assert renewal.lost == {frozen.lease.claim_id}
    assert not await frozen.settles()
    assert await endpoint_of(world.stores) == before
    assert other.stores.job_store.renew([other.lease], ttl=TTL).lost == frozenset()
    assert await other.settles()


@on(*BOTH, live=True)
async def test_db_scheduler_433_a_node_whose_clock_is_ahead_finds_nobody_dead(live: World):
    """Nodes judged heartbeats by their own clocks: one that was ahead took over from the living."""
    await plant_due(live.stores, "ep1")
    first, second = SlowDispatcher(timedelta(seconds=1.5)), SlowDispatcher()

    async with working(live.stores.job_store, first, clock=LyingClock(-HOUR), drain_grace=HOUR):
        await eventually_async(lambda: first.made)
        ahead = (await live.another()).job_store
        async with working(ahead, second, clock=LyingClock(HOUR), worker_id="w2"):
            await eventually_async(lambda: first.made[0].ended_mono)

    assert (len(first.made), len(second.made)) == (1, 0)


@on(*BOTH, live=True)
async def test_db_scheduler_365_and_368_a_drain_that_takes_long_keeps_its_leases(live: World):
    """Heartbeats ended with the order to stop, and what was still running was run again. They must end last."""
    await plant_due(live.stores, "ep1")
    first, second = SlowDispatcher(LONGER_THAN_ANY_LEASE), SlowDispatcher()

    async with working((await live.another()).job_store, second, worker_id="w2") as idle:
        idle.stop()
    async with working(live.stores.job_store, first, drain_grace=HOUR) as scheduler:
        await eventually_async(lambda: first.made)
        scheduler.stop()
        async with working((await live.another()).job_store, second, worker_id="w3"):
            await eventually_async(lambda: first.made[0].ended_mono)

    assert (len(first.made), len(second.made)) == (1, 0)
    assert len(await runs_of(live.stores)) == 1


@on(*BOTH, live=True)
async def test_db_scheduler_654_a_heartbeat_just_after_a_completion_alarms_nobody(live: World, caplog):
    """Every so often a heartbeat found its job just completed and warned about it. There is nothing to warn of."""
    interval = timedelta(seconds=0.02)
    for number in range(5):
        await plant(live.stores, f"ep{number}", baseline=Baseline(interval=interval, anchor_at=SYSTEM.now()))
    dispatcher = SlowDispatcher(timedelta(seconds=0.001))

    async with working(live.stores.job_store, dispatcher, renew_interval=timedelta(seconds=0.001)):
        await eventually_async(lambda: len(dispatcher.made) >= 100)
        # What a stop then gives back is another matter.
        alarms = [record.getMessage() for record in caplog.records if record.levelname in {"WARNING", "ERROR"}]

    assert alarms == []


@on(*BOTH)
async def test_quartz_107_aba(world: World):
    """Between reading a trigger and taking it, it had run and was waiting again: it looked the same and ran twice."""
    await plant(world.stores)
    first = await hold(world, worker_id="w1")
    second = await hold(world, worker_id="w1")
    before = await endpoint_of(world.stores)
    await second.stores.job_store.abandon([second.lease])
    assert await endpoint_of(world.stores) == before
    third = await hold(world, worker_id="w1")

    assert not await first.settles()
    assert not await second.settles()
    assert await third.settles()
    assert not await first.settles()
    assert len(await runs_of(world.stores)) == 1


@on(*BOTH)
async def test_quartz_847_a_recovery_runs_a_slot_once_more_and_not_thousands_of_times(world: World):
    """After an outage recovered jobs were executed thousands of times. One late run stands for a whole day here."""
    await plant(world.stores, baseline=Baseline(interval=timedelta(seconds=10), anchor_at=MIDNIGHT))
    await wait_until_due(world)
    await lost(world)
    world.advance(timedelta(days=1))
    workers = [await world.another() for _ in range(4)]

    calls = 0
    for _ in range(10):
        for worker, leases in zip(workers, await asyncio.gather(*(claim(w, ttl=TTL) for w in workers)), strict=True):
            for lease in leases:
                calls += 1
                await settle(worker, lease)

    assert calls <= 2
    assert len(await runs_of(world.stores)) == calls


@on("postgres lease")
async def test_good_job_989_a_lost_connection_loses_no_lock(world: World):
    """Locks belonged to a connection: when it broke, a second run of a job in progress began beside the first."""
    await plant(world.stores)
    held, other = await hold(world), await world.another()
    held.stores.job_store.renew([held.lease], ttl=TTL)

    await disconnect(world)

    assert await claim(other, ttl=TTL) == []
    assert (await asyncio.to_thread(renewed_in_the_end, held)).lost == frozenset()
    assert await held.settles()


def renewed_in_the_end(held: Held) -> Renewal:
    """What the first heartbeat that got through was told."""
    try:
        return held.stores.job_store.renew([held.lease], ttl=TTL)
    except UnavailableError:
        return held.stores.job_store.renew([held.lease], ttl=TTL)


@on(*BOTH)
async def test_good_job_90_a_restart_of_everything_runs_nothing_a_second_time(world: World):
    """A database that was restarted had forgotten its locks, and a job of two days was begun again."""
    await plant(world.stores)
    held = await hold(world)

    await world.rewind(keep=True)

    assert await claim(world.stores, ttl=TTL) == []
    assert await Held(world.stores, held.lease).settles()
    assert len(await runs_of(world.stores)) == 1


@on(*BOTH)
async def test_good_job_and_oban_a_claim_locks_exactly_what_it_answers(world: World):
    """The planner could evaluate a lock, or a LIMIT, more often than it was written: more was locked than was run."""
    ids = [f"ep{number}" for number in range(30)]
    await plant(world.stores, *ids)
    await wait_until_due(world)

    answered = {lease.endpoint.id for lease in await claim(world.stores, limit=7, ttl=TTL)}

    leased = {endpoint.id for endpoint, stored in await world.stores.endpoints.list(TENANT, "job1") if stored.leased}
    assert len(answered) == 7
    assert leased == answered


@on(*BOTH)
async def test_solid_queue_589_never_finished_and_failed(world: World):
    """A job was finished by its worker and failed by whoever took that one for dead. A slot has one outcome."""
    await plant(world.stores)
    for _ in range(6):
        finishing, failing = await hold(world), await hold(world, worker_id="w2")
        failed = replace(failing.run, status=RunStatus.FAILED, outcome=an_outcome(500))

        accepted = await asyncio.gather(finishing.settles(), failing.settles(failed))

        assert list(accepted) == [False, True]
    runs = await runs_of(world.stores)
    assert len({run.slot for run in runs}) == len(runs) == 6
    assert {run.status for run in runs} == {RunStatus.FAILED}


@on("postgres lease within caps")
async def test_solid_queue_761_a_stale_completion_frees_no_room(world: World):
    """One who was taken for dead released the semaphore again when it finished: eleven ran where one was allowed."""
    await crowd(world.stores, "t9", 20)
    world.advance(MINUTE)
    assert CAPS.per_tenant is not None
    first, second, third = [await world.another() for _ in range(3)]
    lost_ = await claim(first, limit=20, ttl=TTL)
    world.advance(TTL)
    taken = await claim(second, limit=20, ttl=TTL)

    for lease in lost_:
        assert not await Held(first, lease).settles()
    await first.job_store.abandon(lost_)

    assert len(lost_) == len(taken) == CAPS.per_tenant
    assert await claim(third, limit=20, ttl=TTL) == []


@on(*BOTH)
async def test_solid_queue_422_a_lost_run_is_run_again_and_no_failure_counts(world: World):
    """Jobs of a killed worker ended up as failed instead of being given to another."""
    await plant(world.stores)
    await hold(world)

    heir = await hold(world, worker_id="w2")

    assert (await endpoint_of(world.stores)).state.failure_count == 0
    assert await runs_of(world.stores) == ()
    assert heir.lease.taken_over
    assert (await heir.settle()).state.failure_count == 0


@on(*BOTH, live=True)
async def test_solid_queue_778_a_worker_whose_heartbeats_failed_for_long_works_again_afterwards(live: World):
    """A process whose heartbeats kept failing lived on as a zombie that did no work. Here it stops and goes on."""
    await plant(live.stores, baseline=Baseline(interval=timedelta(seconds=0.3), anchor_at=SYSTEM.now()))
    dispatcher, store = SlowDispatcher(), FlakyStore(live.stores.job_store)

    async with working(store, dispatcher):
        await eventually_async(lambda: dispatcher.made)
        store.renewals_off = True
        dispatcher.length = HOUR
        begun = len(dispatcher.made)
        await eventually_async(lambda: len(dispatcher.made) > begun and dispatcher.made[-1].ended_mono)
        store.renewals_off = False
        dispatcher.length = timedelta(0)
        begun = len(dispatcher.made)
        await eventually_async(lambda: len(dispatcher.made) >= begun + 2)

    assert {run.status for run in await runs_of(live.stores)} == {RunStatus.SUCCESS}


@on(*BOTH, live=True)
async def test_apscheduler_1116_a_starved_event_loop_still_renews(live: World):
    """Renewal was a task among others: a busy loop starved it, the job ran twice, and the scheduler crashed of it."""
    await plant_due(live.stores, "ep1")
    dispatcher, other = SlowDispatcher(timedelta(seconds=0.1)), await live.another()
    tried: list[Lease] = []

    def try_to_claim() -> None:
        async def claimed() -> None:
            stores = await live.kind.open(live.place, live.clock)
            tried.extend(await claim(stores, worker_id="w2", ttl=TTL))
            await stores.aclose()

        asyncio.run(claimed())

    async with working(live.stores.job_store, dispatcher, drain_grace=HOUR) as scheduler:
        await eventually_async(lambda: dispatcher.made)
        until = SYSTEM.monotonic() + 1.5 * SHORT.lease_ttl.total_seconds()
        eventually(lambda: SYSTEM.monotonic() > until)  # The loop is blocked here, on purpose.
        rival = threading.Thread(target=try_to_claim)
        rival.start()
        rival.join()
        await eventually_async(lambda: scheduler.calls_in_progress == 0)

    assert tried == []
    assert len(dispatcher.made) == 1
    assert [run.status for run in await runs_of(other)] == [RunStatus.SUCCESS]


@on(*BOTH)
async def test_apscheduler_1053_the_next_wake_up_counts_what_somebody_else_holds(world: World):
    """What a dead instance held was left out when the next wake-up was computed: it slept until another's turn."""
    await plant(world.stores, "daily", baseline=Baseline(interval=timedelta(days=1), anchor_at=MIDNIGHT))
    await plant(world.stores)
    held = await hold(world)
    other = await world.another()

    assert await next_due_at(other.job_store) == held.lease.expires_at
    world.advance(held.lease.ttl)
    assert [lease.endpoint.id for lease in await claim(other, ttl=TTL)] == ["ep1"]


@on("postgres lease", "postgres lease serializable")
async def test_airflow_66794_renewals_and_settlements_never_deadlock(world: World):
    """Statements that locked the same rows in different orders deadlocked, and one of the two was lost."""
    ids = [f"ep{number}" for number in range(40)]
    await plant(world.stores, *ids)
    before, worker = await deadlocks(world), await world.another()
    stop = threading.Event()

    for _ in range(6):
        world.advance(MINUTE)
        leases = list(await claim(worker, limit=100, ttl=TTL))
        assert len(leases) == len(ids)

        def renew(ordered=leases) -> int:
            lost_ = 0
            while not stop.is_set():
                lost_ += len(worker.job_store.renew(ordered[::-1], ttl=TTL).lost)
            return lost_

        stop.clear()
        renewing = asyncio.create_task(asyncio.to_thread(renew))
        editing = asyncio.gather(*(rename(world.stores, f"e{n}", ids[-n]) for n in range(1, 20)))
        await asyncio.gather(*(settle(worker, lease) for lease in leases))
        await editing
        stop.set()
        await renewing
    await world.end()
    await world.another()

    assert await deadlocks(world) == before
    assert sum([len(await runs_of(world.stores, endpoint_id)) for endpoint_id in ids]) == 6 * len(ids)


@on("postgres lease within caps")
async def test_airflow_64737_two_who_count_at_once_do_not_both_find_room(world: World):
    """Schedulers counted what ran under a lock that does not exclude itself, and both started more than was allowed."""
    await crowd(world.stores, "t9", 40)
    assert CAPS.per_tenant is not None
    workers = [await world.another() for _ in range(5)]

    for _ in range(6):
        world.advance(MINUTE)
        claims = await asyncio.gather(*(claim(worker, limit=3, ttl=TTL) for worker in workers))
        held = [(worker, lease) for worker, leases in zip(workers, claims, strict=True) for lease in leases]
        assert len(held) == CAPS.per_tenant
        await asyncio.gather(*(settle(worker, lease) for worker, lease in held))


def test_the_table_names_no_report_that_has_a_test():
    tested = {part for name in globals() if name.startswith("test_") for part in name.split("_") if part.isdigit()}
    listed = {
        word.strip(",;")
        for line in (__doc__ or "").splitlines()[5:-1]
        for word in line[:50].split()
        if word[:1].isdigit()
    }

    assert tested & listed == set()
