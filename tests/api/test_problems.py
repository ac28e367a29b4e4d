"""How failures are told, and what every answer carries."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from cronicorn.api.app import create_app
from cronicorn.api.problems import problem_of
from cronicorn.control.statuses import STATUSES
from cronicorn.domain import errors
from cronicorn.domain.errors import CronicornError, QuotaExceededError, UnavailableError
from cronicorn.domain.ports import StoreHealth
from tests.api.door import a_client, a_door, assert_problem, no_metrics
from tests.control.world import a_world


class Unreachable(StoreHealth):
    """A store that is not there."""

    async def ping(self) -> None:
        raise UnavailableError("The store does not answer.")

    async def overdue(self, by: timedelta) -> int:
        raise UnavailableError("The store does not answer.")


def leaves() -> list[type[CronicornError]]:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, CronicornError)]
    return [kind for kind in kinds if kind is not CronicornError]


@pytest.mark.parametrize("kind", leaves())
def test_every_error_has_a_status(kind: type[CronicornError]) -> None:
    assert any(issubclass(kind, known) for known in STATUSES)


async def test_a_store_that_does_not_answer_is_told_with_when_to_try_again() -> None:
    world = a_world()
    app = create_app(world.control, rehearsing=world.rehearsing, health=Unreachable(), metrics=no_metrics)
    async with a_client(httpx.ASGITransport(app=app), "") as client:
        answer = await client.get("/readyz")

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.json()["type"] == "/problems/unavailable"


@pytest.mark.parametrize(("wait", "told"), [(timedelta(seconds=61.2), "62"), (timedelta(0), "1"), (None, None)])
def test_a_budget_that_is_spent_is_told_with_when_to_ask_again_if_that_helps(
    wait: timedelta | None, told: str | None
) -> None:
    answer = problem_of({"path": "/api"}, QuotaExceededError("No more.", retry_after=wait))

    assert answer.status_code == 429
    assert answer.headers.get("retry-after") == told


async def test_a_bug_is_told_without_internals_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def broken() -> bytes:
        raise RuntimeError("secret internals")

    world = a_world()
    app = create_app(world.control, rehearsing=world.rehearsing, health=world.stores.health, metrics=broken)
    async with a_client(httpx.ASGITransport(app=app), "") as client:
        answer = await client.get("/metrics")

    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret internals" not in answer.text
    (record,) = [record for record in caplog.records if record.message == "request_crashed"]
    assert vars(record)["request"] == answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("PUT", "/api/jobs", 405), ("DELETE", "/healthz", 405), ("GET", "/nowhere", 404), ("GET", "/api/nowhere", 404)],
)
async def test_what_is_not_there_is_told_like_everything_else(method: str, path: str, status: int) -> None:
    async with a_door() as door:
        answer = await door.client.request(method, path)

    assert_problem(answer, status)
    assert ("allow" in answer.headers) == (status == 405)


async def test_a_slash_too_many_sends_nobody_to_a_host_that_the_asker_named() -> None:
    async with a_door() as door:
        answers = [
            await door.client.get(path, headers={"host": "evil.example"}) for path in ("/api/jobs/", "/healthz/")
        ]

    for answer in answers:
        assert assert_problem(answer, 404)["detail"].endswith("Leave the slash at its end out.")
        assert "evil.example" not in answer.text + str(answer.headers)


async def test_a_finding_points_to_its_field() -> None:
    async with a_door() as door:
        answer = await door.client.post("/api/preview", json={"endpoint": {"retries": {"retryCount": 9}}, "cuont": 1})
        shape = assert_problem(answer, 400)
        answer = await door.client.post("/api/preview", json={"endpoint": {"retries": {"retryCount": 9}}})
        meaning = assert_problem(answer, 400)

    assert shape["errors"] == [{"pointer": "/cuont", "detail": "Unknown field. Did you mean count?"}]
    assert {error["pointer"] for error in meaning["errors"]} == {"/endpoint/retries/retryCount", "/endpoint"}


async def test_every_answer_has_an_id_of_its_own_and_its_guards() -> None:
    async with a_door() as door:
        answers = [
            await door.client.get("/api/jobs"),
            await door.client.get("/nowhere"),
            await door.client.get("/api/jobs", headers={"x-api-key": "nobody-knows-it"}),
            await door.client.post("/api/jobs", content=b"x", headers={"content-type": "text/plain"}),
        ]

    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_no_other_origin_is_let_in() -> None:
    async with a_door() as door:
        answer = await door.client.options(
            "/api/jobs", headers={"origin": "https://evil.example", "access-control-request-method": "POST"}
        )

    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_the_description_is_of_version_3_1_and_complete() -> None:
    async with a_door() as door:
        description = (await door.client.get("/openapi.json")).json()

    assert description["openapi"].startswith("3.1")
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            assert "HTTPValidationError" not in str(operation["responses"]), (method, path)
            if path.startswith("/api/") and path != "/api/sign-in":
                assert operation["security"] == [{"APIKeyHeader": []}, {"HTTPBearer": []}, {"APIKeyCookie": []}]
    assert not [reference for reference in references(description) if not resolves(description, reference)]


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [found for part in value.values() for found in references(part)]
    return [found for part in value for found in references(part)] if isinstance(value, list) else []


def resolves(description: dict[str, Any], reference: str) -> bool:
    value: Any = description
    for part in reference.removeprefix("#/").split("/"):
        value = value.get(part, {})
    return bool(value)


async def test_metrics_are_passed_on_as_they_are() -> None:
    async with a_door() as door:
        answer = await door.client.get("/metrics")

    assert answer.content == await no_metrics()
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")


async def test_instants_have_milliseconds_and_a_z() -> None:
    async with a_door() as door:
        door.world.clock.move(microseconds=1_999)
        endpoint = await door.endpoint()

    assert endpoint["createdAt"] == "2026-01-01T00:00:00.001Z"
    assert endpoint["anchorAt"] == "2026-01-01T00:00:00.001Z"
    assert json.dumps(endpoint)
