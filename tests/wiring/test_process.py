"""`cronicorn up` as it is run: a real process, real sockets, a real file, real signals."""

import asyncio
import resource
import signal
import socket
from pathlib import Path

import pytest

from cronicorn.wiring.process import _Process
from tests.cli.command import cronicorn, environment
from tests.waiting import eventually
from tests.wiring.target import target
from tests.wiring.up_process import KEY, SHORT_LEASES, create_endpoint, runs_of, service


@pytest.fixture
def shop():
    with target() as running:
        yield running


def test_an_endpoint_created_over_rest_is_called_on_time(tmp_path, shop):
    with service(tmp_path) as up, up.client() as client:
        health = [client.get(path).status_code for path in ("/healthz", "/readyz")]
        endpoint_id = create_endpoint(client, url=shop.url, baselineIntervalMs=1_000)

        eventually(lambda: len(runs_of(client, endpoint_id)) >= 2)

        assert health == [200, 200]
        assert shop.keys[:2] == [f"{endpoint_id}:1", f"{endpoint_id}:2"]
        assert {run["status"] for run in runs_of(client, endpoint_id)} == {"success"}
        metrics = client.get("/metrics").text
        assert "cronicorn_overdue_slots 0.0" in metrics
        assert 'cronicorn_runs_total{status="success"}' in metrics


