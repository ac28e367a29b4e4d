"""`cronicorn doctor` on stores and servers, well and ill."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.cli.command import cronicorn, environment
from tests.cli.places import a_server
from tests.wiring.up_process import service

OPEN = {"EGRESS_ALLOW": "127.0.0.0/8"}


class _Late(BaseHTTPRequestHandler):
    """A server whose clock stands still."""

    def do_HEAD(self):
        self.send_response_only(204)
        self.send_header("Date", "Sat, 31 Jan 2026 09:30:00 GMT")
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def late():
    with ThreadingHTTPServer(("127.0.0.1", 0), _Late) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def examined(*arguments, env):
    ended = cronicorn("doctor", *arguments, "--json", env=env)
    return ended.code, {each["what"]: each for each in json.loads(ended.out)}


def test_an_installation_that_works_is_well_from_near_and_from_afar(tmp_path, late):
    with service(tmp_path) as running, running.client() as server:
        job = server.post("/api/jobs", json={"name": "shop"}).json()["id"]
        server.post(f"/api/jobs/{job}/endpoints", json={"name": "a", "url": f"{late}/x", "dormant": True})
        near, found = examined(env=environment(DATABASE_URL=f"sqlite:{tmp_path / 'store.db'}", **OPEN))
        afar, told = examined(env=a_server(tmp_path, str(server.base_url)).env)

    assert (near, afar) == (0, 0), (found, told)
    assert {name: each["wellness"] for name, each in found.items() if each["wellness"] != "ok"} == {
        f"clock against {late}": "look"
    }
    assert found["workers"]["told"].startswith("1 alive")
    assert found[f"network to {late}"]["told"].startswith("answered 204")
    assert {each["wellness"] for each in told.values()} == {"ok"}
    assert {"server and key", "workers", "incidents", f"clock against {str(server.base_url).rstrip('/')}"} <= set(told)


def test_what_is_ill_is_told_with_what_to_do(tmp_path, late):
    env = environment(DATABASE_URL=f"sqlite:{tmp_path / 'own.db'}")
    cronicorn("secret", "set", "token", stdin="a-secret-of-ours", env=env)
    (tmp_path / "own.db").chmod(0o644)
    (tmp_path / "own.db.key").unlink()

    code, found = examined("--url", f"{late}/x", env=env)
    wide = cronicorn("doctor", "--offline", env=env | {"CRONICORN_EGRESS_ALLOW": "0.0.0.0/0"})

    assert code == 1
    assert found[f"file {tmp_path / 'own.db'}"]["advice"] == f"`chmod 600 {tmp_path / 'own.db'}`"
    assert found["master key"]["wellness"] == "broken"
    assert found["workers"]["wellness"] == "broken"
    assert "127.0.0.0/8" in found[f"network to {late}"]["told"]
    assert "by the settings of this command" in found[f"network to {late}"]["advice"]
    assert "wide open: 0.0.0.0/0" in wide.out
    assert "network: not asked" in wide.out


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"DATABASE_URL": "sqlite:nowhere/x.db"}, "database"),
        ({"PORT": "abc", "DATABASE_URL": "sqlite:x.db"}, "setting CRONICORN_PORT"),
        ({"DATABASE_URL": "postgresql://127.0.0.1:9/x"}, "database"),
        ({"PROFILE": "nobody"}, "profile"),
    ],
)
def test_what_can_not_even_be_opened_is_broken_and_no_traceback(settings, what):
    code, found = examined("--offline", env=environment(**settings))

    assert code == 1
    assert found[what]["wellness"] == "broken"


def test_a_url_that_is_none_is_no_fault_of_the_database():
    ended = cronicorn("doctor", "--url", "shop.example", env=environment(DATABASE_URL="memory:"))

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("Error: --url: The URL must begin with http://")


def test_a_server_that_does_not_answer_is_told(tmp_path):
    code, found = examined(env=a_server(tmp_path, "http://127.0.0.1:9").env)

    assert (code, found["server and key"]["wellness"]) == (1, "broken")
    assert "can't be reached" in found["server and key"]["told"]
