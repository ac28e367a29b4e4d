"""Alerts as they are met: real processes, a target that fails, a webhook that checks signatures, a mail server."""

import json
from contextlib import ExitStack
from datetime import timedelta

import pytest
from standardwebhooks import Webhook

from cronicorn.control.identity import random_id
from cronicorn.domain.alert.alerting import AlertChannel, Alerting, AlertRoute
from cronicorn.domain.alert.rows import alerting_text
from cronicorn.domain.alert.telling import trial
from cronicorn.domain.quota.allowance import Budget
from cronicorn.wiring.engine import engine
from cronicorn.wiring.settings import Settings
from tests.cli.command import cronicorn, environment
from tests.servers.databases import ask, fresh_database
from tests.waiting import eventually
from tests.wiring.alert_receivers import http_receiver, mail_server
from tests.wiring.up_process import SHORT_LEASES, create_endpoint, service


@pytest.fixture
def url():
    """An empty database for several processes."""
    with fresh_database(migrated=False) as fresh:
        yield fresh


@pytest.fixture
def receiver():
    with http_receiver() as running:
        yield running


@pytest.fixture
def mail(tmp_path, monkeypatch):
    with mail_server(tmp_path) as running:
        monkeypatch.setenv("SSL_CERT_FILE", str(running.ca_file))
        yield running


def _route(client, **fields):
    made = client.post("/api/alert-routes", json={"name": "a route", **fields})
    assert made.status_code == 201, made.text
    return made.json()["id"]


def _kinds(client, **query):
    return [each["kind"] for each in client.get("/api/incidents", params=query).json()["incidents"]]


def _told(posted, kind):
    """What a webhook was told of incidents of a *kind*, each message once."""
    once = {each.headers["idempotency-key"]: each.json for each in posted}
    return [each for each in once.values() if each["data"].get("kind") == kind]


def test_from_the_first_failure_to_the_recovery_people_are_told_with_one_id(tmp_path, url, receiver, mail):
    settings = {
        **SHORT_LEASES, "DATABASE_URL": url, "ALERT_INTERVAL": "200ms", "SMTP_FROM": "cronicorn@example.com",
        "SMTP_URL": f"smtp://us%20er:p%40ss@127.0.0.1:{mail.port}",
    }  # fmt: skip
    with ExitStack() as stack:
        api = stack.enter_context(service(tmp_path, "api", ("api",), **settings))
        client = stack.enter_context(api.client())
        signing_key = client.post("/api/signing-keys").json()
        client.put("/api/alert-rules", json={"failures": 2, "lateAfterMs": 10_000}).raise_for_status()
        hook = _route(client, channel="webhook", target=f"{receiver.url}/hook", remindEveryMs=1_000)
        _route(client, channel="slack", target=f"{receiver.url}/slack", kinds=["failing"])
        _route(client, channel="email", target="ada@example.com, ben@example.com", kinds=["failing"])
        tested = client.post(f"/api/alert-routes/{hook}/test")
        endpoint_id = create_endpoint(client, url=receiver.url, baselineIntervalMs=1_000, maxIntervalMs=1_000)

        # Nobody runs it: the API alone is alive, and tells.
        eventually(lambda: _told(receiver.at("/hook"), "late"), within_s=60)
        stack.enter_context(service(tmp_path, "scheduler", ("scheduler",), **settings))
        eventually(lambda: len(_told(receiver.at("/hook"), "failing")) >= 2, within_s=60)
        eventually(lambda: receiver.at("/slack") and mail.mails, within_s=60)
        (incident,) = [each for each in client.get("/api/incidents").json()["incidents"] if each["kind"] == "failing"]
        acknowledged = client.post(f"/api/incidents/{incident['id']}/acknowledge").json()
        receiver.target_status = 200
        eventually(lambda: _kinds(client, open=True) == [], within_s=60)
        eventually(lambda: len(receiver.at("/slack")) == len(mail.mails) == 2, within_s=60)
        detail = client.get(f"/api/incidents/{incident['id']}").json()
        messages = client.get(f"/api/alert-routes/{hook}/messages").json()["messages"]
        metrics = client.get("/metrics").text

    told = _told(receiver.at("/hook"), "failing")
    assert tested.status_code == 202
    assert told[0]["type"] == "incident.opened"
    assert {each["type"] for each in told[1:-1]} == {"incident.reminder"}
    assert told[-1]["type"] == "incident.recovered"
    assert {each["data"]["incidentId"] for each in told} == {incident["id"]}
    assert {each["data"]["endpointId"] for each in told} == {endpoint_id}
    assert acknowledged["acknowledgedBy"] == "an API key"
    assert detail["ending"] == "The last run succeeded."
    assert {each["state"] for each in detail["messages"]} == {"delivered"}
    assert len([each for each in detail["messages"] if each["event"] == "recovered"]) == 3
    assert tested.json()["id"] in {each["id"] for each in messages if each["event"] == "test"}
    for each in receiver.at("/hook"):
        Webhook(signing_key["rawKey"]).verify(each.body, each.headers)
        assert each.headers["webhook-id"] == each.headers["idempotency-key"]
    assert [each.json["text"].splitlines()[0] for each in receiver.at("/slack")] == [
        "*Cronicorn: stock is failing*", "*Cronicorn: Over: stock is failing*",
    ]  # fmt: skip
    recipients, first = mail.mails[0]
    assert recipients == ["ada@example.com", "ben@example.com"]
    assert (first["Subject"], first["From"]) == ("Cronicorn: stock is failing", "cronicorn@example.com")
    assert incident["id"] in first.get_payload()
    assert "cronicorn_open_incidents" in metrics


