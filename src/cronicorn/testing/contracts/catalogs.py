"""The promises of `JobCatalog` and `EndpointCatalog`."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from cronicorn.domain.call import Method, Request, StatusRange, SuccessCriteria
from cronicorn.domain.cron import DstGap, DstOverlap
from cronicorn.domain.editing import hinted, suspended
from cronicorn.domain.endpoint import (
    Baseline,
    CatchUp,
    CatchUpMode,
    Job,
    JobEndpoint,
    JobStatus,
    Overlap,
    RetryPolicy,
)
from cronicorn.domain.errors import ConflictError, NotFoundError
from cronicorn.domain.fixtures import MIDNIGHT, a_job, a_one_shot, a_pause, an_endpoint, an_interval_hint
from cronicorn.domain.plan import Source
from cronicorn.domain.settlement import Change, Sibling, Stored
from cronicorn.domain.slot import Skip, SlotState
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.deletions import EndpointDeletionContract
from cronicorn.testing.contracts.stores import (
    CRON,
    MINUTE,
    OTHER_TENANT,
    TENANT,
    Stores,
    StoresContract,
    ask_to_run,
    claim,
    claim_one,
    endpoint_of,
    hint,
    next_due_at,
    plant,
    settle,
    start,
)

RICH = an_endpoint(
    description="Prüft den Bestand",
    request=Request(
        url="https://shop.example/bestand?größe=1",
        method=Method.POST,
        headers=(("X-Key", "ä\u0000b"), ("X-Key", "second")),
        body_json='{"a": [1, null, "\\ud800"]}',
        timeout=timedelta(seconds=7, microseconds=1),
        execution_max=timedelta(minutes=3),
        response_kb_max=7,
        redirects_max=2,
    ),
    baseline=Baseline(
        cron="*/5 * * * *",
        zone="Europe/Berlin",
        dst_gap=DstGap.SHIFT,
        dst_overlap=DstOverlap.BOTH,
        window=timedelta(seconds=9),
    ),
    interval_min=timedelta(seconds=1),
    interval_max=timedelta(days=1),
    catch_up=CatchUp(mode=CatchUpMode.ALL, window=timedelta(hours=2), runs_max=5),
    overlap=Overlap.BUFFER_ONE,
    retries=RetryPolicy(count=3, backoff_min=timedelta(seconds=1), backoff_max=MINUTE, doublings_max=2),
    success=SuccessCriteria(statuses=(StatusRange(low=200, high=204), StatusRange(low=409, high=409))),
)


class JobCatalogContract(StoresContract):
    """Subclass this with a `stores` fixture."""

    async def test_a_job_comes_back_as_it_was_stored(self, stores: Stores) -> None:
        job = a_job(description="„alles“", updated_at=MIDNIGHT + MINUTE)

        await stores.jobs.add(job)

        assert await stores.jobs.get(TENANT, job.id) == job

    async def test_a_job_is_added_once(self, stores: Stores) -> None:
        await stores.jobs.add(a_job())

        with pytest.raises(ConflictError):
            await stores.jobs.add(a_job(name="another"))

    async def test_a_job_that_is_not_there_is_not_found(self, stores: Stores) -> None:
        with pytest.raises(NotFoundError):
            await stores.jobs.get(TENANT, "job1")

    async def test_jobs_of_other_tenants_are_not_found(self, stores: Stores) -> None:
        await stores.jobs.add(a_job())

        with pytest.raises(NotFoundError):
            await stores.jobs.get(OTHER_TENANT, "job1")
        with pytest.raises(NotFoundError):
            await stores.jobs.change(OTHER_TENANT, "job1", lambda job, now: job)
        assert await stores.jobs.list(OTHER_TENANT) == []

    async def test_jobs_are_listed_oldest_first_without_archived_ones(self, stores: Stores) -> None:
        await stores.jobs.add(a_job(id="young", created_at=MIDNIGHT + MINUTE))
        await stores.jobs.add(a_job(id="gone", status=JobStatus.ARCHIVED, archived_at=MIDNIGHT))
        await stores.jobs.add(a_job(id="old", status=JobStatus.PAUSED))

        listed = await stores.jobs.list(TENANT)

        assert [job.id for job, _ in listed] == ["old", "young"]

    async def test_jobs_are_listed_by_status(self, stores: Stores) -> None:
        await stores.jobs.add(a_job(id="active"))
        await stores.jobs.add(a_job(id="archived", status=JobStatus.ARCHIVED))

        listed = await stores.jobs.list(TENANT, JobStatus.ARCHIVED)

        assert [job.id for job, _ in listed] == ["archived"]

    async def test_a_listed_job_counts_its_endpoints_that_are_not_archived(self, stores: Stores) -> None:
        await plant(stores, "ep1", "ep2")
        await plant(stores, "gone", archived_at=MIDNIGHT)

        listed = await stores.jobs.list(TENANT)

        assert [count for _, count in listed] == [2]

    async def test_a_change_is_stored_with_the_time_it_was_told(self, stores: Stores, clock: VirtualClock) -> None:
        await stores.jobs.add(a_job())
        clock.advance(MINUTE)

        changed = await stores.jobs.change(
            TENANT, "job1", lambda job, now: replace(job, name="renamed", updated_at=now)
        )

        assert changed == a_job(name="renamed", updated_at=clock.now())
        assert await stores.jobs.get(TENANT, "job1") == changed

    async def test_a_pause_plans_every_endpoint_of_the_job_again_with_it(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores, "ep1", "ep2")

        await stores.jobs.change(TENANT, "job1", _paused, _following)

        clock.advance(10 * MINUTE)
        assert await claim(stores) == []
        for endpoint, _ in await stores.endpoints.list(TENANT, "job1"):
            assert endpoint.state.plan is not None
            assert endpoint.state.plan.source is Source.SUSPENDED

    async def test_an_edit_that_raises_leaves_job_and_endpoints_as_they_were(self, stores: Stores) -> None:
        await plant(stores, "ep1", "ep2")
        before = await stores.endpoints.list(TENANT, "job1")

        def broken(endpoint: JobEndpoint, job: Job, stored: Stored) -> Change:
            if endpoint.id == "ep2":
                raise ConflictError("no")
            return _following(endpoint, job, stored)

        with pytest.raises(ConflictError):
            await stores.jobs.change(TENANT, "job1", _paused, broken)

        assert await stores.endpoints.list(TENANT, "job1") == before
        assert await stores.jobs.get(TENANT, "job1") == a_job()

    async def test_a_change_of_a_job_leaves_leases_alone(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lease = await claim_one(stores)

        await stores.jobs.change(TENANT, "job1", _paused, _following)
        settlement = await settle(stores, lease)

        assert settlement.state.due_at is None
        assert settlement.state.suspended


class EndpointCatalogContract(EndpointDeletionContract):
    """Subclass this with a `stores` fixture."""

    async def test_an_endpoint_comes_back_as_it_was_stored(self, stores: Stores, clock: VirtualClock) -> None:
        await stores.jobs.add(a_job())

        added = await stores.endpoints.add(RICH, start)

        endpoint, stored = await stores.endpoints.get(TENANT, RICH.id)
        assert endpoint == added
        assert endpoint == replace(RICH, state=added.state)
        assert stored == Stored(now=clock.now())

    async def test_a_new_endpoint_is_started_with_its_job_at_the_time_of_the_store(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await stores.jobs.add(a_job())
        clock.advance(MINUTE)
        told = []

        def starting(job: Job, endpoint: JobEndpoint, now: datetime) -> JobEndpoint:
            told.append((job, endpoint, now))
            return start(job, endpoint, now)

        await stores.endpoints.add(an_endpoint(), starting)

        assert told[-1] == (a_job(), an_endpoint(), clock.now())

    async def test_an_endpoint_without_its_job_is_not_stored(self, stores: Stores) -> None:
        await stores.jobs.add(a_job(tenant_id=OTHER_TENANT))

        with pytest.raises(NotFoundError):
            await stores.endpoints.add(an_endpoint(), start)

        with pytest.raises(NotFoundError):
            await stores.endpoints.get(TENANT, "ep1")

    async def test_an_endpoint_is_added_once(self, stores: Stores) -> None:
        await plant(stores)

        with pytest.raises(ConflictError):
            await stores.endpoints.add(an_endpoint(), start)

    async def test_an_endpoint_shows_whether_it_is_leased(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        await claim_one(stores, ttl=MINUTE)

        _, during = await stores.endpoints.get(TENANT, "ep1")
        clock.advance(MINUTE)
        _, after = await stores.endpoints.get(TENANT, "ep1")

        assert (during.leased, after.leased) == (True, False)

    async def test_endpoints_are_listed_oldest_first_with_archived_ones(self, stores: Stores) -> None:
        await plant(stores, "young", created_at=MIDNIGHT + MINUTE)
        await plant(stores, "old", archived_at=MIDNIGHT)

        listed = await stores.endpoints.list(TENANT, "job1")

        assert [endpoint.id for endpoint, _ in listed] == ["old", "young"]

    async def test_the_endpoints_of_a_job_that_is_not_there_are_not_found(self, stores: Stores) -> None:
        await plant(stores)

        with pytest.raises(NotFoundError):
            await stores.endpoints.list(TENANT, "job2")
        with pytest.raises(NotFoundError):
            await stores.endpoints.list(OTHER_TENANT, "job1")

    async def test_endpoints_of_other_tenants_are_not_found(self, stores: Stores) -> None:
        await plant(stores)

        with pytest.raises(NotFoundError):
            await stores.endpoints.get(OTHER_TENANT, "ep1")
        with pytest.raises(NotFoundError):
            await stores.endpoints.change(OTHER_TENANT, "ep1", _following)
        with pytest.raises(NotFoundError):
            await stores.endpoints.delete(OTHER_TENANT, "ep1")

    async def test_a_change_is_stored_with_its_skips_and_planned_by_it(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        steer = a_one_shot(clock.now() + timedelta(seconds=3), now=clock.now())
        skip = Skip(state=SlotState.CANCELLED, reason="so", first_at=MIDNIGHT, last_at=MIDNIGHT, count=1)

        def edit(endpoint: JobEndpoint, _: Job, stored: Stored) -> Change:
            return replace(hinted(endpoint, steer, stored, CRON), skips=(skip,))

        changed, _ = await stores.endpoints.change(TENANT, "ep1", edit)

        assert changed.version == 2
        assert changed == await endpoint_of(stores)
        assert (await stores.runs.skips(TENANT, "ep1", 10)).skips == (skip,)
        assert await next_due_at(stores.job_store) == clock.now() + timedelta(seconds=3)

    async def test_a_change_knows_the_job_the_time_the_lease_and_the_siblings(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores, "ep1", "ep2")
        await plant(stores, "ep3", archived_at=MIDNIGHT)
        clock.advance(MINUTE)
        await claim(stores, limit=1)
        told = []

        def edit(endpoint: JobEndpoint, job: Job, stored: Stored) -> Change:
            told.append((job, stored.now, stored.leased, dict(stored.siblings)))
            return Change(endpoint=endpoint)

        await stores.endpoints.change(TENANT, "ep1", edit)

        assert told[-1] == (a_job(), clock.now(), True, {"ep2": Sibling(await endpoint_of(stores, "ep2"))})

    async def test_an_edit_that_raises_changes_nothing(self, stores: Stores) -> None:
        await plant(stores)
        before = await stores.endpoints.get(TENANT, "ep1")

        def broken(_: JobEndpoint, __: Job, ___: Stored) -> Change:
            raise ConflictError("no")

        with pytest.raises(ConflictError):
            await stores.endpoints.change(TENANT, "ep1", broken)

        assert await stores.endpoints.get(TENANT, "ep1") == before

    async def test_a_change_never_touches_a_lease(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lease = await claim_one(stores)

        await hint(stores, a_pause(clock.now() + 10 * MINUTE, now=clock.now()))

        held = await stores.run_control.held(TENANT, "ep1")
        assert held is not None
        assert (held.claim_id, held.fence, held.expires_at) == (lease.claim_id, lease.fence, lease.expires_at)
        settlement = await settle(stores, lease)
        assert settlement.state.due_at == clock.now() + 10 * MINUTE

    async def test_every_hint_comes_back_as_it_was_written(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        hints = (
            replace(an_interval_hint(timedelta(seconds=7), now=clock.now()), reason="„so“", priority=-3, key="k"),
            a_one_shot(clock.now() + MINUTE, now=clock.now()),
            a_pause(clock.now() + MINUTE, now=clock.now()),
        )

        for written in hints:
            await hint(stores, written)

        assert (await endpoint_of(stores)).state.hints == hints

    async def test_asking_to_run_twice_gives_one_slot(self, stores: Stores) -> None:
        await plant(stores)

        first, second = await ask_to_run(stores), await ask_to_run(stores)

        assert first.state.manual == second.state.manual


def _paused(job: Job, now: datetime) -> Job:
    return replace(job, status=JobStatus.PAUSED, updated_at=now)


def _following(endpoint: JobEndpoint, job: Job, stored: Stored) -> Change:
    return suspended(
        endpoint,
        job_active=job.status is JobStatus.ACTIVE,
        archived_at=endpoint.archived_at,
        stored=stored,
        cron=CRON,
    )
