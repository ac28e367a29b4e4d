"""The promises of `WorkerBook`."""

from datetime import timedelta

from cronicorn.domain.attendance.worker import ALIVE_WITHIN, FORGOTTEN_AFTER, HeldCount, KnownWorker, WorkerReport
from cronicorn.domain.fixtures import a_job, an_endpoint
from cronicorn.domain.instant import MICROSECOND
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import (
    MINUTE,
    OTHER_TENANT,
    TENANT,
    TTL,
    Stores,
    StoresContract,
    ask_to_run,
    claim,
    plant,
    settle,
    start,
)

REPORT = WorkerReport(worker_id="w1", version="1.0")


class WorkerBookContract(StoresContract):
    """Subclass this with a `stores` fixture."""

    async def test_a_worker_is_there_since_its_first_report(self, stores: Stores, clock: VirtualClock) -> None:
        begun = clock.now()
        await stores.worker_book.note(REPORT)
        clock.advance(MINUTE)
        await stores.worker_book.note(WorkerReport(worker_id="w2", version="1.1"))
        await stores.worker_book.note(REPORT)

        attendance = await stores.worker_book.attendance()

        assert attendance.now == clock.now()
        assert list(attendance.workers) == [
            KnownWorker(worker_id="w1", version="1.0", since=begun, seen_at=clock.now()),
            KnownWorker(worker_id="w2", version="1.1", since=clock.now(), seen_at=clock.now()),
        ]

    async def test_a_worker_that_leaves_or_is_not_heard_of_for_long_is_forgotten(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await stores.worker_book.note(REPORT)
        await stores.worker_book.note(WorkerReport(worker_id="w2", version="1.0"))
        await stores.worker_book.leave("w2")
        await stores.worker_book.leave("nobody")
        left = await stores.worker_book.attendance()
        clock.advance(FORGOTTEN_AFTER + MICROSECOND)
        await stores.worker_book.note(WorkerReport(worker_id="w3", version="1.0"))

        later = await stores.worker_book.attendance()

        assert [worker.worker_id for worker in left.workers] == ["w1"]
        assert [worker.worker_id for worker in later.workers] == ["w3"]

    async def test_leases_of_all_tenants_are_counted_and_those_of_one_are_told(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores, "ep1", "ep2")
        await stores.jobs.add(a_job(id="job9", tenant_id=OTHER_TENANT))
        await stores.endpoints.add(an_endpoint(id="ep9", name="ep9", tenant_id=OTHER_TENANT, job_id="job9"), start)
        clock.advance(MINUTE)
        due_at = clock.now()
        clock.advance(timedelta(seconds=2))
        leases = await claim(stores, worker_id="w1", limit=2)
        leases = [*leases, *await claim(stores, worker_id="w2")]

        held = (await stores.worker_book.attendance()).held
        told = await stores.worker_book.leases_of(TENANT, 10)
        first = await stores.worker_book.leases_of(TENANT, 1)
        other = await stores.worker_book.leases_of(OTHER_TENANT, 10)

        assert held == {"w1": HeldCount(held=2, expired=0), "w2": HeldCount(held=1, expired=0)}
        assert {slot.endpoint_id for slot in told.slots} == {"ep1", "ep2"}
        assert {(slot.due_at, slot.claimed_at, slot.expires_at) for slot in told.slots} == {
            (due_at, clock.now(), clock.now() + TTL)
        }
        assert len(first.slots) == 1
        assert [slot.endpoint_id for slot in other.slots] == ["ep9"]
        assert {slot.worker_id for slot in (*told.slots, *other.slots)} == {"w1", "w2"}

    async def test_a_lease_that_lives_keeps_a_worker_alive_and_one_that_expired_does_not(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        await stores.worker_book.note(REPORT)
        clock.advance(MINUTE)
        silent = await stores.worker_book.attendance()
        (lease,) = await claim(stores, worker_id="w1", ttl=2 * MINUTE)
        holding = await stores.worker_book.attendance()
        clock.advance(3 * MINUTE)
        expired = await stores.worker_book.attendance()
        await settle(stores, lease)

        ended = await stores.worker_book.attendance()

        assert ALIVE_WITHIN < MINUTE
        assert [each.is_alive("w1") for each in (silent, holding, expired)] == [False, True, False]
        assert expired.held == {"w1": HeldCount(held=1, expired=1)}
        assert ended.held == {}

    async def test_a_manual_slot_is_due_since_it_was_asked_for(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(timedelta(seconds=5))
        await ask_to_run(stores)
        asked_at = clock.now()
        clock.advance(timedelta(seconds=5))
        await claim(stores)

        (slot,) = (await stores.worker_book.leases_of(TENANT, 10)).slots

        assert (slot.manual, slot.due_at, slot.endpoint) == (True, asked_at, "shop/ep1")