def test_a_receiver_that_is_down_gets_the_same_message_later_and_the_command_line_shows_it(tmp_path, receiver):
    receiver.status = 503
    store = f"sqlite:{tmp_path / 'store.db'}"
    env = environment(DATABASE_URL=store, API_KEY="a-key-for-tests-only")

    def alert(*words):
        ended = cronicorn("alert", *words, env=env)
        assert ended.code == 0, ended.err
        return ended.out

    route = alert("add", "hook", "--channel", "webhook", "--target", f"{receiver.url}/hook").strip()
    with service(tmp_path, DATABASE_URL=store, ALERT_INTERVAL="200ms") as up, up.client() as client:
        alert("test", route)
        eventually(lambda: up.events("alert_delayed"))
        delayed = json.loads(alert("messages", route, "--json"))
        receiver.status = 200
        eventually(lambda: up.events("alert_delivered"), within_s=30)
        metrics = client.get("/metrics").text

    (message,) = json.loads(alert("messages", route, "--json"))
    assert [(each["state"], each["error"]) for each in delayed] == [("waiting", "The receiver answered 503.")]
    assert (message["state"], message["id"]) == ("delivered", delayed[0]["id"])
    assert {(each.headers["idempotency-key"], each.body) for each in receiver.at("/hook")} == {
        (message["id"], receiver.posted[0].body)
    }
    assert 'cronicorn_alerts_total{channel="webhook",outcome="delivered"} 1.0' in metrics
    assert "hook" in alert("routes")
    assert alert("incidents", "--all") == ""
    nightly = ("--cron", "0 3 * * 0", "--timezone", "Europe/Berlin", "--for", "2h")
    window = alert("maintenance", "upgrade", *nightly).strip()
    assert window in alert("maintenance")
    alert("maintenance", "--remove", window)
    alert("remove", route)
    assert json.loads(alert("routes", "--json")) == json.loads(alert("maintenance", "--json")) == []


def test_tokens_that_run_out_are_told():
    given = {"CRONICORN_DATABASE_URL": "memory:", "CRONICORN_QUOTA_TIERS": "free-tier:100000"}

    async def told():
        async with engine(Settings.from_env(given), scheduling=False, compiling=False) as parts:
            await parts.control.tenants.bootstrap("a-key-for-tests-only")
            (tenant,) = await parts.stores.keys.tenants()
            await parts.stores.alertings.change(tenant.id, lambda before: before)
            await parts.tokens.quota.reserve(
                tenant.id, 85_000, budget=Budget.COMPILE, key="k", ttl=timedelta(minutes=1)
            )
            await parts.alerts.watchman.look_once()
            return [each.kind.value for each in await parts.stores.incidents.open()]

    assert ask(told()) == ["tokens_near"]


async def test_the_first_start_seals_urls_that_an_earlier_version_stored_and_they_go_on_working(
    tmp_path, receiver, caplog
):
    caplog.set_level("INFO")
    settings = Settings.from_env({
        "CRONICORN_DATABASE_URL": f"sqlite:{tmp_path / 'store.db'}", "CRONICORN_EGRESS_ALLOW": "127.0.0.0/8",
        "CRONICORN_API_KEY": "a-key-for-tests-only",
    })  # fmt: skip
    route = AlertRoute(id="chat", name="chat", channel=AlertChannel.SLACK, target=f"{receiver.url}/services/T0815")
    async with engine(settings, scheduling=False) as parts:
        await parts.control.tenants.bootstrap(settings.api_key, with_owner=False)
        [tenant] = await parts.stores.keys.tenants()
        await parts.stores.alertings.change(tenant.id, lambda before: before.with_route(route))
    stored = route
    for _ in range(2):
        async with engine(settings, scheduling=False) as parts:
            stored = (await parts.stores.alertings.get(tenant.id)).route("chat")
            message = trial(tenant.id, stored, parts.clock.now(), random_id("alert"))
            await parts.stores.outbox.add(message)
            [claimed] = await parts.stores.outbox.claim_due(claim_id="c", limit=5, ttl=timedelta(minutes=1))
            await parts.alerts.courier.deliver(claimed)

    assert "T0815" not in alerting_text(Alerting(routes=(stored,)))
    assert [record.message for record in caplog.records].count("alert_urls_sealed") == 1
    assert len(receiver.at("/services/T0815")) == 2
