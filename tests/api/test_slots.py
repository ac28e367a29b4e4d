"""The slots of an endpoint over REST: what a timeline is drawn from."""

from dataclasses import replace

import pytest

from cronicorn.api.cursors import Paging
from cronicorn.domain.fixtures import an_outcome
from tests.api.door import Door, a_door, assert_problem
from tests.control.world import ALICE


async def ran(door: Door, *statuses: int) -> None:
    """Run what is due each minute, answered so."""
    for status in statuses:
        door.world.clock.move(minutes=1)
        await door.world.run_due(an_outcome(status))


async def test_slots_say_what_became_of_each_instant() -> None:
    async with a_door() as door:
        endpoint = await door.endpoint(baselineCron="* * * * *")
        await ran(door, 200, 500)
        door.world.clock.move(minutes=3)
        await door.world.run_due()

        told = (await door.read(f"/api/endpoints/{endpoint['id']}/slots"))["slots"]

    assert [(each["state"], each["recorded"], each["count"]) for each in told] == [
        ("waiting", False, 1), ("ran", True, 1), ("coalesced", True, 2), ("ran", True, 1), ("ran", True, 1),
    ]  # fmt: skip
    late, failed = told[2], told[3]
    assert (late["reason"], late["attempts"]) == ("it was late, and another instant ran for it", [])
    assert "slot" not in late
    (attempt,) = failed["attempts"]
    assert (attempt["runId"], attempt["status"], attempt["statusCode"]) == (f"{endpoint['id']}:2:1", "failed", 500)
    assert "successStatuses" in attempt["errorMessage"]
    assert failed["firstAt"] == failed["lastAt"] == failed["dueAt"] == "2026-01-01T00:02:00.000Z"


async def test_slots_come_in_pages_and_spans() -> None:
    async with a_door() as door:
        endpoint = await door.endpoint()
        await ran(door, *[200] * 5)
        path = f"/api/endpoints/{endpoint['id']}/slots"
        pages, cursor = [], ""
        while True:
            page = await door.read(f"{path}?limit=2&{cursor}")
            pages.append([each.get("slot") for each in page["slots"]])
            await ran(door, 200)
            if "nextCursor" not in page:
                break
            cursor = f"cursor={page['nextCursor']}"
        span = await door.read(f"{path}?from=2026-01-01T00:02:00Z&to=2026-01-01T00:03:00Z")

    assert pages == [[6, 5, 4], [3, 2], [1]]
    assert [each["slot"] for each in span["slots"]] == [3, 2]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=501", "from=yesterday", "to=2026-01-01T00:00:00", "cursor=nonsense", "cursor=",
        "cursor=" + Paging(ALICE, "endpoints").cursor((1, 1, 1)),
    ],
)  # fmt: skip
async def test_what_can_not_be_meant_is_refused(query: str) -> None:
    async with a_door() as door:
        endpoint = await door.endpoint()

        answer = await door.client.get(f"/api/endpoints/{endpoint['id']}/slots?{query}")

    assert_problem(answer, 400)


async def test_a_cursor_of_another_endpoint_is_refused_and_a_forged_one_meets_no_fault() -> None:
    places = [(0, 1, 1 << 57), (0, 0, 1), (1 << 62, 1, 1), (-1, 0, 1), (0, 1), ("0", 1, 1)]
    async with a_door() as door:
        endpoint, other = await door.endpoint(), await door.endpoint()
        asker = replace(ALICE, tenant_id=door.world.stores.database.rows[endpoint["id"]].endpoint.tenant_id)
        paging = Paging(asker, "slots", endpoint["id"], None, None)
        forged = []
        for place in places:
            query = {"cursor": paging.cursor(place)}
            forged.append(await door.client.get(f"/api/endpoints/{endpoint['id']}/slots", params=query))
            assert_problem(await door.client.get(f"/api/endpoints/{other['id']}/slots", params=query), 400)

    assert [answer.status_code for answer in forged] == [200, 200, 400, 400, 400, 400]
