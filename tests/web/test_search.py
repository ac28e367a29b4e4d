"""Search, as a person meets it: across all jobs of a tenant, within bounds, and of no other tenant."""

import re

from cronicorn.control.document import JobDocument
from cronicorn.control.search import ENDPOINTS_FOUND_MAX, JOBS_FOUND_MAX
from cronicorn.domain.permission import EVERYTHING
from cronicorn.domain.principal import Principal
from tests.web.site import a_site, filled
from tests.web.test_pages import HOSTILE


async def test_the_field_on_every_page_finds_jobs_and_endpoints_by_any_of_their_words() -> None:
    async with a_site() as site:
        endpoint = await filled(site, runs=1)
        other = await site.world.endpoint(site.owner, name="bills", url="https://pay.example/v1/bills")
        rival = Principal(tenant_id=list(site.world.stores.database.tenants)[1], actor="eve", permissions=EVERYTHING)
        foreign = await site.world.endpoint(rival, name="stock of a rival", url="https://pay.example/rival")
        field = await site.text("/jobs")
        pages = {
            q: await site.text(f"/search?q={q}") for q in ("STOCK", "pay.example+bills", other.id, "shop", "rival")
        }

    assert '<form class="find" method="get" action="/search"' in field
    links = {q: set(re.findall('<a[^>]* href="(/(?:jobs|endpoints)/[^"]+)"', page)) for q, page in pages.items()}
    assert links == {
        "STOCK": {f"/endpoints/{endpoint.id}", f"/jobs/{endpoint.job_id}"},
        "pay.example+bills": {f"/endpoints/{other.id}", f"/jobs/{other.job_id}"},
        other.id: {f"/endpoints/{other.id}", f"/jobs/{other.job_id}"},
        "shop": {f"/{kind}/{id_}" for each in (endpoint, other) for kind, id_ in
                 (("jobs", each.job_id), ("endpoints", each.id))},
        "rival": set(),
    }  # fmt: skip
    assert "Nothing of yours holds this" in pages["rival"]
    assert foreign.id not in "".join(pages.values())


async def test_a_search_for_nothing_teaches_and_one_for_too_much_says_what_is_cut() -> None:
    async with a_site() as site:
        for number in range(JOBS_FOUND_MAX + 1):
            await site.world.control.jobs.create(site.owner, JobDocument(name=f"many {number}"))
        job = await site.world.job(site.owner, "one")
        for number in range(ENDPOINTS_FOUND_MAX + 1):
            await site.world.endpoint(site.owner, jobId=job, name=f"many {number}", dormant=True)
        pages = [await site.text(f"/search?q={q}") for q in ("", "%20", "many", "many+20", "x" * 5_000, "zq+" * 900)]

    assert all("<kbd>/</kbd>" in page for page in pages[:2])
    assert f"There are more than {JOBS_FOUND_MAX}:" in pages[2]
    assert f"There are more than {ENDPOINTS_FOUND_MAX}:" in pages[2]
    assert "There are more than" not in pages[3]
    assert pages[3].count('<th scope="row">') == 1
    assert all("Nothing of yours holds" in page for page in pages[4:])
    assert all(len(page.partition("<main")[2].partition("</main>")[0]) < 1_500 for page in pages[4:])


async def test_what_is_looked_for_is_shown_as_text() -> None:
    async with a_site() as site:
        await filled(site, runs=1)
        answer = await site.client.get("/search", params={"q": HOSTILE})

    assert answer.status_code == 200
    assert "<script>" not in answer.text
    assert "<img src=x" not in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text
    assert "49" not in answer.text.partition("<main")[2].partition("</main>")[0]
