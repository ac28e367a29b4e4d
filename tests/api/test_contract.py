"""Clients of the wire contract work here: every route of it is there, and answers what it promises."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
import pytest

from cronicorn.domain.fixtures import an_outcome
from tests.api.contract import CONTRACT, faults
from tests.api.door import Door, a_door, a_listening_door
from tests.api.test_analyses import SESSION, analysed

ENDPOINT = {
    "name": "stock", "description": "Reads the stock", "baselineIntervalMs": 60_000, "minIntervalMs": 1_000,
    "maxIntervalMs": 600_000, "url": "https://shop.example/stock", "method": "POST", "headersJson": {"X-Region": "eu"},
    "bodyJson": {"deep": [None, 1.5, "x"]}, "timeoutMs": 5_000, "maxExecutionTimeMs": 60_000, "maxResponseSizeKb": 10,
}  # fmt: skip


async def visited(door: Door) -> dict[str, httpx.Response]:
    """The answers of a walk over every route of the contract, each with a request that the contract allows."""
    seen: dict[str, httpx.Response] = {}

    async def ask(route: str, body: object = None, **ids: str) -> dict[str, Any]:
        method, path = route.split()
        for name, value in ids.items():
            path = path.replace(f"{{{name}}}", value)
        seen[route] = await door.client.request(method, path, json=body)
        found: dict[str, Any] = seen[route].json() if seen[route].content else {}
        return found

    job = (await ask("POST /api/jobs", {"name": "shop", "description": "d"}))["id"]
    await ask("GET /api/jobs")
    await ask("GET /api/jobs/{id}", id=job)
    await ask("PATCH /api/jobs/{id}", {"name": "other"}, id=job)
    await ask("POST /api/jobs/{id}/pause", id=job)
    await ask("POST /api/jobs/{id}/resume", id=job)
    endpoint = (await ask("POST /api/jobs/{jobId}/endpoints", ENDPOINT, jobId=job))["id"]
    await ask("POST /api/endpoints/{id}/hints/interval", {"intervalMs": 5_000, "reason": "sale"}, id=endpoint)
    await ask("POST /api/endpoints/{id}/hints/oneshot", {"nextRunInMs": 5_000, "ttlMinutes": 5}, id=endpoint)
    await ask("GET /api/jobs/{jobId}/endpoints/{id}", jobId=job, id=endpoint)
    await ask("GET /api/jobs/{jobId}/endpoints", jobId=job)
    await ask("DELETE /api/endpoints/{id}/hints", id=endpoint)
    await ask("POST /api/endpoints/{id}/pause", {"pausedUntil": "2099-01-01T00:00:00.000Z", "reason": "x"}, id=endpoint)
    await ask("PATCH /api/jobs/{jobId}/endpoints/{id}", {"baselineCron": "*/5 * * * *"}, jobId=job, id=endpoint)
    await door.client.post(f"/api/endpoints/{endpoint}/pause", json={"pausedUntil": None})
    await ask("POST /api/endpoints/{id}/test", id=endpoint)
    door.world.clock.move(minutes=5)
    run = await door.world.run_due(an_outcome(503, body='{"error":null}', body_is_json=True))
    await ask("POST /api/endpoints/{id}/reset-failures", id=endpoint)
    await ask("GET /api/endpoints/{id}/runs", id=endpoint)
    await ask("GET /api/runs/{id}", id=run.id)
    await ask("GET /api/endpoints/{id}/health", id=endpoint)
    await door.client.patch(f"/api/jobs/{job}/endpoints/{endpoint}", json={"analysis": True})
    await analysed(door, {"id": endpoint})
    await ask("GET /api/endpoints/{id}/sessions", id=endpoint)
    await ask("GET /api/sessions/{id}", id=SESSION)
    await ask("GET /api/dashboard/stats")
    await ask("GET /api/dashboard/activity")
    await ask("POST /api/jobs/{jobId}/endpoints/{id}/archive", jobId=job, id=endpoint)
    await ask("DELETE /api/jobs/{jobId}/endpoints/{id}", jobId=job, id=endpoint)
    await ask("DELETE /api/jobs/{id}", id=job)
    await ask("GET /api/signing-keys")
    await ask("POST /api/signing-keys")
    await ask("POST /api/signing-keys/rotate")
    return seen


@pytest.mark.parametrize("open_door", [a_door, a_listening_door])
async def test_every_route_of_the_contract_answers_as_it_promises(
    open_door: Callable[[], AbstractAsyncContextManager[Door]],
) -> None:
    async with open_door() as door:
        seen = await visited(door)

    assert set(seen) == set(CONTRACT)
    for route, answer in seen.items():
        assert answer.is_success, f"{route}: {answer.text}"
        body = answer.json() if answer.content else {}
        assert faults(route, answer.status_code, body) == []


@pytest.mark.parametrize("route", CONTRACT)
async def test_refusals_are_those_of_the_contract(route: str) -> None:
    method, path = route.split()
    path = path.replace("{id}", "missing").replace("{jobId}", "missing")
    async with a_door() as door:
        body = {"name": "n", "url": "https://x.example", "baselineIntervalMs": 1_000}
        unauthenticated = await door.client.request(method, path, json=body, headers={"x-api-key": "nobody-knows-it"})
        missing = await door.client.request(method, path, json=body if method == "POST" else None)
        malformed = await door.client.request(method, path, content=b"{", headers={"content-type": "application/json"})

    invalid_here = "400" not in CONTRACT[route]["responses"]
    for answer in (unauthenticated, missing, malformed):
        if answer.status_code == 400 and invalid_here:
            assert answer is not unauthenticated  # Where the contract knows of no input, any is refused.
        elif not answer.is_success:
            assert faults(route, answer.status_code, answer.json()) == []
    assert unauthenticated.status_code == 401


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 200),
        ("?status=success&limit=1&offset=0", 200),
        ("?limit=1000&endpointId=x", 200),
        ("?offset=", 200),
        ("?limit=0", 400),
        ("?limit=1001", 400),
        ("?limit=x", 400),
        ("?limit=1e3", 400),
        ("?offset=-1", 400),
        ("?offset=99999999999999999999", 400),
        ("?status=lost", 400),
    ],
)
async def test_the_query_of_runs_has_the_bounds_of_the_contract(query: str, status: int) -> None:
    async with a_door() as door:
        endpoint = await door.endpoint()

        answer = await door.client.get(f"/api/endpoints/{endpoint['id']}/runs{query}")

    assert answer.status_code == status, answer.text


async def test_a_dormant_endpoint_answers_the_end_of_the_calendar() -> None:
    async with a_door() as door:
        endpoint = await door.endpoint(dormant=True)

    assert endpoint["nextRunAt"] == "9999-12-31T23:59:59.999Z"
    assert endpoint["plan"] == {"nextRunAt": None, "nominalAt": None, "source": "dormant"}


async def test_live_hints_fill_the_fields_of_the_contract() -> None:
    async with a_door() as door:
        endpoint = await door.endpoint()
        path = f"/api/endpoints/{endpoint['id']}"
        await door.client.post(f"{path}/hints/oneshot", json={"nextRunInMs": 30_000, "ttlMinutes": 5})
        await door.client.post(f"{path}/hints/interval", json={"intervalMs": 5_000, "reason": "sale"})

        live = await door.read(path)
        door.world.clock.move(hours=2)
        lapsed = await door.read(path)

    assert (live["aiHintIntervalMs"], live["aiHintNextRunAt"]) == (5_000, "2026-01-01T00:00:30.000Z")
    assert (live["aiHintExpiresAt"], live["aiHintReason"]) == ("2026-01-01T01:00:00.000Z", "sale")
    assert [name for name in lapsed if name.startswith("aiHint")] == []


async def test_the_status_filter_of_jobs_tells_them_apart() -> None:
    async with a_door() as door:
        active, paused, archived = [await door.job(name=name) for name in ("a", "b", "c")]
        await door.client.post(f"/api/jobs/{paused['id']}/pause")
        await door.client.delete(f"/api/jobs/{archived['id']}")

        listed = {
            status: [job["id"] for job in (await door.read(f"/api/jobs{status}"))["jobs"]]
            for status in ("", "?status=active", "?status=paused", "?status=archived")
        }

    assert listed == {
        "": [active["id"], paused["id"]], "?status=active": [active["id"]], "?status=paused": [paused["id"]],
        "?status=archived": [archived["id"]],
    }  # fmt: skip
