"""API keys over REST: shown once, confined, counted, revoked."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from cronicorn.domain.permission import Role
from tests.api.door import Door, a_client, a_door, an_app, assert_problem
from tests.api.test_isolation import ANY, BODIES, ROUTES, WITHOUT_KEY, method_of, path_of, stored

ONLY_LOOKS = {"POST /api/preview", "POST /api/endpoints/{id}/backtest", "POST /api/simulate"}
"""Routes that change nothing although they take a body."""
ABOUT_ONESELF = {"POST /api/sign-out", "POST /api/me/password", "DELETE /api/me/sessions"}
"""What everybody may do who is known: it changes nothing for a key."""
FOR_OWNERS = {"GET /api/keys", "GET /api/tenants", "GET /api/audit"}
"""What a viewer may not even see."""
FOR_EDITORS = {"GET /api/files/export"}
"""What is read to be written again."""
REFUSED_TO_VIEWERS = [
    route
    for route in ROUTES
    if (not route.startswith("GET") or route in FOR_OWNERS | FOR_EDITORS)
    and route not in {*ONLY_LOOKS, *ABOUT_ONESELF, *WITHOUT_KEY}
]


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with a_door() as door:
        yield door


def holder(door: Door, key: str) -> httpx.AsyncClient:
    """A client with *key* at the door."""
    return a_client(httpx.ASGITransport(app=an_app(door.world)), key)


async def a_key(door: Door, **given: Any) -> dict[str, Any]:
    return await door.made("/api/keys", {"name": "ci", "role": "viewer"} | given)


async def test_a_key_is_answered_once_and_listed_without_itself(door: Door) -> None:
    made = await a_key(door, scopes=["jobs:read"], requestsPerMinute=60, expiresAt="2027-01-01T00:00:00Z", agent=True)

    listed = await door.read("/api/keys")

    assert made["key"].startswith(made["prefix"])
    assert made["key"] not in str(listed)
    assert [each for each in listed["keys"] if each["id"] == made["id"]] == [
        {name: value for name, value in made.items() if name != "key"}
    ]
    assert made["expiresAt"] == "2027-01-01T00:00:00.000Z"


async def test_a_revoked_key_is_refused_and_says_so_in_the_list(door: Door) -> None:
    made = await a_key(door)
    async with holder(door, made["key"]) as client:
        before = await client.get("/api/jobs")
        revoked = await door.client.delete(f"/api/keys/{made['id']}")
        after = await client.get("/api/jobs")

    assert (before.status_code, revoked.status_code) == (200, 204)
    assert_problem(after, 401)
    assert any(each["id"] == made["id"] and each["revokedAt"] for each in (await door.read("/api/keys"))["keys"])


async def test_a_viewer_changes_nothing() -> None:
    async with a_door() as door:
        await door.endpoint()
        made, before = await a_key(door), stored(door)
        async with holder(door, made["key"]) as client:
            answers = {
                route: await client.request(
                    method_of(route), re.sub(r"\{\w+\}", "any", route.split()[1]), json=BODIES.get(route), headers=ANY
                )
                for route in REFUSED_TO_VIEWERS
            }

    assert [route for route, answer in answers.items() if answer.status_code != 403] == []
    assert {assert_problem(answer, 403)["type"] for answer in answers.values()} == {"/problems/forbidden"}
    assert stored(door) == before


@pytest.mark.parametrize("route", sorted(set(ROUTES) - set(REFUSED_TO_VIEWERS) - ABOUT_ONESELF - WITHOUT_KEY))
async def test_a_viewer_sees_the_rest(route: str) -> None:
    async with a_door() as door:
        path, made = await path_of(door, route), await a_key(door)
        async with holder(door, made["key"]) as client:
            answer = await client.request(method_of(route), path, json=BODIES.get(route), headers=ANY)

    assert answer.is_success, answer.text


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Role.VIEWER, [200, 403, 403, 403]),
        (Role.OPERATOR, [200, 204, 403, 403]),
        (Role.EDITOR, [200, 204, 201, 403]),
        (Role.OWNER, [200, 204, 201, 201]),
    ],
)
async def test_each_role_may_do_more_than_the_one_before(door: Door, role: Role, allowed: list[int]) -> None:
    endpoint, made = await door.endpoint(), await a_key(door, role=role)
    async with holder(door, made["key"]) as client:
        answers = [
            await client.get(f"/api/endpoints/{endpoint['id']}"),
            await client.post(f"/api/endpoints/{endpoint['id']}/pause", json={"pausedUntil": None}),
            await client.post("/api/jobs", json={"name": "new"}),
            await client.post("/api/keys", json={"name": "new", "role": "viewer"}),
        ]

    assert [answer.status_code for answer in answers] == allowed


async def test_a_counted_key_hears_where_it_stands_and_then_waits(door: Door) -> None:
    made = await a_key(door, requestsPerMinute=2)
    async with holder(door, made["key"]) as client:
        first, second, third = [await client.get("/api/jobs") for _ in range(3)]
        door.world.clock.move(seconds=30)
        again = await client.get("/api/jobs")

    assert [answer.status_code for answer in (first, second, third, again)] == [200, 200, 429, 200]
    assert first.headers["ratelimit-policy"] == '"requests";q=2;w=60'
    assert first.headers["ratelimit"] == '"requests";r=1;t=30'
    assert assert_problem(third)["type"] == "/problems/rate_exceeded"
    assert third.headers["retry-after"] == "30"
    assert third.headers["ratelimit"] == '"requests";r=0;t=60'


async def test_the_fields_of_the_key_stand_beside_those_of_the_tokens(door: Door) -> None:
    made = await a_key(door, requestsPerMinute=60)
    async with holder(door, made["key"]) as client:
        answer = await client.get("/api/quota")

    assert [each.partition(";")[0] for each in answer.headers.get_list("ratelimit")] == ['"tokens"', '"requests"']


async def test_tenants_are_for_whoever_runs_the_installation() -> None:
    async with a_door() as door:
        first = await door.world.control.tenants.bootstrap("a-long-random-word")
        assert first is None
        refused = await door.client.get("/api/tenants")

    assert_problem(refused, 403)


async def test_the_first_key_of_an_installation_adds_tenants(door: Door) -> None:
    world = door.world
    world.stores.database.tenants.clear()
    first = await world.control.tenants.bootstrap(None)
    assert first is not None
    async with holder(door, first.key) as client:
        made = await client.post("/api/tenants", json={"name": "new"})
        taken = await client.post("/api/tenants", json={"name": "new"})
        bad = await client.post("/api/tenants", json={"name": " "})
        listed = await client.get("/api/tenants")
    async with holder(door, made.json()["key"]) as client:
        opened = await client.get("/api/jobs")
        refused = await client.get("/api/tenants")

    assert [answer.status_code for answer in (made, taken, bad, opened, refused)] == [201, 409, 400, 200, 403]
    assert [tenant["name"] for tenant in listed.json()["tenants"]] == ["default", "new"]
