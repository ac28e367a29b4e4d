"""Many processes on one database: `cronicorn scheduler`, `cronicorn api`, and parents of several schedulers."""

import asyncio
import os
import signal
from contextlib import ExitStack

import httpx
import pytest

from cronicorn.wiring.settings import Settings
from cronicorn.wiring.stores import open_chosen
from cronicorn.wiring.timekeeping import system_clock
from tests.cli.command import cronicorn, environment
from tests.waiting import eventually
from tests.wiring.target import target
from tests.wiring.up_process import SHORT_LEASES, create_endpoint, runs_of, service

API = ("api",)
SCHEDULER = ("scheduler",)
TWO = ("scheduler", "--processes", "2")


@pytest.fixture
def shop():
    with target() as running:
        yield running


@pytest.fixture
def fleet(tmp_path):
    """Starts processes on one database; what is left of them goes with the test."""
    with ExitStack() as stack:

        def start(command, name=None, **settings):
            name = name or command[0]
            return stack.enter_context(service(tmp_path, name, command, **SHORT_LEASES | settings))

        yield start


def ready(*schedulers):
    eventually(lambda: all(each.events("scheduler_started") for each in schedulers), within_s=30)


def leases_left(tmp_path, *endpoint_ids):
    """The live leases, as any other process would see them."""

    async def held():
        settings = Settings.from_env({"CRONICORN_DATABASE_URL": f"sqlite:{tmp_path / 'store.db'}"})
        stores = await open_chosen(settings, system_clock())
        try:
            [tenant] = await stores.keys.tenants()
            return [await stores.run_control.held(tenant.id, each) for each in endpoint_ids]
        finally:
            await stores.aclose()

    return [lease for lease in asyncio.run(held()) if lease is not None]


def test_schedulers_share_the_work_take_over_from_the_dead_and_leave_no_lease(tmp_path, shop, fleet):
    first = fleet(SCHEDULER, "first")
    with fleet(API).client() as client:
        held = create_endpoint(client, url=f"{shop.url}/held", baselineIntervalMs=1_000)
        eventually(lambda: shop.keys)
        others = [fleet(SCHEDULER, f"other{number}") for number in range(2)]
        ready(*others)
        quick = create_endpoint(client, url=shop.url, baselineIntervalMs=1_000)
        eventually(lambda: len(runs_of(client, quick)) >= 2)
        first.process.kill()
        shop.release.set()
        eventually(lambda: len(runs_of(client, held)) >= 2, within_s=15)

        for each in others:
            each.process.send_signal(signal.SIGTERM)

        assert [each.ended() for each in others] == [0, 0]
        runs = runs_of(client, held) + runs_of(client, quick)
    assert len({run["runId"] for run in runs}) == len(runs)
    assert {run["status"] for run in runs} == {"success"}
    assert shop.keys.count(f"{held}:1") == 2
    assert leases_left(tmp_path, held, quick) == []


def test_an_api_comes_and_goes_while_schedulers_work(shop, fleet):
    worker = fleet(SCHEDULER)
    before = fleet(API, "before")
    with before.client() as client:
        endpoint_id = create_endpoint(client, url=shop.url, baselineIntervalMs=1_000)
        eventually(lambda: shop.keys)
    before.process.send_signal(signal.SIGTERM)
    assert before.ended() == 0
    called = len(shop.keys)

    eventually(lambda: len(shop.keys) >= called + 2)

    with fleet(API, "after").client() as client:
        assert len(runs_of(client, endpoint_id)) >= called + 1
    assert before.events("scheduler_started") == []
    assert worker.process.poll() is None


def test_a_scheduler_needs_no_tenant_and_an_api_shows_the_first_key(fleet):
    worker = fleet(SCHEDULER, API_KEY="")
    ready(worker)
    door = fleet(API, API_KEY="")
    door.client().close()

    assert "ck_" in door.talk
    assert "ck_" not in worker.talk


def test_a_run_asked_for_at_the_api_is_made_by_a_scheduler(shop, fleet):
    fleet(SCHEDULER)
    with fleet(API).client() as client:
        endpoint_id = create_endpoint(client, url=shop.url, dormant=True)

        asked = client.post(f"/api/endpoints/{endpoint_id}/run")

        assert asked.status_code == 202, asked.text
        eventually(lambda: runs_of(client, endpoint_id))


def watched(worker, path):
    url = worker.events("process_started")[0]["url"]
    return httpx.get(f"{url}{path}", trust_env=False)


