"""One journey over real sockets, on a file and on PostgreSQL: what runs is told by slots, runs and workers."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from cronicorn.domain.outgoing import VERSION
from tests.servers import databases
from tests.waiting import eventually
from tests.wiring.target import target
from tests.wiring.up_process import create_endpoint, service


def read(client: httpx.Client, path: str) -> dict[str, Any]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_what_runs_is_told_by_slots_runs_and_workers(tmp_path: Path, backend: str) -> None:
    with databases.fresh_database() as url:
        settings = {"DATABASE_URL": url} if backend == "postgresql" else {}
        with target() as shop, service(tmp_path, **settings) as up, up.client() as client:
            endpoint_id = create_endpoint(client, url=shop.url, baselineIntervalMs=1_000)
            path = f"/api/endpoints/{endpoint_id}"
            eventually(lambda: len([1 for slot in _slots(client, path) if slot["state"] == "ran"]) >= 3, within_s=30)
            page = read(client, f"{path}/slots?limit=2")
            older = read(client, f"{path}/slots?limit=2&cursor={page['nextCursor']}")
            run = [slot for slot in older["slots"] if slot["state"] == "ran"][-1]["attempts"][0]["runId"]
            told = read(client, f"/api/runs/{run}/explain")
            (worker,) = read(client, "/api/workers")["workers"]
            (tenant,) = read(client, "/api/tenants")["tenants"]
            egress = client.put(f"/api/tenants/{tenant['id']}/egress", json={"allow": ["10.0.0.0/8"]})
            tag = client.get(f"/api/jobs/{told_job(client, endpoint_id)}/endpoints/{endpoint_id}").headers["etag"]
            paused = client.post(
                f"{path}/pause", json={"pausedUntil": "2099-01-01T00:00:00Z"}, headers={"If-Match": tag}
            )
            late = client.request("DELETE", f"{path}/hints", headers={"If-Match": tag})

    assert (told["status"], told["source"]) == ("success", "baseline-interval")
    assert told["following"]["dueAt"] > told["dueAt"]
    assert (worker["alive"], worker["version"]) == (True, VERSION)
    assert worker["name"] == up.events("scheduler_started")[0]["worker"]
    assert egress.json()["allow"] == ["10.0.0.0/8"]
    assert (paused.status_code, late.status_code) == (204, 412)


def told_job(client: httpx.Client, endpoint_id: str) -> str:
    job_id: str = read(client, f"/api/endpoints/{endpoint_id}")["jobId"]
    return job_id


def _slots(client: httpx.Client, path: str) -> list[dict[str, Any]]:
    slots: list[dict[str, Any]] = read(client, f"{path}/slots")["slots"]
    return slots
