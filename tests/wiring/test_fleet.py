"""Many processes on one database: `cronicorn scheduler`, `cronicorn api`, and parents of several schedulers."""

import asyncio
import json
import os
import re
import signal
import socket
import time
from contextlib import ExitStack

import httpx
import pytest

from cronicorn.wiring.settings import Settings
from cronicorn.wiring.stores import open_chosen
from cronicorn.wiring.timekeeping import system_clock
from tests.cli.command import cronicorn, environment
from tests.servers.databases import fresh_database
from tests.servers.postgres import StopMode, restartable_server
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


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """An empty store."""
    if request.param == "sqlite":
        yield f"sqlite:{tmp_path / 'store.db'}"
        return
    with fresh_database(migrated=False) as fresh:
        yield fresh


@pytest.fixture
def fleet(tmp_path, url):
    """Starts processes on one store; what is left of them goes with the test."""
    with ExitStack() as stack:

        def start(command, name=None, **settings):
            given = SHORT_LEASES | {"DATABASE_URL": url} | settings
            return stack.enter_context(service(tmp_path, name or command[0], command, **given))

        yield start


on_a_file = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
on_a_server = pytest.mark.parametrize("url", ["postgresql"], indirect=True)


def ready(*schedulers):
    """All processes of each have begun."""

    def begun(each):
        processes = next((event["processes"] for event in each.events("supervisor_started")), 1)
        return len(each.events("scheduler_started")) >= processes

    eventually(lambda: all(map(begun, schedulers)), within_s=30)


def leases_left(url, *endpoint_ids):
    """The live leases, as any other process would see them."""

    async def held():
        settings = Settings.from_env({"CRONICORN_DATABASE_URL": url})
        stores = await open_chosen(settings, system_clock())
        try:
            [tenant] = await stores.keys.tenants()
            return [await stores.run_control.held(tenant.id, each) for each in endpoint_ids]
        finally:
            await stores.aclose()

    return [lease for lease in asyncio.run(held()) if lease is not None]


def test_schedulers_share_the_work_take_over_from_the_dead_and_leave_no_lease(url, shop, fleet):
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
    assert leases_left(url, held, quick) == []


@on_a_file
def test_a_worker_is_called_after_its_host_and_process(url, shop, fleet):
    worker = fleet(SCHEDULER)
    with fleet(API).client() as client:
        create_endpoint(client, url=f"{shop.url}/held", baselineIntervalMs=1_000)
        eventually(lambda: shop.keys)

    [holder] = json.loads(cronicorn("workers", "--json", env=environment(DATABASE_URL=url)).out)

    [started] = worker.events("scheduler_started")
    assert holder["worker"] == started["worker"]
    assert re.fullmatch(f"{re.escape(socket.gethostname())}-{worker.process.pid}-[0-9a-f]{{8}}", started["worker"])


def crowd(client, url, count):
    """So many endpoints that are due within a second; their ids."""
    job = client.post("/api/jobs", json={"name": "crowd"}).json()["id"]
    fields = {"url": url, "baselineIntervalMs": 1_000}
    answers = [client.post(f"/api/jobs/{job}/endpoints", json={"name": f"e{n}", **fields}) for n in range(count)]
    return [answer.json()["id"] for answer in answers]


def test_a_worker_with_few_descriptors_makes_fewer_calls_and_leaves_no_lease(url, shop, fleet):
    with fleet(API).client() as client:
        crowded = crowd(client, f"{shop.url}/held", 40)
    long = {"LEASE_TTL": "30s", "RENEW_INTERVAL": "1s", "DRAIN_GRACE": "1s"}
    worker = fleet(SCHEDULER, descriptors="96", CALLS_MAX="2000", **long)
    ready(worker)
    [started] = worker.events("scheduler_started")
    eventually(lambda: len(shop.keys) >= started["calls_max"])

    worker.process.send_signal(signal.SIGTERM)

    assert worker.ended() == 0
    [lowered] = worker.events("calls_max_lowered")
    assert (lowered["wanted"], lowered["descriptors"]) == (2_000, 96)
    assert 1 <= lowered["calls_max"] == started["calls_max"] == len(shop.keys) < 96 / 2
    for trouble in ("call_not_made", "renewal_failed", "store_unavailable", "leases_left_to_expire"):
        assert worker.events(trouble) == []
    assert leases_left(url, *crowded) == []


@on_a_file
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


@on_a_server
def test_a_run_asked_for_at_the_api_wakes_a_scheduler_that_sleeps_for_long(shop, fleet):
    fleet(SCHEDULER, POLL_INTERVAL="60s")
    with fleet(API).client() as client:
        endpoint_id = create_endpoint(client, url=shop.url, dormant=True)
        eventually(lambda: client.post(f"/api/endpoints/{endpoint_id}/run").status_code == 202)
        eventually(lambda: len(runs_of(client, endpoint_id)) == 1)

        client.post(f"/api/endpoints/{endpoint_id}/run")

        eventually(lambda: len(runs_of(client, endpoint_id)) == 2, within_s=5)


@on_a_server
def test_processes_that_start_at_once_make_one_database(shop, fleet):
    workers = [fleet(SCHEDULER, f"worker{number}") for number in range(4)]
    with fleet(API).client() as client:
        ready(*workers)
        endpoint_id = create_endpoint(client, url=shop.url, baselineIntervalMs=1_000)

        eventually(lambda: runs_of(client, endpoint_id))

    assert [each.process.poll() for each in workers] == [None] * 4


