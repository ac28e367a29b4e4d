"""Secrets that were planted are in nothing that is written or told: stores, logs, answers, explanations, copies."""

import json
import threading
from base64 import b64decode
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote_plus, unquote_plus

import pytest

from cronicorn.adapters.postgres.archive import PostgresArchive
from cronicorn.adapters.postgres.options import PostgresOptions
from cronicorn.domain.archive import Table
from cronicorn.testing.contracts.archives import contents
from tests.cli.command import cronicorn, environment
from tests.waiting import TRIALS_APART_S, eventually
from tests.wiring.up_process import KEY, create_endpoint, runs_of, service

CANARIES = {
    "header": "canary-header-é-4711",
    "body": 'canary"body\\4711',
    "later": "canary/later+4711=",
    "client": "canary/client&4711",
    "hook": "canary-hook-4711",
}
TOKEN = "canary-token-4711"
"""What the token endpoint gives for the secret of the client."""
FORMS = [
    form.encode()
    for text in (*CANARIES.values(), TOKEN)
    for form in (text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], quote_plus(text))
]
YAML = """\
jobs:
  - name: filed
    endpoints:
      - name: stock
        url: {url}/
        dormant: true
        headersJson: {{X-Key: "{{{{secret.header}}}}"}}
        auth: {{type: basic, username: ada, password: "{{{{secret.client}}}}"}}
"""


class Echo:
    """A server that repeats all that it is sent, in headers and in the body, and fails every other time.

    Its token endpoint repeats the secret of the client beside the token, and gives none every fourth time.
    """

    def __init__(self):
        self.heard: list[bytes] = []
        self.called = 0
        self.asked = 0
        """How often for a token."""


@contextmanager
def echoing():
    echo = Echo()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path == "/token":
                self.give_token()
                return
            key = self.headers.get("X-Key", "").encode("latin-1")
            said = self.headers.get("Authorization", "")
            echo.heard.append(f"{self.path} {said} ".encode() + key + b" " + body)
            answer = json.dumps({"body": body.decode(), "key": key.decode(), "said": said}).encode() + key
            echo.called += 1
            self.answer(200 if echo.called % 2 else 500, answer, key.decode("latin-1"))

        def give_token(self):
            echo.asked += 1
            said = unquote_plus(b64decode(self.headers["Authorization"].split()[1]).decode())
            echo.heard.append(said.encode())
            given = {"error": said} if echo.asked % 4 == 2 else {"access_token": TOKEN, "expires_in": 0}
            self.answer(400 if "error" in given else 200, json.dumps(given | {"said": said}).encode(), "")

        def answer(self, status, body, said):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Echo", said)
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            self.do_POST()

        def log_message(self, *args):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield echo, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def told_by(client, endpoint):
    """Everything that the API tells by GET of what there is."""
    paths = client.get("/openapi.json").json()["paths"]
    jobs = client.get("/api/jobs").json()["jobs"]
    runs = [run.get("id") or run["runId"] for run in runs_of(client, endpoint)]
    for path, methods in paths.items():
        if "get" not in methods:
            continue
        for run in runs[:3] if "/runs/{id}" in path else [""]:
            filled = path.replace("{jobId}", jobs[0]["id"])
            filled = filled.replace("{id}", run or (jobs[0]["id"] if path == "/api/jobs/{id}" else endpoint))
            answer = client.get(filled)
            yield f"{answer.text} {answer.headers}".encode()


