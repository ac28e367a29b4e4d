"""What an owner lives through, over real sockets on both databases: real processes, receivers and mail.

One journey from the first start to the restored copy, and one over two API processes that share a database.
"""

import json
import re
import signal
from contextlib import ExitStack, contextmanager

import pytest
from standardwebhooks import Webhook

from tests.cli.command import cronicorn, environment
from tests.servers.databases import fresh_database
from tests.waiting import eventually
from tests.wiring.alert_receivers import http_receiver, mail_server
from tests.wiring.up_process import SHORT_LEASES, service

SECRETS_OF_FIRST_START = re.compile(r"^    (\S+)$", re.MULTILINE)
NO_KEY = {"API_KEY": ""}
COMPARED = (
    "/api/jobs", "/api/jobs/{job}", "/api/jobs/{job}/endpoints", "/api/jobs/{job}/endpoints/{endpoint}",
    "/api/endpoints/{endpoint}/runs", "/api/runs/{run}", "/api/incidents", "/api/incidents/{incident}",
    "/api/alert-routes", "/api/alert-rules", "/api/members", "/api/secrets", "/api/signing-keys", "/api/audit",
)  # fmt: skip
"""What a restored installation answers as the one that was backed up."""


@pytest.fixture(params=["sqlite", "postgresql"])
def places(request, tmp_path):
    """Where the installation is, and where its backup is restored: always a database of the other kind."""
    with fresh_database(migrated=False) as server:
        file = f"sqlite:{tmp_path / 'store.db'}"
        yield (file, server) if request.param == "sqlite" else (server, file)


class Person:
    """Somebody with a browser: a session in a cookie, and the token that goes with it."""

    def __init__(self, stack, api):
        self.client = stack.enter_context(api.client(key=""))
        del self.client.headers["x-api-key"]

    def sign_in(self, **document):
        answer = self.client.post("/api/sign-in", json=document)
        if answer.is_success:
            self.client.headers["x-csrf-token"] = answer.json()["csrfToken"]
        return answer

    def made(self, path, document=None):
        return made(self.client, path, document)

    def status(self):
        return self.client.get("/api/me").status_code


def made(client, path, document=None):
    answer = client.post(path, json=document)
    assert answer.is_success, answer.text
    return answer.json()


def answers(client, **ids):
    found = {path: client.get(path.format(**ids)) for path in COMPARED}
    assert {answer.status_code for answer in found.values()} == {200}
    return {path: answer.json() for path, answer in found.items()}


def told(receiver, kind):
    return [each for each in receiver.at("/hook") if each.json["type"] == kind]


