"""Dashboards and activity: what was counted, as clients of the contract read it."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from cronicorn.domain.fixtures import an_outcome
from tests.api.door import Door, a_door, assert_problem
from tests.api.test_analyses import SESSION, analysed

STATS, ACTIVITY = "/api/dashboard/stats", "/api/dashboard/activity"


async def lived(door: Door) -> dict[str, Any]:
    """An endpoint with an hour of runs each minute, the last third of them failures."""
    endpoint = await door.endpoint(analysis=True)
    for minute in range(60):
        door.world.clock.move(minutes=1)
        await door.world.run_due(an_outcome(200 if minute < 40 else 404))
        await door.client.post(f"/api/endpoints/{endpoint['id']}/reset-failures")
    return endpoint


async def test_a_dashboard_adds_up_what_was_counted() -> None:
    async with a_door() as door:
        endpoint = await lived(door)

        stats = await door.read(STATS)
        none = (await door.stranger.get(STATS)).json()

    assert stats["jobs"] == {"total": 1}
    assert stats["endpoints"] == {"total": 1, "active": 1, "paused": 0}
    assert stats["filteredMetrics"] == {"totalRuns": 60, "successCount": 40, "failureCount": 20, "avgDurationMs": 5.0}
    assert stats["successRate"] == {"overall": 66.7, "trend": "stable"}
    assert stats["recentActivity"] == {"runs24h": 60, "success24h": 40, "failure24h": 20}
    assert [(job["jobId"], job["successCount"]) for job in stats["jobHealth"]] == [(endpoint["jobId"], 40)]
    assert sum(source["count"] for source in stats["sourceDistribution"]) == 60
    for series in (stats["runTimeSeries"], stats["endpointTimeSeries"]):
        assert (sum(point["success"] for point in series), sum(point["failure"] for point in series)) == (40, 20)
    assert sum(point["totalDurationMs"] for point in stats["endpointTimeSeries"]) == 300
    assert stats["endpointTimeSeriesMaxStacked"] == pytest.approx(66)
    assert none["filteredMetrics"]["totalRuns"] == none["jobs"]["total"] == 0
    assert none["jobHealth"] == none["endpointTimeSeries"] == none["sourceDistribution"] == []


async def test_a_dashboard_is_of_a_job_a_source_and_a_span() -> None:
    async with a_door() as door:
        endpoint = await lived(door)
        other = await door.endpoint()
        await door.client.post(f"/api/endpoints/{other['id']}/test")

        async def runs(query: str) -> int:
            total: int = (await door.read(f"{STATS}?{query}"))["filteredMetrics"]["totalRuns"]
            return total

        assert await runs(f"jobId={endpoint['jobId']}") == 60
        assert await runs(f"jobId={other['jobId']}") == await runs("source=test") == 1
        assert await runs("jobId=nobody") == await runs("source=nothing") == 0
        assert await runs("startDate=2026-01-01T00:10:00Z&endDate=2026-01-01T00:20:00Z") == 59
        assert await runs("startDate=2026-01-01&endDate=2026-01-02") == 61
        assert await runs("startDate=2025-12-01T00:00:00.000Z&endDate=2025-12-31T23:00:00.000Z") == 0
        sources = (await door.read(f"{STATS}?source=test"))["sourceDistribution"]
        assert sum(source["count"] for source in sources) == 61


async def test_the_trend_is_against_the_span_before() -> None:
    async with a_door() as door:
        await door.endpoint()
        for status in (200, 404):
            door.world.clock.move(minutes=59)
            await door.world.run_due(an_outcome(status))
            door.world.clock.move(minutes=1)

        later = await door.read(f"{STATS}?startDate=2026-01-01T01:01:00Z&endDate=2026-01-01T02:00:00Z")
        earlier = await door.read(f"{STATS}?startDate=2026-01-01T00:00:00Z&endDate=2026-01-01T01:00:00Z")

    assert (later["successRate"]["trend"], earlier["successRate"]["trend"]) == ("down", "stable")


@pytest.mark.parametrize(
    ("length", "step_hours", "points"),
    [
        (timedelta(hours=1), 1, 1), (timedelta(days=1), 1, 24), (timedelta(days=2), 2, 24), (timedelta(days=7), 8, 21),
        (timedelta(days=14), 12, 28), (timedelta(days=30), 48, 15), (timedelta(days=300), 336, 22),
        (timedelta(days=3_000), 3_024, 24),
    ],
)  # fmt: skip
async def test_series_have_about_two_dozen_points(length: timedelta, step_hours: int, points: int) -> None:
    async with a_door() as door:
        now = door.world.clock.now()
        since = (now - length).strftime("%Y-%m-%dT%H:%M:%SZ")

        stats = await door.read(f"{STATS}?startDate={since}&endDate=2026-01-01T00:00:00Z")

    assert stats["stepMs"] == step_hours * 3_600_000
    assert points <= len(stats["runTimeSeries"]) <= points + 1
    assert stats["runTimeSeries"][-1]["date"] < stats["until"] == "2026-01-01T00:00:00.000Z"


async def test_activity_lists_runs_and_analyses_newest_first_page_by_page() -> None:
    async with a_door() as door:
        endpoint = await lived(door)
        await analysed(door, endpoint)
        door.world.clock.move(hours=3)
        await door.world.run_due(an_outcome(200))

        pages = [await door.read(f"{ACTIVITY}?limit=7&offset={offset}") for offset in range(0, 70, 7)]
        runs = await door.read(f"{ACTIVITY}?eventType=runs&limit=100")
        sessions = await door.read(f"{ACTIVITY}?eventType=sessions")
        strange = (await door.stranger.get(ACTIVITY)).json()

    events = [event for page in pages for event in page["events"]]
    times = [event["timestamp"] for event in events]
    assert len(events) == len({event["id"] for event in events}) == pages[0]["total"] == 62
    assert times == sorted(times, reverse=True)
    assert pages[0]["summary"] == {"runsCount": 61, "sessionsCount": 1, "successRate": 67.2}
    assert [event["type"] for event in runs["events"]] == ["run"] * 61
    assert [(event["id"], event["type"]) for event in sessions["events"]] == [(SESSION, "session")]
    assert sessions["summary"] == {"runsCount": 0, "sessionsCount": 1, "successRate": 0.0}
    assert (strange["events"], strange["total"]) == ([], 0)


async def test_activity_is_of_a_job_and_of_what_is_kept() -> None:
    async with a_door() as door:
        endpoint = await lived(door)

        of_job = await door.read(f"{ACTIVITY}?jobId={endpoint['jobId']}&limit=1")
        of_another = await door.read(f"{ACTIVITY}?jobId=nobody")
        door.world.clock.move(days=31)
        later = await door.read(f"{ACTIVITY}?startDate=2026-01-01")

    assert (of_job["total"], len(of_job["events"]), of_another["total"]) == (60, 1, 0)
    assert later["total"] == 0


@pytest.mark.parametrize(
    "query",
    [
        "startDate=yesterday", "endDate=2026-13-01", "startDate=2026-01-01T00:00:00",
        "startDate=2026-01-02&endDate=2026-01-01",
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", [STATS, ACTIVITY])
async def test_a_span_that_is_none_is_refused(path: str, query: str) -> None:
    async with a_door() as door:
        answer: httpx.Response = await door.client.get(f"{path}?{query}")

    assert "Date" in assert_problem(answer, 400)["detail"]


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        (STATS, "endpointLimit=0", 400), (STATS, "endpointLimit=101", 400), (STATS, "endpointLimit=100", 200),
        (STATS, "startDate=&endDate=null", 200), (ACTIVITY, "startDate=null&offset=null", 200),
        (ACTIVITY, "limit=101", 400), (ACTIVITY, "offset=-1", 400), (ACTIVITY, "eventType=tests", 400),
        (ACTIVITY, "offset=1000000000", 200), (STATS, "startDate=0001-01-01&endDate=9999-12-31T23:59:59Z", 200),
        (ACTIVITY, "startDate=9999-12-31", 400), (STATS, "startDate=9999-12-31&endDate=9999-12-31", 200),
    ],
)  # fmt: skip
async def test_the_query_has_the_bounds_of_the_contract(path: str, query: str, status: int) -> None:
    async with a_door() as door:
        answer = await door.client.get(f"{path}?{query}")

    assert answer.status_code == status, answer.text
