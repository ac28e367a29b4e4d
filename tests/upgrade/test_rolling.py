"""An upgrade while everything goes on: the version before this one and this one, side by side on one PostgreSQL."""

import asyncio
import signal
from collections.abc import Mapping
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path

import asyncpg
import httpx
import pytest

from cronicorn.adapters.postgres.schema import REVISION
from tests.cli.command import cronicorn, environment
from tests.servers.databases import fresh_database
from tests.upgrade.earlier import HERE, Running, needs_history, running, unpacked
from tests.waiting import eventually
from tests.wiring.target import target

FLEET = 12
SHORT = {"LEASE_TTL": "2s", "RENEW_INTERVAL": "500ms", "LEASE_MARGIN": "500ms", "POLL_INTERVAL": "100ms"}
EVERY = {"baselineIntervalMs": 1_000, "minIntervalMs": 1_000}
TIMEOUT_MS = 9_000


def revision_of(url: str) -> str:
    async def read() -> str:
        connection = await asyncpg.connect(url)
        try:
            return str(await connection.fetchval("SELECT version_num FROM cronicorn.alembic_version"))
        finally:
            await connection.close()

    return asyncio.run(read())


def settled(client: httpx.Client) -> float:
    """How many runs the process has recorded."""
    lines = client.get("/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("cronicorn_runs_total{"))


def registered(client: httpx.Client, url: str) -> list[str]:
    """Endpoints that are called again and again; their paths over REST."""
    job = client.post("/api/jobs", json={"name": "shop"}).json()["id"]
    at = f"/api/jobs/{job}/endpoints"
    made = [client.post(at, json={"name": f"ep{n}", "url": f"{url}/{n}", **EVERY}) for n in range(FLEET)]
    return [f"{at}/{each.json()['id']}" for each in made]


def id_of(path: str) -> str:
    return path.rpartition("/")[2]


class Rollout:
    """Processes of both versions on one database, in the order in which they come."""

    def __init__(self, folder: Path, url: str, stack: ExitStack) -> None:
        self.url = url
        self.begun: dict[str, Running] = {}
        self._folder = folder
        self._stack = stack
        self._sources = {"old": unpacked(folder / "earlier"), "new": HERE}

    def begin(self, version: str, *words: str) -> Running:
        """Start a process of a *version*."""
        name = f"{version} {' '.join(words)} {len(self.begun)}"
        settings = {"DATABASE_URL": self.url, **SHORT}
        process = running(self._folder / f"{name}.log", self._sources[version], *words, **settings)
        self.begun[name] = self._stack.enter_context(process)
        return self.begun[name]

    def asks(self, process: Running) -> httpx.Client:
        """Whoever asks *process*, once it listens."""
        return self._stack.enter_context(process.client())

    def asked(self, version: str, *words: str) -> httpx.Client:
        """Whoever asks a new process of a *version*."""
        return self.asks(self.begin(version, *words))

    def stop(self) -> Mapping[str, int]:
        """The exit codes of all that are left, once they have drained."""
        left = {name: each.process for name, each in self.begun.items() if each.process.poll() is None}
        for process in left.values():
            process.send_signal(signal.SIGTERM)
        return {name: process.wait(timeout=60) for name, process in left.items()}


@pytest.fixture
def shop():
    with target() as server:
        yield server


@pytest.fixture
def rollout(tmp_path):
    with fresh_database(migrated=False) as url, ExitStack() as stack:
        yield Rollout(tmp_path, url, stack)


@needs_history
def test_versions_run_side_by_side_take_over_from_each_other_and_may_be_taken_back(rollout, shop):
    old_api, old_worker = rollout.asked("old", "api"), rollout.begin("old", "scheduler")
    watch_old = rollout.asks(old_worker)
    before, paths = revision_of(rollout.url), registered(old_api, shop.url)
    eventually(lambda: settled(watch_old) > FLEET, within_s=60)

    watch_new, new_api = rollout.asked("new", "scheduler"), rollout.asked("new", "api")
    after, already = revision_of(rollout.url), settled(watch_old)
    eventually(lambda: settled(watch_old) > already + FLEET and settled(watch_new) > FLEET, within_s=60)
    turns = list(zip(paths, cycle([(old_api, new_api), (new_api, old_api)]), strict=False))
    edited = [writes.patch(path, json={"timeoutMs": TIMEOUT_MS}).status_code for path, (writes, _) in turns]
    read = [reads.get(path).json()["timeoutMs"] for path, (_, reads) in turns]
    asked = [writes.post(f"/api/endpoints/{id_of(path)}/run").status_code for path, (writes, _) in turns]

    old_worker.process.kill()
    old_worker.process.wait()
    called = len(shop.keys)
    eventually(lambda: {key.partition(":")[0] for key in shop.keys[called:]} >= {*map(id_of, paths)}, within_s=60)
    refused = rollout.begin("old", "scheduler")
    eventually(lambda: refused.process.poll() is not None, within_s=60)
    codes, env = rollout.stop(), environment(DATABASE_URL=rollout.url)
    verified, back = cronicorn("verify", env=env), cronicorn("migrate", "--to", before, env=env)
    again = rollout.asked("old", "scheduler")
    eventually(lambda: settled(again) > FLEET, within_s=60)

    assert before < after == REVISION
    assert (set(edited), set(read)) == ({200}, {TIMEOUT_MS})
    assert {code // 100 for code in asked} == {2}
    assert refused.process.returncode == 7
    assert "newer version of Cronicorn" in refused.talk
    assert set(codes.values()) == {0}
    assert (verified.code, back.code) == (0, 0), verified.out + back.err
    for name, process in rollout.begun.items():
        assert [each for each in process.entries if each["level"] == "error" or "traceback" in each] == [], name
