"""Commands that run until stopped, each in a process of its own, on a free port, with a file as its store."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.cli.command import Started, environment, started
from tests.waiting import eventually

KEY = "a-key-for-tests-only"
SHORT_LEASES = {"LEASE_TTL": "2s", "RENEW_INTERVAL": "500ms", "LEASE_MARGIN": "500ms", "POLL_INTERVAL": "200ms"}


class Service:
    """A running `cronicorn up`, or another command."""

    def __init__(
        self, folder: Path, name: str, settings: dict[str, str], command: Sequence[str], descriptors: str
    ) -> None:
        self._errors = folder / f"{name}.log"
        given = {
            "DATABASE_URL": f"sqlite:{folder / 'store.db'}",
            "API_KEY": KEY,
            "PORT": "0",
            "EGRESS_ALLOW": "127.0.0.0/8",
            "LOG_FORMAT": "json",
        }
        with self._errors.open("wb") as errors:
            env = environment(**given | settings)
            # Some systems share the processors among sessions: not one share for all.
            if descriptors:
                limited = ["sh", "-c", f'ulimit -n {descriptors}; exec "$@"', "sh", sys.executable, "-m", "cronicorn"]
                self.process: Started | subprocess.Popen[bytes] = subprocess.Popen(
                    [*limited, *command], env=env, stderr=errors, start_new_session=True
                )
            else:
                self.process = started(*command, env=env, stderr=errors.fileno(), own_session=True)

    @property
    def talk(self) -> str:
        """Everything it has said so far."""
        return self._errors.read_text()

    def events(self, name: str) -> list[dict[str, Any]]:
        """What it logged under *name*."""
        entries = [json.loads(line) for line in self.talk.splitlines() if line.startswith("{") and line.endswith("}")]
        return [entry for entry in entries if entry["event"] == name]

    def client(self, key: str = KEY) -> httpx.Client:
        """A client of its API, once it listens."""
        eventually(lambda: self.events("process_started") or self.process.poll() is not None, within_s=30)
        url = self.events("process_started")[0]["url"]
        return httpx.Client(base_url=url, headers={"x-api-key": key}, timeout=30, trust_env=False)

    def ended(self) -> int:
        """The exit code, once there is one."""
        return self.process.wait(timeout=30)


@contextmanager
def service(
    folder: Path, name: str = "up", command: Sequence[str] = ("up",), *, descriptors: str = "", **settings: str
) -> Iterator[Service]:
    """A service inside the block; what is left of it afterwards is killed. It may have so many *descriptors*."""
    running = Service(folder, name, settings, command, descriptors)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait()
        if running.process.stdin is not None:
            running.process.stdin.close()


def create_endpoint(client: httpx.Client, **fields: object) -> str:
    """A job with one endpoint; its id."""
    job = client.post("/api/jobs", json={"name": "shop"})
    assert job.status_code == 201, job.text
    endpoint = client.post(f"/api/jobs/{job.json()['id']}/endpoints", json={"name": "stock", **fields})
    assert endpoint.status_code == 201, endpoint.text
    found: str = endpoint.json()["id"]
    return found


def runs_of(client: httpx.Client, endpoint_id: str) -> list[dict[str, Any]]:
    """The finished runs of an endpoint, newest first."""
    page = client.get(f"/api/endpoints/{endpoint_id}/runs").json()
    found: list[dict[str, Any]] = page["runs"]
    return [run for run in found if run["status"] != "running"]
