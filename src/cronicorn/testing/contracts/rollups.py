"""The promises of `Rollups` and `Timeline`, and of whatever records runs: each is counted once, in one write."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from cronicorn.domain.analysis.analysis import Analysis, AnalysisUsage
from cronicorn.domain.analysis.watch import Look
from cronicorn.domain.analysis.watching import Occasion, Why
from cronicorn.domain.endpoint import AnalysisSwitch, Baseline, EndpointState, JobStatus
from cronicorn.domain.errors import LeaseLostError
from cronicorn.domain.fixtures import MIDNIGHT, a_job, a_lease, a_pause, a_run, an_endpoint, an_interval_hint
from cronicorn.domain.instant import DAY, HOUR, MICROSECOND, ZERO, shifted
from cronicorn.domain.mechanism import Invariant
from cronicorn.domain.plan import Source
from cronicorn.domain.rollup.tallies import Census, HourPart, HourSpan, hour_of
from cronicorn.domain.run import Run, RunStatus
from cronicorn.domain.settlement import Settlement
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.past_slots import PastSlotsContract
from cronicorn.testing.contracts.promises import proves
from cronicorn.testing.contracts.stores import (
    MINUTE,
    OTHER_TENANT,
    TENANT,
    TTL,
    Stores,
    StoresContract,
    claim,
    claim_one,
    hint,
    plant,
    run_once,
    settle,
    start,
)

ALL_DAY = HourSpan(since=MIDNIGHT, until=MIDNIGHT + DAY)
FIRST_HOUR = HourPart(since=MIDNIGHT, until=MIDNIGHT + HOUR)


class RollupsContract(StoresContract):
    """Subclass this with a `stores` fixture: what is counted, and that nothing is counted twice."""

    async def test_runs_are_counted_by_hour_source_and_status(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        statuses = (RunStatus.SUCCESS, RunStatus.FAILED, RunStatus.SUCCESS)
        runs = [await run_once(stores, clock, status=status) for status in statuses]
        clock.advance(2 * HOUR)
        runs.append(await _run_now(stores))

        steps = await stores.rollups.by_step(TENANT, ALL_DAY)

        counted = {(step.begins_at, step.tally.source, step.tally.status): step.tally.runs for step in steps}
        assert counted == Counter((hour_of(run.started_at), run.source, run.status) for run in runs)
        assert [step.begins_at for step in steps] == sorted(step.begins_at for step in steps)
        assert sum((step.tally.duration for step in steps), ZERO) == 4 * runs[0].outcome.duration

    async def test_steps_may_be_longer_than_an_hour(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        await run_once(stores, clock)
        clock.advance(2 * HOUR)
        await _run_now(stores)
        span = HourSpan(since=MIDNIGHT + HOUR, until=MIDNIGHT + DAY, step=3 * HOUR)

        steps = await stores.rollups.by_step(TENANT, span)

        assert [(step.begins_at, step.tally.runs) for step in steps] == [(MIDNIGHT, 1)]

    async def test_settling_the_same_again_counts_once(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lease = await claim_one(stores)
        run = a_run(lease)

        for _ in range(2):
            await settle(stores, lease, run)

        assert await _counted(stores) == (1, 1)

    @proves(Invariant.I2, Invariant.I3)
    async def test_a_lost_lease_counts_nothing(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lost = await claim_one(stores, ttl=TTL)
        clock.advance(TTL)
        later = await claim_one(stores, worker_id="w2", ttl=TTL)
        await settle(stores, later)

        with pytest.raises(LeaseLostError):
            await settle(stores, lost)

        assert await _counted(stores) == (1, 1)

    async def test_an_edit_meanwhile_changes_nothing_about_the_count(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lease = await claim_one(stores)
        await hint(stores, an_interval_hint(MINUTE / 2, now=clock.now()))

        await settle(stores, lease)

        assert await _counted(stores) == (1, 1)

    async def test_a_settlement_without_a_run_counts_nothing(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lease = await claim_one(stores)

        await stores.job_store.settle(lease, None, lambda endpoint, _: Settlement(state=endpoint.state))

        assert await _counted(stores) == (0, 0)

    async def test_test_calls_are_counted(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lease = await claim_one(stores)

        await stores.run_control.record_test(a_run(lease, source=Source.TEST))

        assert [job.tally.source for job in await stores.rollups.by_job(TENANT, ALL_DAY)] == [Source.TEST]
        assert await _counted(stores) == (1, 1)

    async def test_many_at_once_are_all_counted(self, stores: Stores, clock: VirtualClock) -> None:
        ids = [f"ep{number:02}" for number in range(40)]
        await plant(stores, *ids)
        clock.advance(MINUTE)
        leases = await claim(stores, limit=40)

        await asyncio.gather(*(settle(stores, lease) for lease in leases))

        assert await _counted(stores) == (40, 40)
        busiest = await stores.rollups.busiest(TENANT, ALL_DAY, 100)
        assert sorted(each.endpoint_id for each in busiest) == ids

    async def test_the_busiest_come_first_and_no_more_than_asked_for(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores, "busy")
        await plant(stores, "quiet", baseline=Baseline(interval=3 * MINUTE, anchor_at=MIDNIGHT))
        for _ in range(3):
            clock.advance(MINUTE)
            await asyncio.gather(*(settle(stores, lease) for lease in await claim(stores)))

        busiest = await stores.rollups.busiest(TENANT, ALL_DAY, 1)

        assert [(each.endpoint_id, each.endpoint_name, each.tally.runs) for each in busiest] == [("busy", "busy", 3)]

    async def test_the_busiest_may_be_found_by_some_of_the_hours(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores, "ep1", "ep2")
        for hours in (0, 1):
            clock.advance(hours * HOUR + MINUTE)
            leases = await claim(stores)
            await asyncio.gather(*(settle(stores, lease) for lease in leases[: 2 - hours]))

        (newest,) = {each.endpoint_id for each in await stores.rollups.busiest(TENANT, ALL_DAY, 10, every=2)}
        shown = await stores.rollups.busiest(TENANT, ALL_DAY, 10, every=2)
        exact = await stores.rollups.busiest(TENANT, ALL_DAY, 10)

        assert {each.endpoint_id for each in exact} == {"ep1", "ep2"}
        assert newest == exact[0].endpoint_id
        assert sum(each.tally.runs for each in shown) == 2

    async def test_the_busiest_of_one_source_are_asked_for(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        await run_once(stores, clock)

        tests = await stores.rollups.busiest(TENANT, ALL_DAY, 10, Source.TEST)
        planned = await stores.rollups.busiest(TENANT, ALL_DAY, 10, Source.BASELINE_INTERVAL)

        assert (len(tests), len(planned)) == (0, 1)

    async def test_counts_are_of_a_tenant_a_job_and_a_span(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        await stores.jobs.add(a_job(id="job2", name="other"))
        await stores.endpoints.add(an_endpoint(id="ep2", name="ep2", job_id="job2"), start)
        clock.advance(MINUTE)
        await asyncio.gather(*(settle(stores, lease) for lease in await claim(stores)))
        other = HourSpan(since=MIDNIGHT, until=MIDNIGHT + DAY, job_id="job2")

        assert [job.job_id for job in await stores.rollups.by_job(TENANT, ALL_DAY)] == ["job1", "job2"]
        assert [(job.job_id, job.job_name) for job in await stores.rollups.by_job(TENANT, other)] == [("job2", "other")]
        assert [step.tally.runs for step in await stores.rollups.by_step(TENANT, other)] == [1]
        assert [each.endpoint_id for each in await stores.rollups.busiest(TENANT, other, 10)] == ["ep2"]
        assert await stores.rollups.by_step(TENANT, ALL_DAY.before()) == []
        assert await stores.rollups.by_job(OTHER_TENANT, ALL_DAY) == []
        assert await stores.rollups.by_step(OTHER_TENANT, other) == []
        assert await stores.rollups.busiest(OTHER_TENANT, other, 10) == []

    async def test_pruned_runs_stay_counted_and_endpoints_are_forgotten_after_a_year(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        await run_once(stores, clock)

        await stores.runs.prune(shifted(clock.now(), DAY), 10)
        pruned = await _counted(stores)
        await stores.runs.prune(shifted(clock.now(), 400 * DAY), 10)

        assert pruned == (1, 1)
        assert await _counted(stores) == (1, 0)

    async def test_runs_of_a_deleted_endpoint_stay_counted_for_its_job(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        await run_once(stores, clock)

        await stores.endpoints.delete(TENANT, "ep1")

        assert await _counted(stores) == (1, 0)

    async def test_the_census_counts_what_is_there_now(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores, "ep1", "ep2")
        await hint(stores, a_pause(MIDNIGHT + HOUR), "ep2")
        await stores.jobs.add(a_job(id="job2", name="other", status=JobStatus.PAUSED))
        suspended = an_endpoint(id="ep3", name="ep3", job_id="job2", state=EndpointState(suspended=True))
        await stores.endpoints.add(suspended, start)

        assert await stores.rollups.census(TENANT) == Census(jobs=1, endpoints=3, paused=2)
        assert await stores.rollups.census(TENANT, "job2") == Census(jobs=0, endpoints=1, paused=1)
        assert await stores.rollups.census(OTHER_TENANT) == Census(jobs=0, endpoints=0, paused=0)
        clock.advance(2 * HOUR)
        assert (await stores.rollups.census(TENANT)).paused == 1


class TimelineContract(PastSlotsContract):
    """Subclass this with a `stores` fixture: the newest runs and analyses of a part."""

    async def test_the_newest_runs_of_a_window_come_first(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        runs = [await run_once(stores, clock) for _ in range(4)]
        part = HourPart(since=runs[1].started_at, until=runs[3].started_at)

        found = await stores.timeline.runs(TENANT, part, 10)
        newest = await stores.timeline.runs(TENANT, FIRST_HOUR, 1)

        assert [past.run.id for past in found] == [runs[2].id, runs[1].id]
        assert [(past.run.id, past.endpoint_name) for past in newest] == [(runs[3].id, "ep1")]
        assert found[0].run.outcome.body is None

    async def test_what_began_at_once_is_neither_lost_nor_doubled_between_pages(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        for endpoint_id in ("ep1", "ep2"):
            await plant(stores, endpoint_id)
            for _ in range(2):
                test = a_run(a_lease(an_endpoint(id=endpoint_id)), source=Source.TEST, fence=0)
                await stores.run_control.record_test(test)
        whole = [past.run for past in await stores.timeline.runs(TENANT, FIRST_HOUR, 10)]
        pages: list[list[str]] = []
        for run in whole:
            part = replace(FIRST_HOUR, until=run.started_at + MICROSECOND, after=run.id)
            pages.append([past.run.id for past in await stores.timeline.runs(TENANT, part, 1)])

        assert [run.endpoint_id for run in whole] == ["ep2", "ep2", "ep1", "ep1"]
        assert pages == [*([run.id] for run in whole[1:]), []]

    async def test_runs_are_of_a_tenant_and_a_job(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        await run_once(stores, clock)

        of_job = [
            len(await stores.timeline.runs(TENANT, HourPart(since=MIDNIGHT, until=MIDNIGHT + HOUR, job_id=job_id), 10))
            for job_id in ("job1", "job2")
        ]

        assert of_job == [1, 0]
        assert await stores.timeline.runs(OTHER_TENANT, FIRST_HOUR, 10) == []

    async def test_analyses_are_told_and_counted(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores, analysis=AnalysisSwitch(enabled=True))
        clock.advance(MINUTE)
        for number in range(2):
            await _analyse(stores, f"an{number}", tokens=10 + number)
        other = HourPart(since=MIDNIGHT, until=MIDNIGHT + HOUR, job_id="job2")

        (newest,) = await stores.timeline.analyses(TENANT, FIRST_HOUR, 1)
        (tally,) = await stores.rollups.analyses(TENANT, ALL_DAY)

        last = replace(FIRST_HOUR, until=newest.analysis.at + MICROSECOND)
        after = [
            [past.analysis.id for past in await stores.timeline.analyses(TENANT, replace(last, after=which), 10)]
            for which in ("an1", "an0")
        ]
        assert after == [["an0"], []]
        assert (newest.analysis.id, newest.endpoint_name) == ("an1", "ep1")
        assert (tally.endpoint_id, tally.begins_at, tally.analyses, tally.tokens) == ("ep1", MIDNIGHT, 2, 21)
        assert await stores.timeline.analyses(TENANT, other, 10) == []
        assert await stores.timeline.analyses(OTHER_TENANT, FIRST_HOUR, 10) == []
        assert await stores.rollups.analyses(OTHER_TENANT, ALL_DAY) == []


async def _counted(stores: Stores) -> tuple[int, int]:
    """How many runs all jobs have, and how many the endpoints that are there."""
    of_jobs = sum(job.tally.runs for job in await stores.rollups.by_job(TENANT, ALL_DAY))
    of_steps = sum(step.tally.runs for step in await stores.rollups.by_step(TENANT, ALL_DAY))
    assert of_jobs == of_steps
    return of_jobs, sum(each.tally.runs for each in await stores.rollups.busiest(TENANT, ALL_DAY, 100))


async def _run_now(stores: Stores) -> Run:
    """Run what is due, however late."""
    lease = await claim_one(stores)
    run = a_run(lease)
    await settle(stores, lease, run)
    return run


async def _analyse(stores: Stores, analysis_id: str, tokens: int) -> None:
    await stores.watches.request(TENANT, "ep1", "alice")
    (watch,) = await stores.watches.claim_due(claim_id=analysis_id, limit=1, ttl=MINUTE)
    analysis = Analysis(
        id=analysis_id, tenant_id=TENANT, endpoint_id="ep1", at=watch.claimed_at,
        why=Why(occasion=Occasion.REQUEST, detail=""), spent=AnalysisUsage(input=4, output=tokens - 4, cached=1),
    )  # fmt: skip
    look = Look(memory=watch.memory, cursor=watch.cursor, look_at=watch.claimed_at, analysis=analysis)
    await stores.watches.settle(watch, look)
