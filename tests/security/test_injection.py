"""Text that means something to SQL, a header, a log or a template, in every field, parameter and id that takes text.

`cronicorn api` runs in a process of its own, on a file and on PostgreSQL: what is tried is what would be hurt.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.api.door import an_app
from tests.api.test_isolation import ANY, BODIES, WITHOUT_KEY
from tests.cli.command import cronicorn, environment
from tests.control.world import a_world
from tests.servers.databases import fresh_database
from tests.wiring.alert_receivers import HttpReceiver, http_receiver
from tests.wiring.up_process import KEY, create_endpoint, service

DESCRIPTION: dict[str, Any] = an_app(a_world()).openapi()
SQL = [
    "'; DROP TABLE jobs; --", "' OR '1'='1", "\\'; UPDATE cronicorn.jobs SET name = 'hacked'; --",
    "' UNION SELECT hash, id, prefix FROM api_keys --", '%s %(id)s {0} $1 :id ? "; DELETE FROM jobs; --',
]  # fmt: skip
ELSEWHERE = [
    "a\r\nX-Injected: yes", "%0d%0aX-Injected:%20yes", 'a\n{"event": "forged"}', 'a\u2028{"event": "forged"}',
    "{{secret.token}}", "{{7*7}} ${7*7} <%= 7*7 %> {% raw %} ${jndi:ldap://127.0.0.1/x} $(id) `id` ; id <script>",
]  # fmt: skip
ENDED = {"DELETE /api/jobs/{id}", "DELETE /api/jobs/{jobId}/endpoints/{id}"}
BREAKING = ["a\r\nX-Injected: yes", "a\nX-Injected: yes", "a\rX-Injected: yes", "a\x00b", "a\x0bb"]
SECRET = "a-secret-that-nobody-is-told"


def resolved(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """What *schema* may be."""
    if "$ref" in schema:
        return resolved(DESCRIPTION["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    return [part for each in schema["anyOf"] for part in resolved(each)] if "anyOf" in schema else [schema]


def takes_text(schema: dict[str, Any]) -> bool:
    return any(part.get("type") == "string" and "enum" not in part for part in resolved(schema))


def fields_of(route: dict[str, Any]) -> list[str]:
    """The fields of the body of *route* that take text."""
    body = route.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    parts = [part for part in resolved(body) if "properties" in part]
    return [name for part in parts for name, schema in part["properties"].items() if takes_text(schema)]


def parameters_of(route: dict[str, Any]) -> list[str]:
    """The parameters in the query of *route* that take text."""
    found = [each for each in route.get("parameters", []) if each["in"] == "query"]
    return [each["name"] for each in found if takes_text(each["schema"])]


ROUTES = {
    f"{method.upper()} {path}": route
    for path, methods in DESCRIPTION["paths"].items()
    for method, route in methods.items()
    if f"{method.upper()} {path}" not in WITHOUT_KEY | ENDED
}


class Tried:
    """A running API with a job, an endpoint and a secret, and what it answered."""

    def __init__(self, client: httpx.Client, talk: Any, shop: HttpReceiver) -> None:
        self.client, self.talk, self.shop = client, talk, shop
        self.asked = 0
        self.client.put("/api/secrets/token", json={"value": SECRET}).raise_for_status()
        self.endpoint = create_endpoint(client, url=shop.url, dormant=True, method="POST", bodyJson={})
        self.job = client.get("/api/jobs").json()["jobs"][0]["id"]

    def send(self, route: str, ids: dict[str, str], **given: Any) -> None:
        method, path = route.split()
        answer = self.client.request(
            method, re.sub(r"\{(\w+)\}", lambda name: ids[name[1]], path), headers=ANY, **given
        )
        self.asked += 1
        assert answer.status_code < 500, (route, given, answer.text)
        assert "x-injected" not in answer.headers
        assert not any(told in answer.text for told in (SECRET, hashlib.sha256(KEY.encode()).hexdigest()))

    def known(self) -> dict[str, str]:
        return {"id": self.endpoint, "jobId": self.job, "draftId": "none", "name": "other"}

    def try_everywhere(self, text: str) -> None:
        for name, route in ROUTES.items():
            for field in fields_of(route):
                self.send(name, self.known(), json=BODIES.get(name, {}) | {field: text})
            for parameter in parameters_of(route):
                self.send(name, self.known(), params={parameter: text})
            if "{" in name:
                self.send(name, dict.fromkeys(self.known(), quote(text, safe="")), json=BODIES.get(name))


@contextmanager
def trying(url: str, folder: Path) -> Iterator[Tried]:
    with ExitStack() as stack:
        shop = stack.enter_context(http_receiver())
        running = stack.enter_context(service(folder, "api", ["api"], DATABASE_URL=url, LOG_LEVEL="debug"))
        yield Tried(stack.enter_context(running.client()), lambda: running.talk, shop)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:{tmp_path}/store.db"
    else:
        with fresh_database(migrated=False) as server:
            yield server


def test_no_text_is_taken_for_anything_else(url: str, tmp_path: Path) -> None:
    texts = [*SQL, *ELSEWHERE] if url.startswith("sqlite") else SQL  # The door is the same: only the store differs.

    with trying(url, tmp_path) as here:
        for text in texts:
            here.try_everywhere(text)
        names = {job["name"] for job in here.client.get("/api/jobs", params={"limit": 100}).json()["jobs"]}
        tenants = here.client.get("/api/tenants").json()["tenants"]
        talk = here.talk()

    assert here.asked > 100 * len(texts)
    assert {"shop", SQL[0]} <= names  # What is a good name is kept as it was written.
    assert "hacked" not in names
    assert tenants[0]["name"] == "default"
    assert "forged" not in {json.loads(line)["event"] for line in talk.splitlines() if line.startswith("{")}
    assert not re.search("^X-Injected", talk, re.MULTILINE)
    ended = cronicorn("verify", env=environment(DATABASE_URL=url, API_KEY=KEY))
    assert ended.code == 0, ended.out + ended.err


def test_no_line_is_broken_in_what_is_sent_to_others(tmp_path: Path) -> None:
    with trying(f"sqlite:{tmp_path}/store.db", tmp_path) as here:
        path, target = f"/api/jobs/{here.job}/endpoints", {"name": "x", "url": here.shop.url, "dormant": True}
        for text in BREAKING:
            refused = [
                here.client.post(path, json=target | fields).status_code
                for fields in (
                    {"headersJson": {"X-A": text}}, {"headersJson": {text: "a"}}, {"url": f"{here.shop.url}/{text}"},
                    {"url": f"http://{text}@127.0.0.1/"}, {"method": text},
                )
            ]  # fmt: skip
            here.client.put("/api/secrets/broken", json={"value": f"hunter2{text}"})
            filled = {"method": "POST", "bodyJson": {}, "headersJson": {"X-A": "{{secret.broken}}"}}
            made = here.client.post(path, json=target | filled)
            if made.is_success:
                here.client.post(f"/api/endpoints/{made.json()['id']}/test")

            assert refused == [400] * len(refused), text
        sound = here.client.post(f"/api/endpoints/{here.endpoint}/test")

    assert sound.status_code == 200
    assert [call.headers for call in here.shop.posted if "x-injected" in call.headers] == []
