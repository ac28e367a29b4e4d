"""`cronicorn policy compile|propose|show|diff|activate|reject`, as typed by a person, on a store and on a server."""

import json

import pytest

from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.control.keys import hash_of
from cronicorn.domain.fixtures import MIDNIGHT, an_outcome
from cronicorn.domain.tenant import ApiKey, Tenant
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import TENANT, plant, run_once
from tests.cli.command import cronicorn, environment
from tests.cli.places import Somewhere, a_server
from tests.compilation.workshop import DESCRIPTION, SURGE, writes
from tests.servers.model import fake_model
from tests.wiring.up_process import KEY, service


@pytest.fixture
async def store(tmp_path):
    """The settings of a store with a described endpoint that was called three times."""
    clock = VirtualClock()
    stores = await SqliteStores.open(tmp_path / "store.db", clock)
    key = ApiKey(id="key1", tenant_id=TENANT, prefix="ck_", hash=hash_of(KEY), created_at=MIDNIGHT)
    await stores.keys.add_tenant(Tenant(id=TENANT, name="default", created_at=MIDNIGHT), key)
    await plant(stores, "ep1", name="errors", description=DESCRIPTION)
    for rate in (1, 8, 1):
        await run_once(stores, clock, outcome=an_outcome(body=f'{{"error_rate_pct": {rate}}}', body_is_json=True))
    await stores.aclose()
    return {"DATABASE_URL": f"sqlite:{tmp_path / 'store.db'}"}


@pytest.fixture
def model():
    with fake_model(writes(SURGE)) as model:
        yield model


def connected(store, model):
    return environment(**store, AI_MODEL="openai:fake-1", AI_BASE_URL=model.url, AI_API_KEY="sk-test")


def test_a_description_is_compiled_looked_at_and_activated(store, model):
    made = cronicorn("policy", "compile", "shop/errors", env=connected(store, model))
    shown = cronicorn("policy", "show", "shop/errors", env=environment(**store))
    diff = cronicorn("policy", "diff", "shop/errors", env=environment(**store))
    activated = cronicorn("policy", "activate", "shop/errors", env=environment(**store))
    after = cronicorn("policy", "diff", "shop/errors", env=environment(**store))

    assert (made.code, made.err) == (0, "")
    assert "of shop/errors: draft" in made.out
    assert "  when   err is above 5" in made.out
    assert "120 tokens of openai:fake-1 in one round" in made.out
    assert shown.out == made.out
    assert diff.out.splitlines() == [
        '+ field err: {"path": "$.error_rate_pct", "type": "number"}',
        '+ rule surge: {"when": "err > 5", "until": "err < 2", "action": {"interval": "15s"}}',
    ]
    assert activated.out.endswith("of shop/errors is active.\n")
    assert after.out == "It changes nothing of the policy in force.\n"
    assert len(model.asked) == 1


def test_a_draft_is_rejected_and_shown_as_json(store, model):
    made = cronicorn("policy", "compile", "ep1", "--json", env=connected(store, model))
    rejected = cronicorn("policy", "reject", "ep1", json.loads(made.out)["id"], env=environment(**store))
    shown = cronicorn("policy", "show", "ep1", "--json", env=environment(**store))
    refused = cronicorn("policy", "activate", "ep1", env=environment(**store))

    assert json.loads(made.out)["status"] == "draft"
    assert rejected.code == 0
    assert json.loads(shown.out)["status"] == "rejected"
    assert (refused.code, "is rejected" in refused.err) == (5, True)


@pytest.fixture
def server(store, model, tmp_path):
    """The same store, with a model, behind a server that a profile names."""
    asked = {"AI_MODEL": "openai:fake-1", "AI_BASE_URL": model.url, "AI_API_KEY": "sk-test"}
    with service(tmp_path, "api", ("api",), **store, **asked) as running, running.client() as client:
        yield a_server(tmp_path, str(client.base_url))


