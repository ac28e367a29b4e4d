"""No route lets a tenant see or touch what belongs to another, or pass without a key."""

import re
from typing import Any

import pytest
from fastapi import FastAPI

from cronicorn.domain.alert.alerting import IncidentKind
from cronicorn.domain.alert.incident import Incident
from cronicorn.domain.fixtures import MIDNIGHT
from tests.api.door import Door, a_door, an_app, assert_problem
from tests.api.test_analyses import SESSION, analysed
from tests.control.world import a_world

BODIES: dict[str, Any] = {
    "POST /api/jobs/{jobId}/endpoints": {"name": "n", "url": "https://x.example", "baselineIntervalMs": 1_000},
    "POST /api/endpoints/{id}/hints/interval": {"intervalMs": 5_000},
    "POST /api/endpoints/{id}/hints/oneshot": {"nextRunInMs": 5_000},
    "POST /api/endpoints/{id}/hints/defer": {"forMs": 5_000},
    "POST /api/endpoints/{id}/pause": {"pausedUntil": None},
    "POST /api/endpoints/{id}/backtest": {"policy": {"version": 1, "rules": []}},
    "POST /api/jobs": {"name": "n"},
    "POST /api/files/apply": {"jobs": [{"name": "n"}]},
    "POST /api/files/diff": {"jobs": [{"name": "n"}]},
    "POST /api/endpoints/{id}/policy/proposals": {
        "policy": {
            "version": 1,
            "fields": {"err": {"path": "$.err", "type": "number"}},
            "rules": [{"id": "surge", "when": "err > 5", "until": "err < 2", "action": {"interval": "60s"}}],
            "tests": [
                {"given": {"err": 9}, "expect": {"interval": "60s"}},
                {"given": {"err": 1}, "expect": {"interval": "baseline"}},
            ],
        },
    },
    "POST /api/preview": {"endpoint": {"name": "n", "url": "https://x.example", "baselineIntervalMs": 1_000}},
    "POST /api/simulate": {
        "scenario": {"version": 1, "length": "10m", "endpoints": [{"name": "stock", "every": "60s"}]}
    },
    "POST /api/tenants": {"name": "another"},
    "POST /api/members": {"login": "ann", "role": "viewer"},
    "PATCH /api/members/{id}": {"role": "operator"},
    "POST /api/me/password": {"password": "wrong", "newPassword": "correct horse battery"},
    "POST /api/keys": {"name": "ci", "role": "viewer"},
    "PUT /api/endpoints/{id}/policy": {"policy": {"version": 1, "rules": []}},
    "PUT /api/secrets/{name}": {"value": "a long secret"},
    "PATCH /api/jobs/{id}": {"name": "stolen"},
    "PATCH /api/jobs/{jobId}/endpoints/{id}": {"name": "stolen"},
    "PUT /api/alert-rules": {"failures": 5},
    "PUT /api/tenants/{id}/egress": {"allow": ["10.0.0.0/8"]},
    "PUT /api/tenants/{id}/retention": {"runsMs": 60_000},
    "PUT /api/tenants/{id}/terms": {"limit": 5},
    "POST /api/alert-routes": {"name": "hook", "channel": "webhook", "target": "https://example.com/hook"},
    "PATCH /api/alert-routes/{id}": {"name": "stolen"},
    "POST /api/maintenance-windows": {"name": "nightly", "cron": "0 3 * * *", "durationMs": 60_000},
}
FOR_OPERATORS = {"GET /healthz", "GET /readyz", "GET /metrics"}
WITHOUT_KEY = {*FOR_OPERATORS, "GET /docs", "GET /problems/{code}", "POST /api/sign-in"}


def routes_of(app: FastAPI) -> list[str]:
    """Every route of *app* as `METHOD /path`."""
    return [f"{method.upper()} {path}" for path, methods in app.openapi()["paths"].items() for method in methods]


ROUTES = routes_of(an_app(a_world()))
ANY = {"If-Match": "*"}
NAMED_ANEW = {"PUT /api/secrets/{name}"}
"""A name that is taken by one tenant is free for another."""
FOR_WHO_RUNS_IT = {f"PUT /api/tenants/{{id}}/{part}" for part in ("egress", "retention", "terms")}
"""No tenant may: see `test_tenant_settings`."""
WITH_ID = [route for route in ROUTES if "{" in route and route not in WITHOUT_KEY | NAMED_ANEW | FOR_WHO_RUNS_IT]


