"""Lists that are read page by page: by cursors that hold while things are added, and for nobody else."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from cronicorn.api.cursors import Paging
from cronicorn.testing.contracts.alerts import an_incident
from tests.api.door import Door, a_door, an_app, assert_problem
from tests.api.test_analyses import analysed
from tests.control.world import ALICE, a_world

LISTS = {
    "/api/jobs": ("jobs", "id"),
    "/api/jobs/{jobId}/endpoints": ("endpoints", "id"),
    "/api/endpoints/{id}/runs": ("runs", "runId"),
    "/api/endpoints/{id}/sessions": ("sessions", "id"),
    "/api/dashboard/activity": ("events", "id"),
    "/api/incidents": ("incidents", "id"),
    "/api/audit": ("entries", "objectId"),
}
"""What a list holds, and what names one thing in it."""
SLOTS = "/api/endpoints/{id}/slots"
"""`test_slots` walks it: what has not ended comes first."""
OLDEST_FIRST = {"/api/jobs", "/api/jobs/{jobId}/endpoints"}
FILTERED = {
    "/api/jobs": {"status": "active"},
    "/api/endpoints/{id}/runs": {"status": "success"},
    "/api/dashboard/activity": {"eventType": "runs"},
    "/api/incidents": {"open": "true"},
    "/api/audit": {"action": "job.create"},
}


class Filled:
    """A door behind which each list has some things."""

    def __init__(self, door: Door, endpoint: dict[str, Any], tenant_id: str) -> None:
        self.door = door
        self.endpoint = endpoint
        self.tenant_id = tenant_id
        self.rounds = 0

    async def add(self) -> None:
        """One thing more in each list."""
        self.rounds += 1
        door, name = self.door, f"more{self.rounds}"
        door.world.clock.move(minutes=1)
        await door.world.run_due()
        await analysed(door, self.endpoint, name)
        await door.job(name=name)
        path = f"/api/jobs/{self.endpoint['jobId']}/endpoints"
        await door.made(path, {"name": name, "url": "https://shop.example", "dormant": True})
        opened_at = door.world.clock.now()
        incident = an_incident(id=name, subject=name, tenant_id=self.tenant_id, opened_at=opened_at)
        await door.world.stores.incidents.write(incident)

    def path(self, listed: str) -> str:
        """The path of a list."""
        return listed.replace("{jobId}", self.endpoint["jobId"]).replace("{id}", self.endpoint["id"])

    async def page(self, listed: str, **query: Any) -> tuple[list[str], str | None]:
        """What a page holds, and the cursor of the next one."""
        answer = await self.door.client.get(self.path(listed), params=query)
        assert answer.status_code == 200, answer.text
        things, name = LISTS[listed]
        return [each[name] for each in answer.json()[things]], answer.json().get("nextCursor")


def tenant_of(door: Door, endpoint_id: str) -> str:
    return door.world.stores.database.rows[endpoint_id].endpoint.tenant_id


@asynccontextmanager
async def filled() -> AsyncIterator[Filled]:
    async with a_door() as door:
        endpoint = await door.endpoint(analysis=True)
        some = Filled(door, endpoint, tenant_of(door, endpoint["id"]))
        for _ in range(5):
            await some.add()
        yield some


def test_every_list_with_a_cursor_is_walked() -> None:
    description = an_app(a_world()).openapi()
    reading = {path: methods["get"] for path, methods in description["paths"].items() if "get" in methods}

    taking = {
        path for path, route in reading.items() if "cursor" in {each["name"] for each in route.get("parameters", ())}
    }
    answering = {path for path, route in reading.items() if "nextCursor" in _fields_of(route, description)}

    assert taking == answering == {*LISTS, SLOTS}


def _fields_of(route: dict[str, Any], description: dict[str, Any]) -> set[str]:
    content = route["responses"]["200"].get("content", {}).get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    return set(description["components"]["schemas"].get(name, {}).get("properties", ()))


@pytest.mark.parametrize("listed", LISTS)
async def test_pages_follow_one_another_while_things_are_added(listed: str) -> None:
    limit = 2
    async with filled() as some:
        whole, _ = await some.page(listed, limit=100)
        walked, cursor = await some.page(listed, limit=limit)
        await some.add()
        after, none = await some.page(listed, limit=100)
        while cursor is not None:
            page, cursor = await some.page(listed, limit=limit, cursor=cursor)
            assert 0 < len(page) <= limit
            walked += page

    assert len(whole) >= 5
    assert walked == (after if listed in OLDEST_FIRST else whole)
    assert none is None


async def test_what_began_at_once_is_on_one_page_alone() -> None:
    async with filled() as some:
        some.door.world.clock.move(minutes=1)
        await analysed(some.door, some.endpoint, "at_once")
        for _ in range(3):
            await some.door.client.post(f"/api/endpoints/{some.endpoint['id']}/test")
        whole, _ = await some.page("/api/dashboard/activity", limit=100)
        walked: list[str] = []
        page, cursor = await some.page("/api/dashboard/activity", limit=1)
        while cursor is not None:
            walked += page
            page, cursor = await some.page("/api/dashboard/activity", limit=1, cursor=cursor)

    assert [*walked, *page] == whole
    assert len(set(whole)) == len(whole) == 14


@pytest.mark.parametrize("listed", LISTS)
async def test_a_cursor_belongs_to_one_list_of_one_tenant_under_the_same_filters(listed: str) -> None:
    async with filled() as some:
        _, cursor = await some.page(listed, limit=1)
        assert cursor is not None
        path, odd = some.path(listed), {
            "broken": cursor[:-2],
            "changed": cursor[:9] + ("a" if cursor[9] != "a" else "b") + cursor[10:],
            "empty": "",
            "no cursor": "x",
            "not ASCII": "é",
            "no place": base64.urlsafe_b64encode(b"[]").decode(),
            "deep": base64.urlsafe_b64encode(b"[" * 300).decode(),
        }  # fmt: skip
        refused = {what: await some.door.client.get(path, params={"cursor": text}) for what, text in odd.items()}
        for other in set(LISTS) - {listed}:
            refused[other] = await some.door.client.get(some.path(other), params={"cursor": cursor})
        refused["stranger"] = await some.door.stranger.get(path, params={"cursor": cursor})
        if listed in FILTERED:
            refused["filter"] = await some.door.client.get(path, params={"cursor": cursor} | FILTERED[listed])
        if listed not in {*OLDEST_FIRST, "/api/audit"}:
            refused["offset"] = await some.door.client.get(path, params={"cursor": cursor, "offset": 1})

    for what, answer in refused.items():
        assert "cursor" in assert_problem(answer, 400)["detail"], what


async def test_a_place_that_nothing_can_have_never_reaches_a_store() -> None:
    places: list[tuple[Any, ...]] = [
        (1 << 62, 1, 1), (-1, 1, 1), (1, 1, True), (1, 1), ("1", 1, 1), (1.5, 1, 1), ({}, 1, 1),
    ]  # fmt: skip
    ids = ["", "\x00", "x" * 256, "' OR 1=1", "\ud800"]
    async with a_door() as door:
        endpoint = await door.endpoint()
        asker = replace(ALICE, tenant_id=tenant_of(door, endpoint["id"]))
        runs, endpoints = Paging(asker, "runs", endpoint["id"], None), Paging(asker, "endpoints", endpoint["jobId"])
        asked = [(f"/api/endpoints/{endpoint['id']}/runs", runs.cursor(place)) for place in places]
        asked += [(f"/api/jobs/{endpoint['jobId']}/endpoints", endpoints.cursor((each,))) for each in ids]
        answers = [await door.client.get(path, params={"cursor": cursor}) for path, cursor in asked]

    for answer in answers:
        assert "The query parameter cursor" in assert_problem(answer, 400)["detail"]


async def test_a_list_goes_on_no_more_after_what_is_gone() -> None:
    async with filled() as some:
        listed = "/api/jobs/{jobId}/endpoints"
        (last,), cursor = await some.page(listed, limit=1)
        await some.door.client.delete(f"{some.path(listed)}/{last}")

        answer = await some.door.client.get(some.path(listed), params={"cursor": cursor})

    assert "begin anew" in assert_problem(answer, 400)["detail"]
