"""The same commands act on a store of this machine and on a server, and say the same."""

import json

import pytest

from cronicorn.cli.place import DEFAULT_TENANT
from cronicorn.control.tenants import FIRST_TENANT
from cronicorn.domain.outgoing import VERSION
from tests.cli.command import cronicorn, environment
from tests.cli.places import a_server, a_store
from tests.waiting import eventually
from tests.wiring.target import target
from tests.wiring.up_process import KEY, service

FAR = "2999-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with service(tmp_path_factory.mktemp("server"), DRAIN_GRACE="1s") as running, running.client() as client:
        yield str(client.base_url)


@pytest.fixture(scope="module")
def stranger():
    """Another server, which answers everything."""
    with target() as called:
        yield called.url


@pytest.fixture(params=["store", "server"])
def here(request, tmp_path):
    if request.param == "store":
        return a_store(tmp_path)
    return a_server(tmp_path, request.getfixturevalue("server"))


def test_jobs_and_endpoints_live_their_whole_life_from_the_command_line(server, tmp_path):
    here = a_server(tmp_path, server)
    job = here.done("job", "create", "shop").strip()
    once = ("--url", "https://shop.example/stock", "--once-at", FAR)
    made = here.done("endpoint", "create", "shop/stock", *once, "--header", "Accept: text/plain").strip()
    tried = here.done("endpoint", "create", "shop/prices", *once, "--dry-run")
    shown = here.read("endpoint", "show", "shop/stock")
    here.done("endpoint", "edit", "shop/stock", "--every", "5m", "--set", "retries.retryCount=2", "--name", "goods")
    listed = here.read("endpoint", "list", "shop")
    paused = here.done("endpoint", "pause", "shop/goods", "--until", FAR, "--reason", "stocktaking")
    held = here.read("endpoint", "show", made)
    here.done("endpoint", "resume", "shop/goods")
    here.done("endpoint", "hint", "shop/goods", "--every", "30s", "--for", "2h", "--reason", "sale")
    hinted = here.done("endpoint", "list")
    cleared = here.read("endpoint", "clear-hints", "shop/goods")
    here.done("endpoint", "archive", "shop/goods")
    left = here.read("endpoint", "list")
    here.done("endpoint", "unarchive", "shop/goods")
    unsaid = here("endpoint", "delete", "shop/goods")
    here.done("endpoint", "delete", "shop/goods", "--yes")
    gone = here("endpoint", "show", "shop/goods")
    here.done("job", "archive", job)

    assert "could be made" in tried
    assert shown["headersJson"] == {"Accept": "text/plain"}
    assert [(each["name"], each["baselineIntervalMs"]) for each in listed] == [("goods", 300_000)]
    assert listed[0]["retries"]["retryCount"] == 2
    assert "2999-01-01" in paused
    assert held["hints"][0]["reason"] == "stocktaking"
    assert "hinted (interval)" in hinted
    assert cleared["hints"] == []
    assert left == []
    assert (unsaid.code, "--yes" in unsaid.err) == (2, True)
    assert (gone.code, gone.out) == (4, "")
    assert here.read("job", "list") == []
    assert [each["id"] for each in here.read("job", "list", "--status", "archived")] == [job]


def test_a_store_is_changed_by_the_same_commands(tmp_path):
    """The page about the command line is typed on a store, too."""
    here = a_store(tmp_path)
    here.done("job", "create", "shop")
    here.done("endpoint", "create", "shop/stock", "--url", "https://shop.example/stock", "--once-at", FAR)
    hinted = here.read("endpoint", "hint", "shop/stock", "--in", "1h", "--reason", "sale")
    tried = here.done("endpoint", "edit", "shop/stock", "--every", "5m", "--dry-run")
    shown = here.read("endpoint", "show", "shop/stock")

    assert [each["reason"] for each in hinted["hints"]] == ["sale"]
    assert "nothing speaks against it" in tried
    assert "onceAt" in shown


