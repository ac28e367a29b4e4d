"""The web app as `cronicorn up` serves it: beside the API, on one address, until the process drains."""

import signal

import httpx

from cronicorn.api.gate import PROTECTED
from cronicorn.wiring.doors import OF_PROGRAMS
from tests.api.door import an_app
from tests.control.world import a_world
from tests.wiring.up_process import service


def test_the_first_start_lets_its_owner_in_and_a_live_page_holds_up_no_drain(tmp_path) -> None:
    with service(tmp_path, API_KEY="", DRAIN_GRACE="25s") as up, up.client() as client:
        lines = [line.strip() for line in up.talk.splitlines()]
        password = lines[next(place for place, line in enumerate(lines) if "this password" in line) + 2]
        entered = client.post("/sign-in", data={"login": "owner", "password": password})
        page, docs, api = client.get("/"), client.get("/docs"), client.get("/api/me")
        with client.stream("GET", "/events?of=overview") as stream:
            told = stream.iter_lines()
            while next(told) != "event: begun":
                pass
            up.process.send_signal(signal.SIGTERM)
            ended = up.process.wait(timeout=15)

    assert (entered.status_code, page.status_code, docs.status_code) == (303, 200, 200)
    assert "Nothing is called yet" in page.text
    assert isinstance(api, httpx.Response)
    assert api.status_code == 401  # A key in a header goes before a cookie, and this one opens nothing.
    assert ended == 0


def test_every_path_of_the_rest_door_is_led_to_it() -> None:
    paths = an_app(a_world()).openapi()["paths"]

    assert {path.split("/")[1] for path in paths} | {PROTECTED.strip("/"), "openapi.json"} == OF_PROGRAMS
