"""Who may use which route: every route with every role, over HTTP; and none changes anything for a cookie alone.

The table is written by hand, so that it does not follow a mistake in `cronicorn.domain.permission`.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from cronicorn.control.accounts import csrf_token
from cronicorn.control.members import MemberDocument
from cronicorn.domain.permission import Role
from tests.api.door import Door, a_client, a_door, an_app, assert_problem
from tests.api.test_isolation import ANY, BODIES, ROUTES, WITHOUT_KEY, method_of
from tests.control.world import LOCAL
from tests.web.site import a_site

EVERYBODY, RUNNER = "everybody", "runner"
LEAST: list[tuple[str, str, str]] = [
    # routes, whoever may look, whoever may change
    (r"/api/(me|sign-out)\b", EVERYBODY, EVERYBODY),
    (r"/api/tenants/\{id\}", Role.VIEWER, RUNNER),
    (r"/api/tenants\b", RUNNER, RUNNER),
    (r"/api/audit\b", Role.OWNER, Role.OWNER),
    (r"/api/files\b", Role.EDITOR, Role.EDITOR),
    (r"/api/(members|secrets|signing-keys)\b", Role.VIEWER, Role.OWNER),
    (r"/api/keys\b", Role.EDITOR, Role.OWNER),
    (r"/api/(calendar|preview|simulate|workers|endpoints/\{id\}/backtest)\b", Role.VIEWER, Role.VIEWER),
    (r"/api/(maintenance-windows|incidents|runs)\b", Role.VIEWER, Role.OPERATOR),
    (r"/api/endpoints/\{id\}/(hints|pause|run|test|reset-failures|analyze)\b", Role.VIEWER, Role.OPERATOR),
    (r"/api/(jobs|endpoints|alert-rules|alert-routes|dashboard|quota|sessions|policies)\b", Role.VIEWER, Role.EDITOR),
]
HOLDERS = [*Role, RUNNER]
"""Whoever asks, from the one who may do least."""


def least(route: str) -> str:
    """Who may use *route*, and whoever stands above them."""
    method, path = route.split()
    for pattern, look, change in LEAST:
        if re.match(pattern, path):
            return look if method == "GET" else change
    raise AssertionError(f"say in `LEAST` who may use {route}")


CONFINED = sorted(route for route in set(ROUTES) - WITHOUT_KEY if least(route) != EVERYBODY)


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with a_door() as door:
        yield door


async def holders(door: Door) -> dict[str, httpx.AsyncClient]:
    """A client for each role, and one for whoever runs the installation."""
    keys = {role: (await door.made("/api/keys", {"name": role, "role": role}))["key"] for role in Role}
    door.world.stores.database.tenants.clear()
    first = await door.world.control.tenants.bootstrap(None)
    assert first is not None
    transport = httpx.ASGITransport(app=an_app(door.world))
    clients = {str(role): a_client(transport, key) for role, key in keys.items()}
    return clients | {RUNNER: a_client(transport, first.key)}


async def test_every_route_is_open_from_its_least_role_upwards_and_to_nobody_below(door: Door) -> None:
    clients = await holders(door)

    refused: dict[tuple[str, str], bool] = {}
    for route in CONFINED:
        path = re.sub(r"\{\w+\}", "nothing-of-that-name", route.split()[1])
        for holder in HOLDERS:
            answer = await clients[holder].request(method_of(route), path, json=BODIES.get(route), headers=ANY)
            assert answer.status_code != 401, (route, holder)
            refused[route, holder] = answer.status_code == 403

    expected = {
        (route, holder): HOLDERS.index(holder) < HOLDERS.index(least(route)) for route in CONFINED for holder in HOLDERS
    }
    assert {asked for asked in refused if refused[asked] != expected[asked]} == set()


def test_the_matrix_is_of_every_route_and_every_role() -> None:
    assert len(CONFINED) * len(HOLDERS) >= 250
    assert {least(route) for route in CONFINED} == {Role.VIEWER, Role.OPERATOR, Role.EDITOR, Role.OWNER, RUNNER}


async def test_no_route_changes_anything_for_a_cookie_alone(door: Door) -> None:
    """Not one that is added later, either: every route but signing in wants the token that no other site can read."""
    tenant = next(iter(door.world.stores.database.tenants))
    ann = MemberDocument(login="ann", role=Role.OWNER)
    member = await door.world.control.members.add(replace(LOCAL, tenant_id=tenant), ann)
    del door.client.headers["x-api-key"]
    entered = await door.client.post("/api/sign-in", json={"login": "ann", "password": member.password})
    changing = [route for route in sorted(set(ROUTES) - WITHOUT_KEY) if method_of(route) not in {"GET", "HEAD"}]

    answers = {
        route: await door.client.request(
            method_of(route), re.sub(r"\{\w+\}", "any", route.split()[1]), json=BODIES.get(route), headers=ANY
        )
        for route in changing
    }

    assert entered.status_code == 200
    assert len(changing) >= 35
    assert {route for route, answer in answers.items() if answer.status_code != 403} == set()
    assert {assert_problem(answer)["detail"][:37] for answer in answers.values()} == {
        "A request with a cookie that may chan"
    }
    assert (await door.client.get("/api/me")).status_code == 200  # Nobody was signed out, either.


@pytest.mark.parametrize("path", ["/jobs/new", "/sign-out", "/endpoints/any/run", "/page-of-another-day"])
async def test_no_form_of_a_page_is_looked_at_without_the_token_of_its_session(path: str) -> None:
    """It is refused before anybody asks which page it is for: so are the forms of pages that are added later."""
    async with a_site() as site:
        other = csrf_token(await site.token())
        answers = [await site.client.post(path, data=form) for form in ({}, {"csrf": ""}, {"csrf": other})]
        still = await site.client.get("/")

    assert [answer.status_code for answer in (*answers, still)] == [403, 403, 403, 200]
