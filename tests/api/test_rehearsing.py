"""`validate_only`: everything is checked as for real, what would come is answered, and nothing stays of it."""

from typing import Any

import pytest

from cronicorn.api.rehearsing import REACHES_OUT
from cronicorn.domain.execution.limits import ExecutionLimits, TierLimits
from tests.api.door import Door, a_door, an_app, assert_problem
from tests.api.test_isolation import ANY, BODIES, FOR_WHO_RUNS_IT, ROUTES, WITHOUT_KEY, method_of, path_of
from tests.control.world import a_world

ONLY = {"validate_only": "true"}
CHANGING = [route for route in ROUTES if not route.startswith("GET") and route not in WITHOUT_KEY]
OF_THE_INSTALLATION = {"POST /api/tenants"} | FOR_WHO_RUNS_IT
"""What the keys of these tests may not do."""
REFUSED_ANYWAY = {"POST /api/signing-keys/rotate", "POST /api/signing-keys/end-overlap", "DELETE /api/signing-keys"}
"""There is no signing key: they are refused for real, too."""


def everything(door: Door) -> dict[str, str]:
    """All that is stored behind *door*."""
    stores = door.world.stores
    kept = {name: vars(getattr(stores, name)) for name in type(stores).__dataclass_fields__ if name != "database"}
    alerts = stores.incidents._alerts
    kept |= {"rows": vars(stores.database), "alerts": {name: getattr(alerts, name) for name in alerts.__slots__}}
    left_out = {"lock", "clock", "numbers", "agenda", "database", "_database"}
    return {
        f"{name}.{part}": repr(value)
        for name, parts in kept.items()
        for part, value in parts.items()
        if part not in left_out and " object at " not in repr(value)
    }


async def tried(door: Door, route: str, path: str, **headers: str) -> Any:
    return await door.client.request(method_of(route), path, params=ONLY, json=BODIES.get(route), headers=ANY | headers)


async def test_nothing_stays_of_what_is_only_checked() -> None:
    odd: dict[str, object] = {}
    before: dict[str, str] = {}
    async with a_door() as door:
        for route in CHANGING:
            for member in (await door.read("/api/members"))["members"]:
                await door.client.delete(f"/api/members/{member['id']}")
            path = await path_of(door, route)
            before = everything(door)

            answer = await tried(door, route, path, **{"Idempotency-Key": "the-same-for-all"})

            if everything(door) != before:
                odd[route] = "something stayed"
            elif REACHES_OUT.fullmatch(path) is not None:
                assert "tried out" in assert_problem(answer, 400)["detail"]
            elif route in OF_THE_INSTALLATION | REFUSED_ANYWAY:
                assert answer.status_code in {400, 403, 404, 409}
            elif answer.status_code not in {200, 204}:
                odd[route] = (answer.status_code, answer.text)

    assert odd == {}
    assert {"rows.rows", "rows.jobs", "rows.audit_log", "rows.keychains", "rows.members", "alerts.incidents"} <= {
        *before
    }
    assert before["keyed_requests._kept"] == "{}"


async def test_the_answer_is_what_would_come() -> None:
    async with a_door() as door:
        job = await door.job()
        path = f"/api/jobs/{job['id']}/endpoints"
        body = {"name": "stock", "url": "https://shop.example", "baselineCron": "* * * * *", "minIntervalMs": 120_000}
        checked = await door.client.post(path, params=ONLY, json=body)
        done = await door.client.post(path, json=body)
        again = await door.client.post(path, params=ONLY, json=body)
        edited = await door.client.patch(f"{path}/{done.json()['id']}", params=ONLY, json={"name": "shop"})
        now = await door.read(f"{path}/{done.json()['id']}")

    assert (checked.status_code, done.status_code, edited.status_code) == (200, 201, 200)
    assert "etag" not in checked.headers
    assert "etag" not in edited.headers
    assert checked.json() | {"id": ""} == done.json() | {"id": ""}
    assert len(again.json()["warnings"]) == len(done.json()["warnings"]) + 1  # There is one of that name by then.
    assert (edited.json()["name"], now["name"]) == ("shop", "stock")
    assert edited.json()["version"] == now["version"] + 1


async def test_what_would_be_refused_is_refused_alike() -> None:
    async with a_door(TierLimits(other=ExecutionLimits(endpoints=1))) as door:
        endpoint = await door.endpoint()
        path = f"/api/jobs/{endpoint['jobId']}/endpoints"
        asked: list[tuple[str, str, Any, dict[str, str]]] = [
            ("POST", "/api/jobs", {"name": ""}, {}),
            ("POST", path, {"name": "second", "url": "https://x.example", "dormant": True}, {}),
            ("POST", path, {"name": "n", "url": "nowhere", "baselineCron": "soon"}, {}),
            ("PATCH", f"{path}/{endpoint['id']}", {"name": "n"}, {"If-Match": '"another"'}),
            ("PUT", f"/api/endpoints/{endpoint['id']}/policy", {"policy": {}}, {}),
            ("DELETE", "/api/keys/nothing", None, {}),
        ]
        pairs = [
            [
                await door.client.request(method, where, params=params, json=body, headers=headers)
                for params in (ONLY, {})
            ]
            for method, where, body, headers in asked
        ]

    for checked, done in pairs:
        assert_problem(checked, done.status_code)
        assert checked.json() | {"requestId": ""} == done.json() | {"requestId": ""}
    assert {done.status_code for _, done in pairs} == {400, 404, 409, 412, 428}


async def test_a_key_is_not_used_up() -> None:
    async with a_door() as door:
        once = {"Idempotency-Key": "once"}
        checked = await door.client.post("/api/jobs", params=ONLY, json={"name": "a"}, headers=once)
        done = await door.client.post("/api/jobs", json={"name": "b"}, headers=once)
        again = await door.client.post("/api/jobs", params=ONLY, json={"name": "c"}, headers=once)

    assert (checked.status_code, done.status_code, again.status_code) == (200, 201, 200)
    assert again.json()["name"] == "c"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("validate_only=true", 200), ("validateOnly=true", 200), ("validate_only=false", 201),
        ("validate_only=true&validateOnly=true", 200), ("validate_only=true&validate_only=false", 400),
        ("validate_only=", 400), ("validate_only=1", 400), ("validate_only=TRUE", 400), ("validate_only=%ff", 400),
    ],
)  # fmt: skip
async def test_it_is_said_clearly(query: str, status: int) -> None:
    async with a_door() as door:
        answer = await door.client.post(f"/api/jobs?{query}", json={"name": "a"})
        jobs = (await door.read("/api/jobs"))["jobs"]

    assert answer.status_code == status, answer.text
    assert len(jobs) == (status == 201)


async def test_whoever_is_not_let_in_checks_nothing() -> None:
    async with a_door() as door:
        del door.client.headers["x-api-key"]

        assert_problem(await door.client.post("/api/jobs", params=ONLY, json={"name": "a"}), 401)


def test_the_description_tells_where_it_may_be_asked() -> None:
    paths = an_app(a_world()).openapi()["paths"]

    told = {
        f"{method.upper()} {path}"
        for path, methods in paths.items()
        for method, route in methods.items()
        if any(each["name"] == "validate_only" for each in route.get("parameters", ()))
    }
    assert told == {route for route in CHANGING if REACHES_OUT.fullmatch(route.split()[1].replace("{id}", "x")) is None}
    assert all("200" in paths["/api/jobs"]["post"]["responses"] for _ in told)
