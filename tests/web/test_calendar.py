"""The calendar: what comes, endpoint by endpoint and host by host, and what is said of what is cut."""

import pytest

from cronicorn.control import forecasts
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.instant import HOUR
from cronicorn.domain.permission import EVERYTHING
from cronicorn.domain.principal import Principal
from cronicorn.web.pages.calendar import LANES_SHOWN
from tests.web.site import Site, a_site


async def planted(site: Site) -> str:
    """A nightly endpoint, one of office hours and one that is dense, beside one that rests and one of a rival."""
    job, make = await site.world.job(site.owner, "shop"), site.world.endpoint
    await make(site.owner, jobId=job, name="nightly", baselineCron="30 2 * * *", url="https://pay.example/report")
    await make(site.owner, jobId=job, name="office", baselineCron="0 9-17 * * *", url="https://shop.example/office")
    await make(site.owner, jobId=job, name="dense", baselineIntervalMs=10_000, url="https://shop.example/stock")
    await make(site.owner, jobId=job, name="resting", dormant=True)
    rival = Principal(tenant_id=list(site.world.stores.database.tenants)[1], actor="eve", permissions=EVERYTHING)
    await make(rival, name="foreign", baselineCron="* * * * *", url="https://rival.example/")
    return job


def row(page: str, name: str) -> str:
    """What stands in the row of an endpoint or host."""
    return page.partition(f">{name}<")[2].partition("</tr>")[0]


async def test_a_day_and_a_week_show_each_endpoint_as_marks_or_as_a_band() -> None:
    async with a_site() as site:
        await planted(site)
        today, week, gone = [await site.text(f"/calendar?{q}") for q in ("", "view=week", "day=2025-12-31")]
        site.world.clock.instant = MIDNIGHT + 10 * HOUR
        tomorrow = await site.text("/calendar?day=2026-01-02")

    assert 'aria-label="one run"' in row(today, "nightly")
    assert "02:30" in row(today, "nightly")
    assert row(today, "office").count("3v12") == 9
    assert 'class="dense"' in row(today, "dense")
    assert "every 10s" in row(today, "dense")
    assert "8,639" in row(today, "dense")
    assert '<h2 id="together">8,649 runs in all</h2>' in today
    assert "daily at 02:30" in row(week, "nightly")
    assert ">7<" in row(week, "nightly")
    assert "This day is over." in gone
    assert "on Friday, 02 January 2026" in tomorrow
    assert 'aria-label="one run"' in row(tomorrow, "nightly")
    for page in (today, week, tomorrow):
        assert ">resting<" not in page
        assert "foreign" not in page


async def test_hosts_are_shown_by_their_fullest_minute() -> None:
    async with a_site() as site:
        await planted(site)
        page = await site.text("/calendar/hosts")

    shop, pay = row(page.replace("<br>", "<"), "shop.example"), row(page.replace("<br>", "<"), "pay.example")
    assert page.index("shop.example<") < page.index("pay.example<")
    assert "<strong>7</strong> a minute" in shop
    assert "first at 09:00:00Z" in shop
    assert "8,648" in shop
    assert "<strong>1</strong> a minute" in pay
    assert "02:30:00Z" in pay
    assert "rival" not in page


async def test_what_is_too_much_is_cut_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecasts, "ENDPOINTS_FORESEEN_MAX", LANES_SHOWN + 1)
    async with a_site() as site:
        job = await site.world.job(site.owner, "many")
        for number in range(LANES_SHOWN + 2):
            await site.world.endpoint(site.owner, jobId=job, name=f"e{number}", url=f"https://h{number}.example/")
        first, second, hosts = [await site.text(f"/calendar{q}") for q in ("", "?page=2", "/hosts")]

    assert f"1 to {LANES_SHOWN} of {LANES_SHOWN + 1}" in first
    assert 'href="/calendar?page=2"' in first
    assert f"{LANES_SHOWN + 1} to {LANES_SHOWN + 1} of" in second
    assert "more than can be foreseen at once" in first
    assert "these numbers are least ones" in hosts
    assert f"of {LANES_SHOWN + 1}." in hosts


@pytest.mark.parametrize("query", ["day=tomorrow", "day=2026-13-01", "day=9999-12-31", "day=2099-01-01&view=week"])
async def test_a_day_that_can_not_be_shown_is_refused_with_a_word(query: str) -> None:
    async with a_site() as site:
        page = await site.text(f"/calendar?{query}", 400)

    assert "write a day such as" in page or "of the year to come" in page


async def test_a_calendar_of_nothing_teaches() -> None:
    async with a_site() as site:
        pages = [await site.text(path) for path in ("/calendar", "/calendar?page=999999", "/calendar/hosts")]

    assert all("Nothing comes" in page for page in pages[:2])
    assert "No host is called" in pages[2]
