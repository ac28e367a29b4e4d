"""The `auth` of endpoints as it is met: a real process, a token endpoint, a target that knows its tokens, a file."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import yaml

from tests.cli.command import cronicorn, environment
from tests.waiting import TRIALS_APART_S, eventually
from tests.wiring.up_process import KEY, create_endpoint, runs_of, service

SECRET = "client-secret-0815"


class Shop:
    """A target whose tokens a token endpoint at `/token` gives, as long as it has any."""

    def __init__(self):
        self.forms: list[dict[str, list[str]]] = []
        self.good: set[str] = set()
        self.gives = True
        self.url = ""


@contextmanager
def a_shop():
    shop = Shop()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            known = self.headers["Authorization"].removeprefix("Bearer ") in shop.good
            self.answer(200 if known else 401, {"said": self.headers["Authorization"]})

        def do_POST(self):
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            shop.forms.append(form)
            if not shop.gives or form["client_secret"] != [SECRET]:
                self.answer(401, {"error": "invalid_client", "secret": form["client_secret"]})
                return
            token = f"shop-token-{len(shop.forms)}"
            shop.good.add(token)
            self.answer(200, {"access_token": token, "token_type": "bearer", "expires_in": 3600})

        def answer(self, status, document):
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    shop.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield shop
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def auth_of(shop):
    return {
        "type": "oauth2", "tokenUrl": f"{shop.url}/token", "clientId": "cronicorn", "clientSecret": "{{secret.client}}",
        "clientAuth": "body", "scope": "stock:read", "parameters": {"audience": "shop"},
    }  # fmt: skip


def run(client, endpoint):
    """Another run, finished."""
    asked = client.post(f"/api/endpoints/{endpoint}/run").raise_for_status().json()["runId"]
    eventually(lambda: asked in [each["runId"] for each in runs_of(client, endpoint)], within_s=30)
    return client.get(f"/api/runs/{asked}").json()


def until_sent_again(client, endpoint):
    """The first run whose token was refused once it was old enough for another to be asked for."""
    runs = []

    def sent_again():
        runs.append(run(client, endpoint))
        return "sentAgain" in runs[-1]

    eventually(sent_again, within_s=30)
    return runs[-1]


def test_runs_have_a_token_are_sent_again_when_it_is_refused_and_fail_when_there_is_none(tmp_path):
    with a_shop() as shop, service(tmp_path) as up, up.client() as client:
        client.put("/api/secrets/client", json={"value": SECRET}).raise_for_status()
        endpoint = create_endpoint(client, url=f"{shop.url}/stock", dormant=True, auth=auth_of(shop))
        first, second = run(client, endpoint), run(client, endpoint)
        shown = client.get(f"/api/endpoints/{endpoint}").json()["auth"]
        shop.good.clear()
        again = until_sent_again(client, endpoint)
        tried = client.post(f"/api/endpoints/{endpoint}/test").json()
        shop.gives = False
        client.put("/api/secrets/client", json={"value": "another-0815"}).raise_for_status()
        trial = f"/api/endpoints/{endpoint}/test"
        eventually(lambda: client.post(trial).json()["status"] == "failed", within_s=30, pause_s=TRIALS_APART_S)
        failed = run(client, endpoint)
        log = up.talk

    assert [each["status"] for each in (first, second, tried)] == ["success"] * 3
    assert (again["status"], again["sentAgain"]) == ("success", True)
    assert "sentAgain" not in first
    assert first["responseBody"] == {"said": "Bearer ********"}
    assert shop.forms[0] == {
        "grant_type": ["client_credentials"], "audience": ["shop"], "scope": ["stock:read"],
        "client_id": ["cronicorn"], "client_secret": [SECRET],
    }  # fmt: skip
    assert [form["client_secret"] for form in shop.forms[:3]] == [[SECRET], [SECRET], ["another-0815"]]
    assert shown == auth_of(shop)
    assert (failed["status"], failed["outcome"]) == ("failed", "no_token")
    assert "401, invalid_client" in failed["errorMessage"]
    assert "0815" not in json.dumps(failed) + log


def test_a_file_with_auth_is_applied_told_apart_and_exported_and_one_with_a_plain_secret_is_not(tmp_path):
    env = environment(DATABASE_URL=f"sqlite:{tmp_path / 'store.db'}", API_KEY=KEY)
    file = tmp_path / "shop.yaml"

    def command(*words, stdin="", code=0):
        ended = cronicorn(*words, env=env, stdin=stdin)
        assert ended.code == code, ended.err
        return ended.out + ended.err

    def write(**auth):
        endpoint = {"name": "stock", "url": "https://shop.example/", "dormant": True, "auth": auth}
        file.write_text(yaml.safe_dump({"jobs": [{"name": "shop", "endpoints": [endpoint]}]}))

    command("secret", "set", "token", stdin="kept-0815")
    write(type="bearer", token="plain-0815")
    refused = command("apply", "-f", str(file), code=2)
    write(type="bearer", token="{{secret.tokn}}")
    unknown = command("apply", "-f", str(file), code=2)
    write(type="bearer", token="{{secret.token}}")
    command("apply", "-f", str(file))
    same = command("apply", "-f", str(file), "--dry-run")
    exported = command("export", "--reveal")
    write(type="basic", username="ada", password="{{secret.token}}")
    changed = command("apply", "-f", str(file), "--dry-run")
    file.write_text(exported)
    again = command("import", str(file))

    assert "set it as a secret" in refused
    assert "0815" not in refused
    assert "no secret 'tokn'" in unknown
    assert "unchanged" in same
    assert "unchanged" in again
    assert yaml.safe_load(exported)["jobs"][0]["endpoints"][0]["auth"] == {
        "type": "bearer",
        "token": "{{secret.token}}",
    }
    assert "auth" in changed