def test_the_first_signal_lets_calls_in_progress_finish(tmp_path, shop):
    with service(tmp_path) as up:
        with up.client() as client:
            endpoint_id = create_endpoint(client, url=f"{shop.url}/held", baselineIntervalMs=1_000)
            eventually(lambda: shop.keys)

        up.process.send_signal(signal.SIGTERM)
        eventually(lambda: up.events("scheduler_draining"))
        shop.release.set()

        assert up.ended() == 0
        assert [event["status"] for event in up.events("run_settled")] == ["success"]
        assert shop.keys == [f"{endpoint_id}:1"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_second_signal_stops_at_once_and_gives_the_slot_back(tmp_path, shop, number):
    with service(tmp_path) as up:
        with up.client() as client:
            endpoint_id = create_endpoint(client, url=f"{shop.url}/held", baselineIntervalMs=1_000)
            eventually(lambda: shop.keys)

        up.process.send_signal(number)
        eventually(lambda: up.events("scheduler_draining"))
        up.process.send_signal(number)

        assert up.ended() == 128 + number
        assert up.events("run_settled") == []

    shop.release.set()
    with service(tmp_path, "next") as following, following.client() as client:
        eventually(lambda: runs_of(client, endpoint_id))

        assert shop.keys[:2] == [f"{endpoint_id}:1"] * 2


def test_the_slot_of_a_killed_process_runs_again_within_the_bound_and_settles_once(tmp_path, shop):
    with service(tmp_path, "first", **SHORT_LEASES) as first:
        with first.client() as client:
            endpoint_id = create_endpoint(client, url=f"{shop.url}/held", baselineIntervalMs=1_000)
            eventually(lambda: shop.keys)

        with service(tmp_path, "second", **SHORT_LEASES) as second, second.client() as client:
            first.process.kill()
            first.ended()
            shop.release.set()
            eventually(lambda: len(shop.keys) >= 2, within_s=2 + 0.2 + 2)  # lease, one look, and a slow machine
            eventually(lambda: len(runs_of(client, endpoint_id)) >= 3)
            runs = runs_of(client, endpoint_id)

        slots = [int(run["runId"].split(":")[1]) for run in reversed(runs)]
        assert shop.keys[:2] == [f"{endpoint_id}:1"] * 2
        assert slots == list(range(1, len(slots) + 1))
        assert len(set(shop.keys[1:])) == len(shop.keys[1:])


def test_the_first_key_is_shown_once_and_stored_hashed(tmp_path):
    with service(tmp_path, "first", API_KEY="") as up:
        up.client().close()
        key = next(line.strip() for line in up.talk.splitlines() if line.strip().startswith("ck_"))
        with up.client(key) as client:
            answered = client.get("/api/jobs").status_code

    with service(tmp_path, "second", API_KEY="") as again, again.client(key) as client:
        answered_again = client.get("/api/jobs").status_code
        refused = client.get("/api/jobs", headers={"x-api-key": "wrong"}).status_code

    assert (answered, answered_again, refused) == (200, 200, 401)
    assert "ck_" not in again.talk
    stored = [file.read_bytes() for file in tmp_path.glob("store.db*")]
    assert stored
    assert all(key.encode() not in content for content in stored)


def test_a_key_from_the_environment_opens_the_api_and_is_never_shown(tmp_path):
    with service(tmp_path) as up, up.client() as client:
        assert client.get("/api/jobs").status_code == 200
        assert client.headers["x-api-key"] not in up.talk


def resident_mib(up) -> int:
    """Memory the process holds."""
    pages = int(Path(f"/proc/{up.process.pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 1_048_576


def test_a_stranger_cannot_fill_the_memory_with_a_head(tmp_path):
    with service(tmp_path) as up, up.client() as client:
        before = resident_mib(up)
        with socket.create_connection((client.base_url.host, client.base_url.port)) as stranger:
            stranger.settimeout(30)
            with pytest.raises(ConnectionError):
                stranger.sendall(b"GET / HTTP/1.1\r\n" + (b"X: " + b"a" * 1_048_576 + b"\r\n") * 100)

        assert client.get("/healthz").status_code == 200
        assert resident_mib(up) - before < 20


def test_a_test_call_ends_when_its_client_goes_away(tmp_path, shop):
    with service(tmp_path) as up, up.client() as client:
        endpoint_id = create_endpoint(client, url=f"{shop.url}/held", dormant=True)
        path = f"/api/endpoints/{endpoint_id}/test"
        with socket.create_connection((client.base_url.host, client.base_url.port)) as hasty:
            hasty.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nX-Api-Key: {KEY}\r\n\r\n".encode())
            eventually(lambda: shop.keys)

        eventually(lambda: runs_of(client, endpoint_id))

        (run,) = runs_of(client, endpoint_id)
        assert (run["source"], run["status"]) == ("test", "canceled")
        shop.release.set()
        assert client.post(path).json()["status"] == "success"


def refusal(tmp_path, **settings):
    env = environment(**{"DATABASE_URL": f"sqlite:{tmp_path / 'store.db'}", "PORT": "0"} | settings)
    ended = cronicorn("up", env=env)
    assert ended.out == ""
    return ended.code, ended.err


def test_a_port_in_use_is_one_sentence_and_exit_code_7(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, talk = refusal(tmp_path, PORT=str(taken.getsockname()[1]))

    assert code == 7
    assert "the port is in use" in talk.splitlines()[-1]
    assert "Traceback" not in talk


def test_a_folder_that_is_not_there_is_one_sentence_and_exit_code_7(tmp_path):
    code, talk = refusal(tmp_path, DATABASE_URL=f"sqlite:{tmp_path}/nowhere/store.db")

    assert (code, len(talk.splitlines())) == (7, 1)


def test_a_file_that_is_no_database_is_one_sentence_and_exit_code_7(tmp_path):
    (tmp_path / "notes.txt").write_text("not a database, but long enough to be taken for one" * 100)

    code, talk = refusal(tmp_path, DATABASE_URL=f"sqlite:{tmp_path}/notes.txt")

    assert (code, len(talk.splitlines())) == (7, 1)


def test_a_data_folder_that_cannot_be_made_is_one_sentence_and_exit_code_7(tmp_path):
    (tmp_path / "file").write_text("")
    env = environment(PORT="0") | {"XDG_DATA_HOME": str(tmp_path / "file"), "HOME": str(tmp_path / "file")}

    ended = cronicorn("up", env=env)

    assert (ended.code, len(ended.err.splitlines())) == (7, 1)


def test_bad_settings_end_with_exit_code_2_before_anything_is_touched(tmp_path):
    code, talk = refusal(tmp_path, LEASE_TTL="never", PROT="1")

    assert code == 2
    assert "CRONICORN_LEASE_TTL" in talk
    assert "Did you mean CRONICORN_PORT?" in talk
    assert not (tmp_path / "store.db").exists()


async def test_parts_of_a_process_end_before_the_store_that_they_work_on_closes():
    process = _Process(scheduler=None, server=None)
    process.start("api", asyncio.Event().wait())  # type: ignore[arg-type]
    process.start("scheduler", asyncio.Event().wait())  # type: ignore[arg-type]

    await asyncio.wait_for(process.end(), 5)

    assert all(task.cancelled() for task in process.tasks.values())