def test_a_server_compiles_and_decides_and_says_the_same_as_its_store(store, server, tmp_path):
    here = Somewhere(environment(**store))
    here.done("tenant", "set", "default", "--limit", "2000")
    denied = server("policy", "compile", "shop/errors")
    here.done("tenant", "set", "default", "--limit", "100000")
    made = server.done("policy", "compile", "shop/errors")
    shown = [place.read("policy", "show", "shop/errors") for place in (here, server)]
    diffs = [place.done("policy", "diff", "shop/errors") for place in (here, server)]
    tried = tmp_path / "policy.json"
    tried.write_text(json.dumps(shown[0]["policy"]))
    lengths = ("--policy", str(tried), "--over", "3650d", "--json")
    backtests = [json.loads(place.done("backtest", "shop/errors", *lengths)) for place in (here, server)]
    rejected = server.done("policy", "reject", "shop/errors", shown[0]["id"])
    refused = server("policy", "activate", "shop/errors")

    assert denied.code == 6
    assert "has 2,000 tokens in a window." in denied.err
    assert "Your tenant on http" in denied.err
    assert "of shop/errors: draft" in made
    assert shown[0] == shown[1]
    assert diffs[0] == diffs[1] != ""
    assert backtests[0]["rules"] == backtests[1]["rules"] != []
    assert rejected == f"Draft {shown[0]['id']} of shop/errors is rejected.\n"
    assert (refused.code, "is rejected" in refused.err) == (5, True)
    assert server.read("policy", "show", "shop/errors")["decided_by"] == "an API key"


WRITTEN = """\
version: 1
fields: {err: {path: $.error_rate_pct, type: number}}
rules:
  - {id: surge, when: err > 5, until: err < 2, action: {interval: 15s}}
tests: [{given: {err: 9}, expect: {interval: 15s}}, {given: {err: 1}, expect: {interval: baseline}}]
"""


@pytest.mark.parametrize("where", ["store", "server"])
def test_a_policy_is_proposed_and_somebody_else_decides(where, store, tmp_path, request):
    place = Somewhere(environment(**store)) if where == "store" else request.getfixturevalue("server")
    file, endless = tmp_path / "policy.yaml", tmp_path / "endless.yaml"
    file.write_text(WRITTEN)
    endless.write_text(WRITTEN.replace("err < 2", "err < 9"))

    tried = place("policy", "propose", "shop/errors", "--policy", str(file), "--dry-run")
    none = place("policy", "show", "shop/errors")
    refused = place("policy", "propose", "shop/errors", "--policy", str(endless))
    missing = place("policy", "propose", "shop/errors", "--policy", str(tmp_path / "none.yaml"))
    made = place("policy", "propose", "shop/errors", "--policy", str(file))
    again = place.read("policy", "propose", "shop/errors", "--policy", str(file))
    shown = place.done("policy", "show", "shop/errors")
    activated = place.done("policy", "activate", "shop/errors")
    same = place("policy", "propose", "shop/errors", "--policy", str(file))
    entries = place.read("audit")

    assert (tried.code, tried.err) == (0, "Nothing was kept.\n")
    assert (none.code, "`cronicorn policy compile` or `propose`" in none.err) == (4, True)
    assert (refused.code, refused.err.partition(": /rules/0/until: ")[0]) == (2, f"Error: {endless}:4")
    assert (missing.code, "There is no file" in missing.err) == (2, True)
    assert (made.code, made.out) == (0, shown)
    assert "(proposed), no model was asked" in shown
    assert "`cronicorn policy activate` puts it in force" in made.err
    assert (again["status"], again["id"] in shown) == ("draft", True)
    assert activated.endswith("of shop/errors is active.\n")
    assert (same.code, "has this policy already" in same.err) == (5, True)
    assert [each["action"] for each in entries][:2] == ["draft.activate", "draft.propose"]
    assert {each["actor"] for each in entries[:2]} == {"local" if where == "store" else "an API key"}


def test_what_came_to_nothing_is_told_and_fails(store):
    endless = {**SURGE, "rules": [{**SURGE["rules"][0], "until": "err < 9"}]}
    with fake_model(writes(endless)) as model:
        made = cronicorn("policy", "compile", "ep1", env=connected(store, model))

    assert made.code == 1
    assert "needs attention" in made.out
    assert "error: /rules/0/until: `when` and `until` both hold" in made.out


def test_without_a_model_it_says_how_to_connect_one(store):
    ended = cronicorn("policy", "compile", "ep1", env=environment(**store))

    assert ended.code == 7
    assert "CRONICORN_AI_MODEL" in ended.err


def test_without_drafts_it_says_how_to_make_one(store):
    ended = cronicorn("policy", "show", "ep1", env=environment(**store))

    assert ended.code == 4
    assert "`cronicorn policy compile`" in ended.err


def test_a_compile_that_the_quota_denies_names_the_tenant_and_the_command(store, model):
    env = connected(store, model) | environment(QUOTA_TIERS="free-tier:2000")

    denied = cronicorn("policy", "compile", "ep1", env=env)

    assert (denied.code, denied.out, model.asked) == (6, "", [])
    assert "has less in a whole window (too_large); waiting does not help" in denied.err
    assert "'default' has 2,000 tokens in a window: `cronicorn tenant set default --limit 100000`" in denied.err
