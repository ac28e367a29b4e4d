"""The promises of whatever is listed page by page: nothing is lost or doubled between pages."""

from dataclasses import replace

import pytest

from cronicorn.domain.endpoint import JobStatus
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.fixtures import MIDNIGHT, a_job, a_lease, a_run, an_endpoint, an_outcome
from cronicorn.domain.history import EndpointQuery, JobQuery, RunPlace, RunQuery, place_of_run
from cronicorn.domain.plan import Source
from cronicorn.domain.run import RunStatus
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.alerts import an_incident
from cronicorn.testing.contracts.stores import MINUTE, OTHER_TENANT, TENANT, Stores, StoresContract, plant, run_once

_FAILED = {"status": RunStatus.FAILED, "outcome": an_outcome(500)}


class PagesContract(StoresContract):
    """Subclass this with a `stores` fixture."""

    async def test_jobs_are_listed_page_by_page(self, stores: Stores) -> None:
        for number in range(5):  # Some were made at once.
            made_at = MIDNIGHT + MINUTE * (number // 2)
            status = JobStatus.PAUSED if number == 3 else JobStatus.ACTIVE
            await stores.jobs.add(a_job(id=f"job{number}", created_at=made_at, updated_at=made_at, status=status))
        pages: list[list[str]] = []
        while not pages or pages[-1]:
            query = JobQuery(limit=2, after=pages[-1][-1] if pages else None)
            pages.append([job.id for job, _ in await stores.jobs.list(TENANT, query=query)])

        active = await stores.jobs.list(TENANT, JobStatus.ACTIVE, JobQuery(limit=2, after="job3"))
        assert pages == [["job0", "job1"], ["job2", "job3"], ["job4"], []]
        assert [job.id for job, _ in active] == ["job4"]
        with pytest.raises(InvalidInputError):
            await stores.jobs.list(OTHER_TENANT, query=JobQuery(limit=2, after="job0"))

    async def test_endpoints_are_listed_page_by_page(self, stores: Stores, clock: VirtualClock) -> None:
        ids = [f"ep{number}" for number in range(7)]
        for number, endpoint_id in enumerate(ids):
            clock.advance(MINUTE * (number % 2))  # Some were made at once.
            await plant(stores, endpoint_id, created_at=clock.now())
        pages: list[list[str]] = []
        while not pages or pages[-1]:
            query = EndpointQuery(limit=3, after=pages[-1][-1] if pages else None)
            pages.append([each.id for each, _ in await stores.endpoints.list(TENANT, "job1", query)])

        assert pages == [ids[:3], ids[3:6], ids[6:], []]
        assert [each.id for each, _ in await stores.endpoints.list(TENANT, "job1")] == ids
        with pytest.raises(InvalidInputError):
            await stores.endpoints.list(TENANT, "job1", EndpointQuery(limit=3, after="gone"))

    async def test_runs_are_listed_page_by_page_while_others_come_and_go(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        test = a_run(a_lease(an_endpoint()), source=Source.TEST, fence=0)
        began_at_once = [await stores.run_control.record_test(test) for _ in range(3)]
        runs = [await run_once(stores, clock) for _ in range(3)]

        first = (await stores.runs.list(TENANT, "ep1", RunQuery(limit=2))).runs
        await run_once(stores, clock)
        second = await stores.runs.list(TENANT, "ep1", RunQuery(limit=2, after=place_of_run(first[-1])))
        third = (await stores.runs.list(TENANT, "ep1", RunQuery(after=place_of_run(second.runs[-1])))).runs
        gone = RunPlace(runs[0].started_at, runs[0].slot + 1_000, 1)
        rest = (await stores.runs.list(TENANT, "ep1", RunQuery(limit=1, after=gone))).runs

        assert [run.id for run in first] == [runs[2].id, runs[1].id]
        assert [run.slot for run in second.runs] == [runs[0].slot, began_at_once[2]]
        assert second.total == 7
        assert [run.slot for run in third] == [began_at_once[1], began_at_once[0]]
        assert [run.id for run in rest] == [runs[0].id]

    async def test_pages_of_runs_of_one_status_follow_one_another(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        runs = [await run_once(stores, clock, **(_FAILED if number % 2 else {})) for number in range(5)]

        query = RunQuery(status=RunStatus.FAILED, limit=1, after=place_of_run(runs[4]))
        (first,) = (await stores.runs.list(TENANT, "ep1", query)).runs
        (second,) = (await stores.runs.list(TENANT, "ep1", replace(query, after=place_of_run(first)))).runs

        assert [first.id, second.id] == [runs[3].id, runs[1].id]

    async def test_incidents_are_listed_page_by_page(self, stores: Stores) -> None:
        for name in ("a", "b", "c"):
            over = {"closed_at": MIDNIGHT, "ending": "Over."} if name == "b" else {}
            await stores.incidents.write(an_incident(id=name, subject=name, **over))
        await stores.incidents.write(an_incident(id="other", tenant_id=OTHER_TENANT))

        (first,) = await stores.incidents.list(TENANT, limit=1)
        await stores.incidents.write(an_incident(id="d", subject="d"))
        second = await stores.incidents.list(TENANT, limit=1, after=first.id)
        still_open = await stores.incidents.list(TENANT, open_only=True, after="b")

        assert [each.id for each in (first, *second, *still_open)] == ["c", "b", "a"]
        for gone in ("gone", "other"):
            with pytest.raises(InvalidInputError):
                await stores.incidents.list(TENANT, after=gone)