def test_shares_of_two_mechanisms_are_served_and_measured_side_by_side(shop, fleet):
    worker = fleet(SCHEDULER, METRICS_PORT="0", LEASE_MECHANISM="lease:50,optimistic:50")
    with fleet(API).client() as client:
        endpoint_id = create_endpoint(client, url=shop.url, baselineIntervalMs=1_000)
        eventually(lambda: len(runs_of(client, endpoint_id)) >= 2)

    text = watched(worker, "/metrics").text
    claims = [float(line.split()[-1]) for line in text.splitlines() if line.startswith("cronicorn_claims_total{")]
    assert len(claims) == 2
    assert min(claims) == 0  # The one tenant there is has one mechanism.
    assert max(claims) >= 2


OUTAGE_S = float(os.environ.get("CRONICORN_TEST_OUTAGE_S", "4"))


def test_losing_postgresql_for_a_while_ends_no_process_and_work_goes_on(tmp_path, shop):
    with restartable_server() as server, ExitStack() as stack:

        def start(command, name, **settings):
            given = SHORT_LEASES | {"DATABASE_URL": server.url()} | settings
            return stack.enter_context(service(tmp_path, name, command, **given))

        door, *workers = [start(API, "api"), start(TWO, "parent"), start(SCHEDULER, "worker", METRICS_PORT="0")]
        client = stack.enter_context(door.client())
        endpoint_id = create_endpoint(client, url=shop.url, baselineIntervalMs=1_000)
        eventually(lambda: len(runs_of(client, endpoint_id)) >= 2, within_s=20)
        ready(*workers)

        server.stop(StopMode.IMMEDIATE)
        eventually(lambda: client.get("/readyz").status_code == 503, within_s=20)
        lost_at = time.monotonic()
        eventually(lambda: time.monotonic() > lost_at + OUTAGE_S, within_s=OUTAGE_S + 5)
        during = {path: (client.get(path).status_code, watched(workers[1], path).status_code)
                  for path in ("/healthz", "/readyz")}  # fmt: skip
        called = len(shop.keys)
        server.start()

        eventually(lambda: len(shop.keys) >= called + 3, within_s=30)
        eventually(lambda: client.get("/readyz").status_code == watched(workers[1], "/readyz").status_code == 200)
        assert during == {"/healthz": (200, 200), "/readyz": (503, 503)}
        assert [each.process.poll() for each in (door, *workers)] == [None, None, None]
        assert workers[0].events("worker_process_died") == []
        runs = runs_of(client, endpoint_id)
        assert len({run["runId"] for run in runs}) == len(runs)
        for each in (door, *workers):
            each.process.send_signal(signal.SIGTERM)
        assert [each.ended() for each in (door, *workers)] == [0, 0, 0]


def watched(worker, path):
    url = worker.events("process_started")[0]["url"]
    return httpx.get(f"{url}{path}", trust_env=False)


@on_a_file
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


@on_a_file
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


@on_a_file
def test_a_parent_that_is_killed_takes_its_processes_along(fleet):
    parent = fleet(TWO)
    eventually(lambda: len(parent.events("scheduler_started")) == 2, within_s=30)

    parent.process.kill()

    eventually(lambda: len(parent.events("process_stopped")) == 2, within_s=30)
    eventually(lambda: not any(alive(pid) for pid in pids(parent)))


@on_a_file
@pytest.mark.parametrize(("order", "code"), [(b"", 0), (b"d", 0), (b"n", 128 + signal.SIGTERM)])
def test_a_parent_with_a_parent_obeys_it_as_a_single_process_does(fleet, order, code):
    parent = fleet((*TWO, "--with-parent"))
    eventually(lambda: len(parent.events("scheduler_started")) == 2, within_s=30)

    if order:
        parent.process.stdin.write(order)
        parent.process.stdin.flush()
    else:
        parent.process.stdin.close()

    assert parent.ended() == code
    assert not any(alive(pid) for pid in pids(parent))


def test_a_parent_that_is_asked_to_stop_drains_all_its_processes(url, shop, fleet):
    parent = fleet(TWO)
    with fleet(API).client() as client:
        endpoint_id = create_endpoint(client, url=f"{shop.url}/held", baselineIntervalMs=1_000)
        eventually(lambda: shop.keys)

        parent.process.send_signal(signal.SIGTERM)
        # One drains; the other, which has nothing to do, is gone before there is something.
        eventually(lambda: parent.events("scheduler_draining") and parent.events("scheduler_stopped"))
        shop.release.set()

        assert parent.ended() == 0
        assert [run["status"] for run in runs_of(client, endpoint_id)] == ["success"]
    assert parent.events("worker_process_died") == []
    assert not any(alive(pid) for pid in pids(parent))
    assert leases_left(url, endpoint_id) == []


@on_a_file
def test_a_second_signal_stops_all_processes_at_once_and_gives_the_slot_back(url, shop, fleet):
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
    assert leases_left(url, endpoint_id) == []


@on_a_file
def test_a_signal_to_the_whole_group_is_one_signal(shop, fleet):
    """As supervisors send it: to the parent and to each process."""
    parent = fleet(TWO)
    with fleet(API).client() as client:
        create_endpoint(client, url=f"{shop.url}/held", baselineIntervalMs=1_000)
        eventually(lambda: shop.keys and len(parent.events("scheduler_started")) == 2, within_s=30)

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