def test_a_name_that_is_taken_is_warned_of_wherever_it_is_given_anew(here):
    make, once = ("endpoint", "create"), ("--url", "https://shop.example/", "--once-at", FAR)
    alone = [here("job", "create", "twin"), here(*make, "twin/stock", *once), here("job", "create", "single")]
    tried = here(*make, "twin/stock", *once, "--dry-run")
    again = [here(*make, "twin/stock", *once), here("job", "edit", "single", "--name", "twin")]
    third = here("job", "create", "twin", "--json")

    assert [ended.err.count("Warning") for ended in alone] == [0, 0, 0]
    assert [ended.code for ended in (*alone, tried, *again, third)] == [0] * 7
    assert all("Warning: /name: Another endpoint of the job has this name" in ended.err for ended in (tried, again[0]))
    assert all("Warning: /name: Another job has this name" in ended.err for ended in (again[1], third))
    assert [each["pointer"] for each in json.loads(third.out)["warnings"]] == ["/name"]
    for job in here.read("job", "list"):
        here.done("job", "archive", job["id"])


def test_what_is_wrong_is_told_of_the_option_and_ends_with_the_same_code(here):
    here.done("job", "create", "shop")

    ended = here("endpoint", "create", "shop/stock", "--url", "ftp://x", "--every", "100ms", "--timeout", "1ms")
    unknown = here("endpoint", "show", "shop/stok")

    assert ended.code == 2
    assert [line.rpartition(": ")[0] for line in ended.err.splitlines()] == ["Error: --every", "Error: --url"]
    assert (unknown.code, unknown.err[:36]) == (4, "Error: There is no endpoint 'shop/st")
    here.done("job", "archive", "shop")


def test_what_older_commands_say_of_a_store_they_say_of_a_server_too(server, tmp_path):
    there = a_server(tmp_path, server)
    made = there.read("key", "add", "dashboard", "--role", "viewer")
    there.done("key", "revoke", made["id"])
    password = there.done("member", "add", "ann@example.org", "--role", "editor").strip()
    there.done("member", "set", "ANN@example.org", "--role", "viewer")
    there.done("secret", "set", "token", stdin="a-secret-of-ours")
    signing = there.read("signing-key", "create")
    route = there.read("alert", "add", "ops", "--channel", "webhook", "--target", "https://ops.example/hook")
    there.done("alert", "rules", "set", "--failures", "7")
    there.done("job", "create", "told")
    there.done("endpoint", "create", "told/once", "--url", "https://x.example/", "--once-at", FAR)
    explained = there.read("explain", "told/once")

    assert [each["revoked_at"] is not None for each in there.read("key", "list") if each["name"] == "dashboard"] == [
        True
    ]
    assert len(password) == 24
    assert {each["login"]: each["role"] for each in there.read("member", "list")}["ann@example.org"] == "viewer"
    assert [each["name"] for each in there.read("secret", "list")] == ["token"]
    assert [each["prefix"] for each in there.read("signing-key", "show")] == [signing["prefix"]]
    assert [each["id"] for each in there.read("alert", "routes")] == [route["id"]]
    assert there.read("alert", "rules", "show")["failures"] == 7
    assert there.read("alert", "incidents") == []
    assert there.read("audit", "--limit", "1")[0]["action"] == "endpoint.create"
    assert there.read("quota", "show")["execution"]["runs"] is None
    assert [(each["alive"], each["version"]) for each in there.read("workers")] == [(True, VERSION)]
    assert explained["plan"]["next_run_at"] == "2999-01-01T00:00:00.000Z"
    assert "The plan in force: 2999-01-01" in there.done("explain", "told/once")
    assert there.read("explain", "told/once", "--at", explained["now"])["run"] is None
    assert there.read("analyses", "list", "told/once")["sessions"] == []