class Scene:
    """A store, and all that was said about it."""

    def __init__(self, folder, settings):
        self.folder, self.settings = folder, settings
        url = settings.get("DATABASE_URL", f"sqlite:{folder / 'store.db'}")
        self.env = environment(**{"DATABASE_URL": url, "API_KEY": KEY} | settings)
        self.url = url
        self.said: list[bytes] = []

    def run(self, *arguments, stdin=""):
        ended = cronicorn(*arguments, env=self.env, stdin=stdin)
        assert ended.code == 0, ended.err
        self.said.append((ended.out + ended.err).encode())

    def plant(self, client):
        for name in ("header", "body", "client"):
            answer = client.put(f"/api/secrets/{name}", json={"value": CANARIES[name]})
            assert answer.status_code == 200, answer.text
            self.said.append(answer.content)
        self.run("secret", "set", "later", stdin=CANARIES["later"])

    def use(self, client, url):
        endpoint = create_endpoint(
            client, url=f"{url}/", method="POST", dormant=True, headersJson={"X-Key": "Token {{secret.header}}"},
            bodyJson={"pin": "{{secret.body}}", "{{secret.later}}": True}, description="Look at `pin`.",
            auth={
                "type": "oauth2", "tokenUrl": f"{url}/token", "clientId": "shop", "clientSecret": "{{secret.client}}",
            },
        )  # fmt: skip
        for number in range(1, 4):
            client.post(f"/api/endpoints/{endpoint}/run")
            self.wait_for_runs(client, endpoint, number)
        self.said.append(client.post(f"/api/endpoints/{endpoint}/test").content)
        self.said += told_by(client, endpoint)
        client.delete("/api/secrets/body")
        trial = f"/api/endpoints/{endpoint}/test"
        eventually(lambda: "no secret body" in client.post(trial).text, pause_s=TRIALS_APART_S)

    @staticmethod
    def wait_for_runs(client, endpoint, number):
        eventually(lambda: len(runs_of(client, endpoint)) == number, within_s=30)

    def alert(self, client, url):
        """Messages to URLs that are secrets, one of which is known to the command line alone."""
        hook = f"{url}/{CANARIES['hook']}"
        made = client.post("/api/alert-routes", json={"name": "chat", "channel": "slack", "target": hook})
        self.said.append(made.content)
        route = made.json()["id"]
        self.said.append(client.patch(f"/api/alert-routes/{route}", json={"channel": "webhook"}).content)
        client.post(f"/api/alert-routes/{route}/test").raise_for_status()
        self.run("alert", "add", "other", "--channel", "webhook", "--target", f"{hook}?again")
        eventually(lambda: "delivered" in client.get(f"/api/alert-routes/{route}/messages").text, within_s=30)
        for path in ("", f"/{route}", f"/{route}/messages"):
            self.said.append(client.get(f"/api/alert-routes{path}").content)
        self.said.append(client.get("/api/audit").content)
        self.run("alert", "routes", "--json")
        assert f"{url}/…".encode() in self.said[-1] or b"\\u2026" in self.said[-1]

    def command(self, url):
        file = self.folder / "shop.yaml"
        file.write_text(YAML.format(url=url))
        self.run("apply", "-f", str(file))
        self.run("apply", "-f", str(file), "--dry-run", "--json")
        self.run("runs", "shop/stock", "--json")
        self.run("explain", "shop/stock")
        self.run("secret", "list")
        self.run("export", "--reveal")
        self.run("backup", str(self.folder / "backup.db"))
        assert b"{{secret.header}}" in self.said[-2]
        assert b"{{secret.client}}" in self.said[-2]

    async def written(self):
        self.run("verify", "--stopped")
        self.run("copy", "--from", self.url, "--to", f"sqlite:{self.folder / 'copy.db'}")
        if self.url.startswith("postgresql"):
            archive = PostgresArchive(self.url, PostgresOptions())
            self.said.append(repr(await contents(archive, tuple(Table))).encode())
        self.said += [path.read_bytes() for path in self.folder.iterdir()]


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
async def test_no_secret_is_told_or_written_anywhere(backend, tmp_path, request):
    settings = {"LOG_LEVEL": "debug"}
    if backend == "postgresql":
        settings["DATABASE_URL"] = request.getfixturevalue("postgres_url")
        settings["MASTER_KEY"] = cronicorn("master-key", "new").out.strip()
    scene = Scene(tmp_path, settings)

    with echoing() as (echo, url), service(tmp_path, **settings) as up, up.client() as client:
        scene.plant(client)
        scene.use(client, url)
        scene.alert(client, url)
        scene.command(url)
        up.process.terminate()
        assert up.ended() == 0
    await scene.written()

    heard = b"".join(echo.heard)
    assert f"Bearer {TOKEN}".encode() in heard
    assert all(text.encode() in heard or json.dumps(text)[1:-1].encode() in heard for text in CANARIES.values())
    for text in scene.said:
        for form in FORMS:
            assert form not in text, text[max(0, text.index(form) - 200) : text.index(form) + 100]
    assert any(b"********" in text for text in scene.said)