class Installation:
    """An owner, a program with a key of its own, a shop that is called, and those who are told when it fails."""

    def __init__(self, folder, stack, database, mail):
        self.shop, self.hook = stack.enter_context(http_receiver()), stack.enter_context(http_receiver())
        self.settings = {
            **SHORT_LEASES, **NO_KEY, "DATABASE_URL": database,
            "MASTER_KEY": cronicorn("master-key", "new").out.strip(),
            "ALERT_INTERVAL": "200ms", "SMTP_FROM": "cronicorn@example.com",
            "SMTP_URL": f"smtp://us%20er:p%40ss@127.0.0.1:{mail.port}",
        }  # fmt: skip
        self.api = stack.enter_context(service(folder, "api", ("api",), **self.settings))
        self.owner = Person(stack, self.api)
        self.shown = SECRETS_OF_FIRST_START.findall(self.api.talk)
        self.stack, self.folder = stack, folder

    def open(self):
        """Sign in as the first start said, and give a program and another tenant a key each."""
        key, self.password, link = self.shown
        assert key.startswith("ck_")
        assert link.startswith(f"{self.owner.client.base_url}".rstrip("/") + "/sign-in?token=cl_")
        assert self.owner.sign_in(login="owner", password=self.password).status_code == 200
        self.program = self._client(self.owner.made("/api/keys", {"name": "deploy", "role": "editor"}))
        self.rival = self._client(self.owner.made("/api/tenants", {"name": "rival"}))
        self.signer = Webhook(self.owner.made("/api/signing-keys")["rawKey"])

    def register(self):
        """Have the shop called each second, and people told when it fails."""
        self.owner.client.put("/api/alert-rules", json={"failures": 2}).raise_for_status()
        for channel, target in (("webhook", f"{self.hook.url}/hook"), ("email", "ada@example.com")):
            self.owner.made(
                "/api/alert-routes", {"name": channel, "channel": channel, "target": target, "kinds": ["failing"]}
            )
        self.job = made(self.program, "/api/jobs", {"name": "shop"})["id"]
        self.endpoint = made(self.program, f"/api/jobs/{self.job}/endpoints", {
            "name": "stock", "url": f"{self.shop.url}/stock", "method": "POST", "bodyJson": {"want": "stock"},
            "baselineIntervalMs": 1_000, "maxIntervalMs": 1_000,
        })["id"]  # fmt: skip

    def _client(self, made):
        return self.stack.enter_context(self.api.client(made["key"]))

    def ids(self):
        run = self.program.get(f"/api/endpoints/{self.endpoint}/runs").json()["runs"][0]["runId"]
        incident = self.program.get("/api/incidents").json()["incidents"][0]["id"]
        return {"job": self.job, "endpoint": self.endpoint, "run": run, "incident": incident}


@contextmanager
def an_installation(folder, database, monkeypatch):
    with ExitStack() as stack:
        mail = stack.enter_context(mail_server(folder))
        monkeypatch.setenv("SSL_CERT_FILE", str(mail.ca_file))
        yield Installation(folder, stack, database, mail), mail


def test_from_the_first_start_to_a_restored_copy(tmp_path, places, monkeypatch):
    database, elsewhere = places
    with an_installation(tmp_path, database, monkeypatch) as (here, mail):
        here.open()
        here.register()
        scheduler = here.stack.enter_context(service(tmp_path, "scheduler", ("scheduler",), **here.settings))

        # It runs, and every call is signed.
        eventually(lambda: len(here.shop.posted) >= 2, within_s=60)
        for call in list(here.shop.posted):
            assert here.signer.verify(call.body, call.headers) == {"want": "stock"}

        # The other tenant sees nothing of it.
        assert here.rival.get("/api/jobs").json() == {"jobs": []}
        assert here.rival.get(f"/api/endpoints/{here.endpoint}/runs").status_code == 404
        assert here.rival.get("/api/tenants").status_code == here.program.get("/api/audit").status_code == 403

        # It breaks, people are told, and told again when it is over.
        here.shop.status = 500
        eventually(lambda: told(here.hook, "incident.opened") and mail.mails, within_s=60)
        here.shop.status = 200
        eventually(lambda: told(here.hook, "incident.recovered") and len(mail.mails) == 2, within_s=60)
        for message in here.hook.posted:
            here.signer.verify(message.body, message.headers)
        assert [mail["Subject"] for _, mail in mail.mails] == [
            "Cronicorn: stock is failing", "Cronicorn: Over: stock is failing",
        ]  # fmt: skip

        # Who did what is written down, and no secret with it.
        entries = here.owner.client.get("/api/audit", params={"limit": 100}).json()["entries"]
        done = [(entry["actorKind"], entry["action"]) for entry in reversed(entries)]
        assert done == [
            ("local", "member.offer_link"), ("user", "account.sign_in"), ("user", "key.create"),
            ("user", "tenant.add"), ("user", "signing_key.create"),
            ("user", "alert_rules.change"), ("user", "alert_route.create"), ("user", "alert_route.create"),
            ("key", "job.create"), ("key", "endpoint.create"),
        ]  # fmt: skip
        keys = [here.program.headers["x-api-key"], here.rival.headers["x-api-key"], *here.shown]
        assert not any(secret in json.dumps(entries) + here.api.talk.partition("{")[2] for secret in keys)

        # The link of the first start opens the web app, once, and not by being looked at.
        browser, link = Person(here.stack, here.api), here.shown[2]
        token = {"token": link.partition("token=")[2]}
        assert token["token"] in browser.client.get(link).text
        assert (browser.status(), browser.client.post("/sign-in", data=token).status_code) == (401, 303)
        assert (browser.status(), browser.client.get("/").status_code) == (200, 200)
        assert Person(here.stack, here.api).client.post("/sign-in", data=token).status_code == 401

        # It is backed up, restored into a database of the other kind, and answers there as it did here.
        scheduler.process.send_signal(signal.SIGTERM)
        assert scheduler.ended() == 0
        eventually(lambda: here.program.get("/api/incidents", params={"open": True}).json()["incidents"] == [])
        backup = tmp_path / "backup.cronicorn"
        ids, before = here.ids(), answers(here.owner.client, **here.ids())
        for command, url in (("backup", database), ("restore", elsewhere)):
            ended = cronicorn(command, str(backup), env=environment(**here.settings | {"DATABASE_URL": url}))
            assert ended.code == 0, ended.err
        moved = here.stack.enter_context(
            service(tmp_path, "moved", ("api",), **here.settings | {"DATABASE_URL": elsewhere})
        )
        with moved.client(here.shown[0]) as client:
            assert answers(client, **ids) == before
        assert Person(here.stack, moved).sign_in(login="owner", password=here.password).status_code == 200
        assert SECRETS_OF_FIRST_START.findall(moved.talk) == []