async def path_of(door: Door, route: str) -> str:
    """The path of *route* with the ids of things of the door's own tenant."""
    endpoint = await door.endpoint(analysis=True)
    asked = await door.client.post(f"/api/endpoints/{endpoint['id']}/run")
    path = route.split()[1].replace("{jobId}", endpoint["jobId"])
    if "{draftId}" in path:
        draft = await door.client.post(f"/api/endpoints/{endpoint['id']}/policy/drafts")
        path = path.replace("{draftId}", draft.json()["id"])
    if path.startswith("/api/secrets/"):
        await door.client.put("/api/secrets/token", json=BODIES["PUT /api/secrets/{name}"])
        return path.replace("{name}", "token")
    if path.startswith(("/api/keys/", "/api/members/", "/api/alert-routes/", "/api/maintenance-windows/")):
        place = path.partition("/{id}")[0]
        return path.replace("{id}", (await door.made(place, BODIES[f"POST {place}"]))["id"])
    tenant_id = door.world.stores.endpoints._database.jobs[endpoint["jobId"]].tenant_id
    if path.startswith("/api/tenants/"):
        return path.replace("{id}", tenant_id)
    if path.startswith("/api/incidents/"):
        incident = Incident(
            id="incident_1", tenant_id=tenant_id, kind=IncidentKind.LATE, subject="", opened_at=MIDNIGHT
        )
        await door.world.stores.incidents.write(incident)
        return path.replace("{id}", incident.id)
    kind = re.match(r"/api/(\w+)/\{id\}", path)
    if kind is not None and kind[1] == "sessions":
        await analysed(door, endpoint)
    ids = {"runs": asked.json()["runId"], "jobs": endpoint["jobId"], "sessions": SESSION}
    return path.replace("{id}", ids.get(kind[1], endpoint["id"]) if kind else endpoint["id"])


def stored(door: Door) -> list[object]:
    """All jobs and endpoints that are stored."""
    database = door.world.stores.endpoints._database
    return [*database.jobs.values(), *(row.endpoint for row in database.rows.values())]


def method_of(route: str) -> str:
    return route.partition(" ")[0]


def test_the_walk_knows_many_routes() -> None:
    assert len(WITH_ID) >= 29


@pytest.mark.parametrize("route", WITH_ID)
async def test_another_tenants_ids_are_not_found(route: str) -> None:
    async with a_door() as door:
        path = await path_of(door, route)
        before = stored(door)

        answer = await door.stranger.request(method_of(route), path, json=BODIES.get(route), headers=ANY)
        after = stored(door)
        own = await door.client.request(method_of(route), path, json=BODIES.get(route), headers=ANY)

    assert_problem(answer, 404)
    assert not any(word in answer.text for word in ("stock", "shop", "acme"))  # Nothing is told of what is there.
    assert after == before
    assert own.is_success, own.text


async def test_no_route_passes_without_a_key() -> None:
    async with a_door() as door:
        del door.client.headers["x-api-key"]
        answers = {
            route: await door.client.request(
                method_of(route), re.sub(r"\{\w+\}", "any", route.split()[1]), json=BODIES.get(route), headers=ANY
            )
            for route in sorted(set(ROUTES) - WITHOUT_KEY)
        }

    assert [route for route, answer in answers.items() if answer.status_code != 401] == []
    for answer in answers.values():
        assert_problem(answer, 401)
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("route", sorted(FOR_OPERATORS))
async def test_operators_need_no_key(route: str) -> None:
    async with a_door() as door:
        del door.client.headers["x-api-key"]

        answer = await door.client.request(*route.replace("{code}", "conflict").split())

    assert answer.status_code == 200


@pytest.mark.parametrize("route", [route for route in WITH_ID if "{jobId}" in route and "{id}" in route])
async def test_an_endpoint_is_found_only_under_its_own_job(route: str) -> None:
    async with a_door() as door:
        endpoint, other = await door.endpoint(), await door.job(name="other")
        path = route.split()[1].replace("{jobId}", other["id"]).replace("{id}", endpoint["id"])

        answer = await door.client.request(method_of(route), path, json=BODIES.get(route), headers=ANY)

    assert_problem(answer, 404)


@pytest.mark.parametrize(
    "headers",
    [
        {"x-api-key": ""},
        {"x-api-key": "nobody-knows-it"},
        {"authorization": "Bearer"},
        {"authorization": "Bearer nobody-knows-it"},
        {"authorization": "Basic bm9ib2R5Omtub3dz"},
        {"x-api-key": "x" * 5_000},
    ],
)
async def test_a_key_that_nobody_knows_opens_nothing(headers: dict[str, str]) -> None:
    async with a_door() as door:
        del door.client.headers["x-api-key"]

        answer = await door.client.get("/api/jobs", headers=headers)

    assert_problem(answer, 401)


async def test_a_bearer_token_is_as_good_as_a_key() -> None:
    async with a_door() as door:
        key = door.client.headers.pop("x-api-key")

        answer = await door.client.get("/api/jobs", headers={"authorization": f"bearer {key}"})

    assert answer.status_code == 200
