"""The calendar over REST: what is foreseen, and for how long."""

import pytest

from tests.api.door import a_door, assert_problem


async def test_a_calendar_tells_what_comes_evenly_and_counts_it_in_parts():
    async with a_door() as door:
        endpoint = await door.endpoint(baselineIntervalMs=3_600_000)

        told = await door.read("/api/calendar?parts=4")

    (one,) = told["endpoints"]
    assert (one["endpointId"], one["jobName"], one["count"], one["complete"]) == (endpoint["id"], "shop", 23, True)
    assert [(each["count"], each["stepMs"]) for each in one["stretches"]][-1][1] == 3_600_000
    assert sum(told["counts"]) == 23
    assert len(told["counts"]) == 4
    assert told["complete"]


@pytest.mark.parametrize(
    "query",
    [
        "to=2000-01-01T00:00:00Z",
        "from=2199-01-01T00:00:00Z",
        "from=2026-01-31T00:00:00Z&to=2026-03-31T00:00:00Z",
        "parts=0",
        "from=soon",
    ],
)
async def test_a_span_that_is_none_is_refused(query):
    async with a_door() as door:
        assert_problem(await door.client.get(f"/api/calendar?{query}"), 400)