def test_a_scheduler_can_be_watched_and_asked_nothing_else(fleet):
    worker = fleet(SCHEDULER, METRICS_PORT="0")
    ready(worker)

    answers = {
        path: watched(worker, path) for path in ("/healthz", "/readyz", "/metrics", "/api/jobs", "/openapi.json")
    }

    assert {path: answer.status_code for path, answer in answers.items()} == {
        "/healthz": 200, "/readyz": 200, "/metrics": 200, "/api/jobs": 404, "/openapi.json": 404,
    }  # fmt: skip
    assert 'cronicorn_claims_empty_total{mechanism="lease"}' in answers["/metrics"].text


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def pids(parent):
    return [event["pid"] for event in parent.events("worker_process_started")]


def test_a_parent_replaces_a_process_that_dies_and_says_so(shop, fleet):
    parent = fleet(TWO)
    with fleet(API).client() as client:
        eventually(lambda: len(parent.events("scheduler_started")) == 2, within_s=30)
        killed = pids(parent)[0]

        os.kill(killed, signal.SIGKILL)

        eventually(lambda: len(parent.events("scheduler_started")) == 3, within_s=30)
        [died] = parent.events("worker_process_died")
        assert (died["worker_process"], died["exit_code"], died["level"]) == (1, -signal.SIGKILL, "error")
        endpoint_id = create_endpoint(client, url=shop.url, baselineIntervalMs=1_000)
        eventually(lambda: runs_of(client, endpoint_id))


def test_a_parent_that_is_killed_takes_its_processes_along(fleet):
    parent = fleet(TWO)
    eventually(lambda: len(parent.events("scheduler_started")) == 2, within_s=30)

    parent.process.kill()

    eventually(lambda: len(parent.events("process_stopped")) == 2, within_s=30)
    eventually(lambda: not any(alive(pid) for pid in pids(parent)))


def test_a_parent_that_is_asked_to_stop_drains_all_its_processes(tmp_path, shop, fleet):
    parent = fleet(TWO)
    with fleet(API).client() as client:
        endpoint_id = create_endpoint(client, url=f"{shop.url}/held", baselineIntervalMs=1_000)
        eventually(lambda: shop.keys)

        parent.process.send_signal(signal.SIGTERM)
        eventually(lambda: parent.events("scheduler_draining"))
        shop.release.set()

        assert parent.ended() == 0
        assert [run["status"] for run in runs_of(client, endpoint_id)] == ["success"]
    assert parent.events("worker_process_died") == []
    assert not any(alive(pid) for pid in pids(parent))
    assert leases_left(tmp_path, endpoint_id) == []


def test_a_second_signal_stops_all_processes_at_once_and_gives_the_slot_back(tmp_path, shop, fleet):
    parent = fleet(TWO)
    with fleet(API).client() as client:
        endpoint_id = create_endpoint(client, url=f"{shop.url}/held", baselineIntervalMs=1_000)
        eventually(lambda: shop.keys)
        parent.process.send_signal(signal.SIGTERM)
        eventually(lambda: parent.events("scheduler_draining"))

        parent.process.send_signal(signal.SIGTERM)

        assert parent.ended() == 128 + signal.SIGTERM
        assert runs_of(client, endpoint_id) == []
    assert parent.events("runs_abandoned")
    assert leases_left(tmp_path, endpoint_id) == []


def test_a_signal_to_the_whole_group_is_one_signal(shop, fleet):
    """As supervisors send it: to the parent and to each process."""
    parent = fleet(TWO)
    with fleet(API).client() as client:
        create_endpoint(client, url=f"{shop.url}/held", baselineIntervalMs=1_000)
        eventually(lambda: shop.keys)

        for pid in [parent.process.pid, *pids(parent)]:
            os.kill(pid, signal.SIGTERM)
        eventually(lambda: parent.events("supervisor_stopping") and parent.events("scheduler_draining"))
        shop.release.set()

        assert parent.ended() == 0
        assert [event["status"] for event in parent.events("run_settled")] == ["success"]


@pytest.mark.parametrize("command", [API, SCHEDULER, TWO])
def test_a_store_that_processes_cannot_share_is_refused(command):
    ended = cronicorn(*command, env=environment(DATABASE_URL="memory:", PORT="0"))

    assert (ended.code, ended.out) == (2, "")
    assert "cronicorn up" in ended.err.splitlines()[-1]


@pytest.mark.parametrize("command", [API, SCHEDULER, TWO])
def test_a_store_that_is_not_there_is_one_sentence_and_exit_code_7(tmp_path, command):
    ended = cronicorn(*command, env=environment(DATABASE_URL=f"sqlite:{tmp_path}/nowhere/store.db", PORT="0"))

    assert (ended.code, len(ended.err.splitlines())) == (7, 1)
