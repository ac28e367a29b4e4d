"""What is used up, as a person sees it."""

import re

from tests.web.site import a_site, filled


async def test_usage_shows_what_is_left_and_runs_by_day_and_job() -> None:
    async with a_site() as site:
        endpoint = await filled(site, runs=21)
        page = await site.text("/usage")

    readings = dict(re.findall(r"<dt>(.*?)</dt><dd[^>]*>(.*?)<small>", page))
    assert readings["Tokens left"] == "10,000"
    assert readings["Runs this month"] == "21"
    assert readings["Endpoints"] == "1"
    assert "<title>01 Jan: 21</title>" in page
    assert f'href="/jobs/{endpoint.job_id}">shop &lt;b&gt;</a></th><td class="number">21</td>' in page
    assert "85.7%" in page
    assert "No model looked at answers" in page