def test_who_runs_the_installation_sees_to_tenants_here_and_on_a_server(here):
    made = here.read("tenant", "add", "acme")
    agreed = here.read("tenant", "set", "acme", "--limit", "1000", "--period", "month")
    zoned = here("tenant", "set", "acme", "--zone", "Europe/Berlin")
    kept = here.read("tenant", "retention", "acme", "--runs", "7d")
    later = here.read("tenant", "retention", made["id"], "--failures", "30d")
    opened = here.read("tenant", "egress", "acme", "--allow", "10.1.0.0/16, DB.internal")
    listed = {each["name"]: each for each in here.read("tenant", "list")}
    reset = here.read("tenant", "set", "acme", "--reset")
    twice, unknown = here("tenant", "add", "acme"), here("tenant", "set", "nobody", "--limit", "5")

    assert made["key"].startswith("ck_")
    assert (agreed["limit"], agreed["period"], agreed["zone"]) == (1_000, "month", None)
    assert zoned.out == "Tenant 'acme': limit 1000, period month, zone Europe/Berlin.\n"
    assert "Warning: A limit of 1,000 tokens never has room for an analysis" in zoned.err
    assert (kept["runs"], kept["failures"], later["runs"], later["failures"]) == ("7d", None, "7d", "30d")
    assert (opened["ranges"], opened["hosts"]) == (["10.1.0.0/16"], ["db.internal"])
    assert (listed["acme"]["id"], listed["acme"]["zone"]) == (made["id"], "Europe/Berlin")
    assert listed["default"]["limit"] is None
    assert reset == {"id": made["id"], "tier": None, "limit": None, "period": None, "zone": None}
    assert twice.code == 5
    assert (unknown.code, "`cronicorn tenant list`" in unknown.err) == (4, True)
    assert here.read("audit", "--action", "tenant.add", "--limit", "1")[0]["object_id"] == made["id"]


def test_a_tenants_key_sees_its_own_tenant_and_makes_or_changes_none(server, tmp_path):
    runner = a_server(tmp_path, server)
    made = runner.read("tenant", "add", "confined")
    runner.done("tenant", "egress", "confined", "--allow", "10.9.0.0/16")
    own = a_server(tmp_path, server, key=made["key"])

    refused = [
        own("tenant", *words)
        for words in (
            ("add", "another"), ("list",), ("set", "confined", "--limit", "9"),
            ("egress", "confined", "--allow", "::/0"), ("retention", "confined", "--runs", "7d"),
        )
    ]  # fmt: skip
    other = own("tenant", "egress", "default")

    assert [(ended.code, ended.out) for ended in refused] == [(8, "")] * len(refused)
    assert (other.code, "your key is of 'confined'" in other.err) == (4, True)
    assert own.read("tenant", "egress", "confined")["ranges"] == ["10.9.0.0/16"]
    assert own.read("tenant", "egress", made["id"])["id"] == made["id"]


def test_a_link_signs_a_member_in_that_was_made_here_or_on_a_server(here, server):
    login = "bob@example.org"
    here.done("member", "add", login, "--role", "viewer")
    made = here.read("member", "sign-in-link", login.upper())
    told = here("member", "sign-in-link", login)
    stranger = here("member", "sign-in-link", "nobody")
    entries = here.read("audit", "--action", "member.offer_link")

    site = "http://127.0.0.1:3333" if "CRONICORN_DATABASE_URL" in here.env else server
    assert made["url"] == f"{site.rstrip('/')}/sign-in?token={made['token']}"
    assert (made["login"], made["ends_at"] > made["created_at"]) == (login, True)
    assert told.out.startswith(f"{site.rstrip('/')}/sign-in?token=cl_")
    assert "signs in here, once, until 20" in told.err
    assert stranger.code == 4
    assert [each["object_id"] for each in entries[:2]] == [made["id"]] * 2
    assert made["token"] not in json.dumps(entries)