def test_what_ends_at_one_process_has_ended_at_all(tmp_path, places):
    database, _ = places
    settings = {**NO_KEY, "DATABASE_URL": database}
    with ExitStack() as stack:
        one, two = [stack.enter_context(service(tmp_path, name, ("api",), **settings)) for name in ("one", "two")]
        here, there = Person(stack, one), Person(stack, two)
        # Both started at once: one of them, whichever, made the installation and said so.
        key, password, *_ = SECRETS_OF_FIRST_START.findall(one.talk) + SECRETS_OF_FIRST_START.findall(two.talk)

        # Another password ends every session but the one that chose it.
        assert [person.sign_in(login="owner", password=password).status_code for person in (here, there)] == [200, 200]
        assert there.status() == 200
        changed = here.made("/api/me/password", {"password": password, "newPassword": "correct horse battery"})
        here.client.headers["x-csrf-token"] = changed["csrfToken"]
        assert (here.status(), there.status()) == (200, 401)
        assert there.sign_in(login="owner", password=password).status_code == 401

        # A key that is revoked at one opens nothing at the other, from the next request on.
        program = here.made("/api/keys", {"name": "ci", "role": "viewer"})
        with two.client(program["key"]) as client:
            assert client.get("/api/jobs").status_code == 200
            here.client.delete(f"/api/keys/{program['id']}").raise_for_status()
            assert client.get("/api/jobs").status_code == 401

        # A link that was made on the machine signs in once, at whichever comes first.
        made_link = cronicorn("member", "sign-in-link", "owner", env=environment(**settings))
        link = made_link.out.strip().partition("token=")[2]
        assert there.sign_in(token=link).status_code == 200
        assert Person(stack, one).sign_in(token=link).status_code == 401
        assert (here.status(), there.status()) == (200, 200)

        # Whoever leaves is gone everywhere.
        member = here.made("/api/members", {"login": "ann@example.org", "role": "viewer"})
        ann = Person(stack, two)
        assert ann.sign_in(login="ann@example.org", password=member["password"]).status_code == 200
        here.client.delete(f"/api/members/{member['id']}").raise_for_status()
        assert ann.status() == 401
        assert stack.enter_context(one.client(key)).get("/api/jobs").status_code == 200
