"""The promises of `EndpointFinder`."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cronicorn.domain.call import Request
from cronicorn.domain.editing import suspended
from cronicorn.domain.endpoint import Baseline
from cronicorn.domain.finding.search import SearchQuery, words_of
from cronicorn.domain.fixtures import MIDNIGHT, a_job, an_endpoint
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import (
    CRON,
    MINUTE,
    OTHER_TENANT,
    TENANT,
    Stores,
    StoresContract,
    claim_one,
    plant,
    start,
)

FOUND = [
    ("stock", ["ep1"]),
    ("STOCK", ["ep1"]),
    ("shop", ["ep1", "ep2", "ep3"]),
    ("ops", ["ep4"]),
    ("ep3", ["ep3"]),
    ("pay.example/v1?a=%20", ["ep2"]),
    ("shop https example", ["ep1", "ep2", "ep3"]),
    ("v1 SHOP pay", ["ep2"]),
    ("shop nightly", []),
    ("prüfung", ["ep3"]),
    ("PRÜFUNG", ["ep3"]),
    ("100%", ["ep4"]),
    ("_", ["ep4"]),
    ("it's", ["ep4"]),
    ('"quoted"', ["ep4"]),
    ("back\\slash", ["ep4"]),
    ("🦄", ["ep4"]),
    ("*", []),
    ("secretive", []),
]
"""What is looked for, and which endpoints hold it."""


class EndpointFinderContract(StoresContract):
    """Subclass this with a `stores` fixture."""

    @pytest.mark.parametrize(("text", "ids"), FOUND)
    async def test_endpoints_are_found_by_every_word_of_job_name_url_and_id(
        self, stores: Stores, text: str, ids: list[str]
    ) -> None:
        await _filled(stores)

        found = await stores.finder.endpoints(TENANT, SearchQuery(words=words_of(text), limit=10))

        assert [endpoint.id for _, endpoint in found.endpoints] == ids
        assert {job.id for job, _ in found.endpoints} == {"job2" if each == "ep4" else "job1" for each in ids}
        assert found.complete

    async def test_jobs_are_found_by_every_word_of_name_description_and_id(self, stores: Stores) -> None:
        await _filled(stores)

        found = {
            text: [job.id for job in await stores.finder.jobs(TENANT, SearchQuery(words=words_of(text), limit=2))]
            for text in ("SHOP", "nightly OPS", "job2", "job", "stock", "it's")
        }

        assert found == {
            "SHOP": ["job1"], "nightly OPS": ["job2"], "job2": ["job2"], "job": ["job1", "job2"], "stock": [],
            "it's": [],
        }  # fmt: skip

    async def test_a_search_looks_at_so_many_finds_so_many_and_says_when_there_are_others(self, stores: Stores) -> None:
        await _filled(stores)
        words = words_of("example")

        few = await stores.finder.endpoints(TENANT, SearchQuery(words=words, limit=2))
        cut = await stores.finder.endpoints(TENANT, SearchQuery(words=words, limit=10, searched_max=3))
        all_ = await stores.finder.endpoints(TENANT, SearchQuery(words=words, limit=10, searched_max=4))

        assert ([endpoint.id for _, endpoint in few.endpoints], few.complete) == (["ep1", "ep2"], True)
        assert (len(cut.endpoints), cut.complete) == (3, False)
        assert (len(all_.endpoints), all_.complete) == (4, True)

    async def test_what_no_text_of_a_database_holds_hides_nothing_else(self, stores: Stores) -> None:
        await plant(stores, "ep1", "ep2")
        await plant(stores, "odd1", description="\ud83d is half of one")
        await plant(stores, "odd2", description="NUL \0 ends nothing")

        found = await stores.finder.endpoints(TENANT, SearchQuery(words=words_of("127.0.0.1"), limit=10))

        assert [endpoint.id for _, endpoint in found.endpoints] == ["ep1", "ep2", "odd1", "odd2"]

    async def test_what_is_planned_comes_in_order_whoever_works_on_it(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await stores.jobs.add(a_job())
        for number in (3, 1, 2):
            baseline = Baseline(interval=timedelta(minutes=number), anchor_at=MIDNIGHT)
            await plant(stores, f"ep{number}", baseline=baseline)
        await stores.jobs.add(a_job(id="other", tenant_id=OTHER_TENANT))
        await stores.endpoints.add(an_endpoint(id="ep9", tenant_id=OTHER_TENANT, job_id="other"), start)
        clock.advance(MINUTE)
        assert len(await stores.finder.planned(OTHER_TENANT, MIDNIGHT + 9 * MINUTE, 2)) == 1
        await stores.endpoints.delete(OTHER_TENANT, "ep9")
        await claim_one(stores)
        await stores.endpoints.change(
            TENANT, "ep3",
            lambda endpoint, job, stored: suspended(
                endpoint, job_active=True, archived_at=clock.now(), stored=stored, cron=CRON
            ),
        )  # fmt: skip
        planned = {
            minutes: [
                (job.id, endpoint.id)
                for job, endpoint in await stores.finder.planned(TENANT, MIDNIGHT + minutes * MINUTE, 2)
            ]
            for minutes in (0, 1, 2, 3)
        }

        assert planned == {
            0: [], 1: [("job1", "ep1")], 2: [("job1", "ep1"), ("job1", "ep2")], 3: [("job1", "ep1"), ("job1", "ep2")],
        }  # fmt: skip
        assert not await stores.finder.planned(OTHER_TENANT, MIDNIGHT + 9 * MINUTE, 2)


async def _filled(stores: Stores) -> None:
    """Four endpoints in two jobs, beside those of another tenant."""
    await stores.jobs.add(a_job(name="Shop"))
    await stores.jobs.add(replace(a_job(id="job2", name="ops"), description="nightly"))
    await stores.jobs.add(a_job(id="job9", tenant_id=OTHER_TENANT, name="shop of secretive"))
    for id_, job_id, name, url in (
        ("ep1", "job1", "Stock", "https://shop.example/levels"),
        ("ep2", "job1", "bill", "https://pay.example/v1?a=%20"),
        ("ep3", "job1", "Prüfung", "https://shop.example/check"),
        ("ep4", "job2", """it's "quoted" 100% back\\slash_🦄""", "https://ops.example/"),
    ):
        await plant(stores, id_, job_id=job_id, name=name, request=Request(url=url), description="secretive")
    other = an_endpoint(id="ep9", tenant_id=OTHER_TENANT, job_id="job9", name="stock secretive ops")
    await stores.endpoints.add(other, start)