def test_an_endpoint_is_run_and_tried_on_a_server(server, tmp_path):
    there = a_server(tmp_path, server)
    with target() as called:
        there.done("job", "create", "calls")
        there.done("endpoint", "create", "calls/one", "--url", f"{called.url}/x", "--dormant")
        trial = there("endpoint", "test", "calls/one")
        ran = there("endpoint", "run", "calls/one", "--wait")
        shown = there.read("run", "show", ran.out.split()[0])
        there.done("endpoint", "edit", "calls/one", "--set", 'successStatuses=["300"]')
        failed = there("endpoint", "run", "calls/one", "--wait", "--json")

    assert (trial.code, trial.out) == (0, "{}\n")
    assert (ran.code, ran.out.split()[1:3]) == (0, ["success", "200"])
    assert shown["status"] == "success"
    assert (failed.code, json.loads(failed.out)["status"]) == (1, "failed")
    assert len(called.keys) == 3


def test_an_endpoint_of_a_store_is_tried_from_here(tmp_path):
    with target() as called:
        env = environment(DATABASE_URL=f"sqlite:{tmp_path / 'own.db'}", EGRESS_ALLOW="127.0.0.0/8")
        for words in (("job", "create", "a"), ("endpoint", "create", "a/b", "--url", f"{called.url}/", "--dormant")):
            assert cronicorn(*words, env=env).code == 0
        trial = cronicorn("endpoint", "test", "a/b", env=env)
        eventually(lambda: len(called.keys) == 1)

    assert (trial.code, trial.out) == (0, "{}\n"), trial.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--database", "sqlite:x.db", "--profile", "there"), 2, "give one of them"),
        (("--profile", "elsewhere"), 4, "There is no profile 'elsewhere'"),
        (("--tenant", "acme"), 2, "the key says for which tenant"),
        (("--profile", "nobody"), 7, "can't be reached"),
        (("--profile", "stranger"), 3, "key"),
        (("--profile", "deep"), 2, "sends on to"),
        (("--profile", "other"), 7, "not as Cronicorn does"),
        (("--profile", "unset"), 2, "the variable NOT_SET_ANYWHERE, which is not set"),
        (("--profile", "asked"), 2, "this is no terminal"),
    ],
)
def test_what_keeps_a_command_from_its_server_is_said(arguments, code, said, *, server, stranger, tmp_path):
    there = a_server(tmp_path, server)
    file = tmp_path / "profiles.json"
    known = json.loads(file.read_text())
    known["profiles"] |= {
        "nobody": {"url": "http://127.0.0.1:9", "key": "k"},
        "stranger": {"url": server, "key": "unknown-key"},
        "deep": {"url": f"{server}/nowhere", "key": KEY},
        "other": {"url": stranger, "key": KEY},
        "unset": {"url": server, "keyVariable": "NOT_SET_ANYWHERE"},
        "asked": {"url": server, "ask": True},
    }
    file.write_text(json.dumps(known))

    ended = there("job", "list", *arguments)

    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err
    assert KEY not in ended.err


def test_what_works_on_a_database_itself_refuses_while_a_profile_is_in_use(server, tmp_path):
    there = a_server(tmp_path, server)

    file = str(tmp_path / "all.db")
    refused = [
        there(*words)
        for words in (
            ("backup", file), ("restore", file), ("migrate",), ("verify",), ("master-key", "rewrap"), ("mcp",),
        )
    ]  # fmt: skip
    named = there("verify", "--database", f"sqlite:{tmp_path / 'none.db'}")

    assert "works on a database itself, while the profile 'there'" in refused[0].err
    assert {(ended.code, ended.out, ended.err) for ended in refused} == {(2, "", refused[0].err)}
    assert "There is no Cronicorn installation" in named.err


def test_the_tenant_that_is_meant_where_none_is_named_is_the_first_of_an_installation():
    assert DEFAULT_TENANT == FIRST_TENANT
