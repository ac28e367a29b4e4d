"""The overview: what it names, counts, leaves out and says of that."""

import re

import pytest

from cronicorn.control import overviews
from cronicorn.domain.fixtures import an_outcome
from tests.web.site import Site, a_site, filled


def panel(page: str, heading: str) -> str:
    """The text of the section that is headed so."""
    section = page.partition(f'aria-labelledby="{heading}"')[2].partition("</section>")[0]
    return " ".join(re.sub("<[^>]+>", " ", section).split())


async def failing_on(site: Site, runs: int) -> None:
    """Let the one endpoint of *site* fail so many more times."""
    for _ in range(runs):
        site.world.clock.move(hours=1)
        await site.world.run_due(an_outcome(503))


async def test_an_incident_names_its_endpoint_which_is_told_of_once_with_what_counts_now() -> None:
    async with a_site() as site:
        endpoint = await filled(site, runs=2)
        await failing_on(site, 6)
        page = await site.text("/")
        await failing_on(site, 1)
        later = await site.text("/")
        await site.world.control.endpoints.delete(site.owner, endpoint.id)
        await site.world.endpoint(site.owner)
        gone = await site.text("/")

    told = "failing shop &lt;b&gt; / stock 6 failed in a row now When last told: It failed &lt;4&gt; times in a row."
    assert told in panel(page, "fails")
    assert panel(page, "fails").count("/ stock") == 1
    assert "7 failed in a row now" in panel(later, "fails")
    assert "When last told: It failed &lt;4&gt;" in panel(gone, "fails")
    assert endpoint.id not in gone


async def test_what_is_not_drawn_or_not_looked_at_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overviews, "ENDPOINTS_LOOKED_AT", 3)
    async with a_site() as site:
        busy = await site.world.endpoint(site.owner, name="busy", baselineIntervalMs=5_000)
        await site.world.endpoint(site.owner, jobId=busy.job_id, name="calm", baselineIntervalMs=600_000)
        alone = await site.text("/")
        for number in range(2):
            await site.world.endpoint(site.owner, jobId=busy.job_id, name=f"{number}", dormant=True)
        all_of_them = await site.text("/")

    assert "Of what runs most often only the first runs are drawn, so that all have room: busy ." in panel(
        alone, "hour"
    )
    assert "calm" not in panel(alone, "hour").partition("only the first")[2]
    assert "there are more" not in alone
    assert "This page looks at 3 endpoints, those of the oldest jobs; there are more." in all_of_them


async def test_the_budget_is_told_where_a_model_may_spend_it() -> None:
    async with a_site() as site:
        await filled(site, runs=1)
        without = await site.text("/")
        site.world.control.analyses.model_named = True
        named = await site.text("/")

    assert "no model is named, so none are needed" in without
    assert "anew" in named.partition("Tokens left")[2].partition("</dl>")[0]
    assert "no model is named" not in named


async def test_the_timeline_of_a_young_endpoint_begins_where_it_was_made_and_shows_what_comes() -> None:
    async with a_site() as site:
        endpoint = await site.world.endpoint(site.owner, baselineIntervalMs=300_000)
        site.world.clock.move(minutes=5)
        await site.world.run_due()
        young = await site.text(f"/endpoints/{endpoint.id}")
        asked = await site.text(f"/endpoints/{endpoint.id}?last=6h")
        site.world.clock.move(hours=7)
        for _ in range(5):
            site.world.clock.move(minutes=5)
            await site.world.run_due()
        grown = await site.text(f"/endpoints/{endpoint.id}")

    def spans(page: str) -> tuple[str, str]:
        found = re.search(r"From (\S+(?: \w+ \d+ \S+)?) to (\S+(?: \w+ \d+ \S+)?):", page.partition("<desc")[2])
        assert found is not None
        return found[1], found[2]

    made = f"{endpoint.created_at:%H:%M:%S}Z"
    assert spans(young)[0] == made
    assert 'class="planned"' in young
    assert made not in spans(asked)[0]
    assert made not in spans(grown)[0]
