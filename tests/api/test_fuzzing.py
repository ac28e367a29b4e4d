"""The whole API, asked what its description allows and much that it does not: no fault, and no answer undescribed.

`cronicorn api` runs in a process of its own, on a file and on PostgreSQL, and is asked over a socket.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)

from tests.api.door import an_app
from tests.control.world import a_world
from tests.servers import databases
from tests.wiring.up_process import KEY, service

EXAMPLES = 4
DESCRIPTION: dict[str, Any] = an_app(a_world()).openapi()
SCHEMA = schemathesis.openapi.from_dict(DESCRIPTION)
CHECKS = [content_type_conformance, response_headers_conformance, response_schema_conformance]
NOT_ALLOWED, FAULT, AWAY = 405, 500, 503
NOWHERE = "http://127.0.0.1:9/stock"
NO_MODEL = {("POST", "/api/endpoints/{id}/policy/drafts")}
"""Answered 503: no model is connected."""


@dataclass(slots=True)
class Asked:
    """A running API, and what is there to be asked about."""

    client: httpx.Client
    most: int
    """So many requests of each route are sent."""
    left: int = 0
    job: str = ""
    endpoint: str = ""
    run: str = ""
    tenant: str = ""

    def plant(self) -> None:
        """Make a job with an endpoint and a run, anew."""
        self.left = self.most
        self.job = self._made("/api/jobs", {"name": "shop"})["id"]
        fields = {"name": secrets.token_hex(4), "url": NOWHERE, "dormant": True, "analysis": True}
        self.endpoint = self._made(f"/api/jobs/{self.job}/endpoints", fields)["id"]
        self.run = self._made(f"/api/endpoints/{self.endpoint}/run", None)["runId"]
        self.tenant = self.tenant or self.client.get("/api/tenants").json()["tenants"][0]["id"]

    def _made(self, path: str, body: object) -> dict[str, Any]:
        answer = self.client.post(path, json=body)
        assert answer.is_success, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def ids(self, path: str) -> dict[str, str]:
        """Ids that are there, for the parameters of *path*."""
        by_kind = {"/api/jobs/{id}": self.job, "/api/runs/{id}": self.run, "/api/tenants/{id}": self.tenant}
        found = next((known for start, known in by_kind.items() if path.startswith(start)), self.endpoint)
        return {"id": found, "jobId": self.job}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def asked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    folder = tmp_path_factory.mktemp("fuzzing")
    if request.param == "sqlite":
        with service(folder, "api", ["api"]) as running, running.client() as client:
            yield Asked(client, most=60)
        return
    with (
        databases.fresh_database() as url,
        service(folder, "api", ["api"], DATABASE_URL=url) as running,
        running.client() as client,
    ):
        yield Asked(client, most=4)  # The door is the same: only what it asks of the store differs.


@pytest.fixture
def planted(asked: Asked) -> Asked:
    asked.plant()
    return asked


@SCHEMA.parametrize()
@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
def test_no_request_meets_a_fault_or_an_answer_that_is_not_described(
    case: schemathesis.Case[Any], planted: Asked
) -> None:
    planted.left -= 1
    if planted.left < 0:
        return
    if crc32(repr((case.path_parameters, case.query, case.body)).encode()) % 4:
        case.path_parameters = {**(case.path_parameters or {}), **_known(case, planted)}
    answer = case.call(base_url=str(planted.client.base_url), headers={"x-api-key": KEY})

    if case.method != case.operation.method.upper():
        assert answer.status_code == NOT_ALLOWED
        return
    described = case.operation.definition.raw["responses"]
    route = (case.method, case.operation.path)
    assert answer.status_code < FAULT or (route in NO_MODEL and answer.status_code == AWAY), answer.text
    assert str(answer.status_code) in described, (answer.status_code, answer.text)
    case.validate_response(answer, checks=CHECKS)


def _known(case: schemathesis.Case[Any], planted: Asked) -> dict[str, str]:
    wanted = case.path_parameters or {}
    return {name: known for name, known in planted.ids(case.operation.path).items() if name in wanted}
