"""The web app as `cronicorn up` serves it: beside the API, on one address, until the process drains."""

import signal

import httpx

from cronicorn.api.gate import PROTECTED
from cronicorn.wiring.doors import OF_PROGRAMS
from tests.api.door import an_app
from tests.control.world import a_world
from tests.web.entered import EnteredForm
from tests.wiring.test_canaries import echoing
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


def test_a_form_calls_the_real_target_with_a_secret_shows_it_nowhere_and_keeps_nothing(tmp_path) -> None:
    with (
        service(tmp_path) as up,
        up.client() as client,
        httpx.Client(base_url=client.base_url, timeout=30, trust_env=False) as browser,
        echoing() as (echo, url),
    ):
        client.put("/api/secrets/header", json={"value": "canary-4711"})
        made = client.post("/api/members", json={"login": "ann", "role": "editor"}).json()
        job = client.post("/api/jobs", json={"name": "shop"}).json()["id"]
        browser.post("/sign-in", data={"login": "ann", "password": made["password"]})
        action = f"/jobs/{job}/endpoints/new?pattern=plain&part=1"
        form = EnteredForm(browser.get(action).text, action).fields
        form |= {"name": "stock", "url": f"{url}/", "method": "POST", "headersJson": "X-Key: {{secret.header}}"}
        tried = browser.post(action, data=form | {"do": "test"})
        kept = client.get(f"/api/jobs/{job}/endpoints").json()["endpoints"]
        saved = browser.post(action, data=form | {"do": "save"})
        page = browser.get(saved.headers["location"])

    assert b"canary-4711" in echo.heard[0]
    assert "Nothing was recorded" in tried.text
    assert "&#34;key&#34;: &#34;********" in tried.text
    assert "canary-4711" not in tried.text + page.text + up.talk
    assert kept == []
    assert saved.status_code == 303
    assert "<h1>stock</h1>" in page.text


def test_every_path_of_the_rest_door_is_led_to_it() -> None:
    paths = an_app(a_world()).openapi()["paths"]

    assert {path.split("/")[1] for path in paths} | {PROTECTED.strip("/"), "openapi.json"} == OF_PROGRAMS
