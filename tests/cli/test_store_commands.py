"""Commands that act on a store: tenants, files, explanations, runs."""

import json
import pathlib
import signal
import subprocess
import sys

import pytest

from tests.cli.command import cronicorn, environment
from tests.waiting import eventually
from tests.wiring.target import target
from tests.wiring.up_process import service

KEY = "a-key-for-tests-only"
SHOP = """\
jobs:
  - name: shop
    description: what customers see
    endpoints:
      - name: stock
        url: {url}/stock
        baselineIntervalMs: {interval}
      - name: prices
        url: {url}/prices
        baselineCron: "0 3 * * *"
        headersJson: {{authorization: Bearer {secret}}}
"""


@pytest.fixture
def env(tmp_path):
    return environment(DATABASE_URL=f"sqlite:{tmp_path / 'store.db'}", API_KEY=KEY)


@pytest.fixture
def shop(tmp_path):
    def written(url="http://127.0.0.1:9", interval=60_000, secret="abc", text=SHOP):
        file = tmp_path / "shop.yaml"
        file.write_text(text.format(url=url, interval=interval, secret=secret))
        return str(file)

    return written


def applied(env, file, *options):
    ended = cronicorn("apply", "-f", file, *options, env=env)
    assert ended.code == 0, ended.err
    return ended.out


def test_applying_a_file_twice_leaves_nothing_to_do(env, shop):
    first, second = applied(env, shop()), applied(env, shop())

    assert first.splitlines() == ["+ job shop", "+ shop/stock", "+ shop/prices", "Done: 3 created; 0 unchanged."]
    assert second.splitlines() == ["Nothing to do: 3 unchanged."]


def test_only_what_changed_is_shown_and_secrets_stay_masked(env, shop):
    applied(env, shop())

    out = applied(env, shop(interval=30_000, secret="xyz"))

    assert "~ shop/stock" in out
    assert "    baselineIntervalMs: 60000 → 30000" in out
    assert '{"authorization": "********"}' in out
    assert "xyz" not in out
    assert out.endswith("Done: 2 updated; 1 unchanged.\n")


def test_a_dry_run_writes_nothing(env, shop):
    out = applied(env, shop(), "--dry-run")

    assert out.endswith("Would be: 3 created; 0 unchanged. Nothing was written.\n")
    assert json.loads(applied(env, shop(), "--dry-run", "--json"))["differences"][0]["deed"] == "created"


def test_a_file_may_come_from_stdin(env, shop):
    with pathlib.Path(shop()).open() as file:
        ended = cronicorn("apply", "-f", "-", stdin=file.read(), env=env)

    assert ended.code == 0, ended.err


def test_what_is_wrong_in_a_file_is_told_with_its_line(env, tmp_path):
    file = tmp_path / "wrong.yaml"
    file.write_text("jobs:\n  - name: shop\n    endpoints:\n      - name: stock\n        urll: x\n")

    ended = cronicorn("apply", "-f", str(file), env=env)

    assert (ended.code, ended.out) == (2, "")
    assert f"{file}:5: /jobs/0/endpoints/0/urll: " in ended.err


def test_a_missing_file_is_not_found(env):
    assert cronicorn("apply", "-f", "nowhere.yaml", env=env).code == 4


def test_tenants_are_added_with_a_key_and_listed(env):
    added = cronicorn("tenant", "add", "acme", env=env)
    again = cronicorn("tenant", "add", "acme", env=env)

    rows = json.loads(cronicorn("tenant", "list", "--json", env=env).out)

    assert (added.code, again.code) == (0, 5)
    assert added.out.startswith("ck_")
    assert [row["name"] for row in rows] == ["default", "acme"]


def test_each_tenant_sees_its_own(env, shop):
    cronicorn("tenant", "add", "acme", env=env)
    applied(env, shop(), "--tenant", "acme")

    ours = cronicorn("explain", "shop/stock", env=env)
    theirs = cronicorn("explain", "shop/stock", "--tenant", "acme", env=env)
    nobodys = cronicorn("runs", "--tenant", "nobody", env=env)

    assert (ours.code, theirs.code, nobodys.code) == (4, 0, 4)


def test_a_reading_command_adds_no_key(env):
    cronicorn("tenant", "add", "acme", env=env)

    ended = cronicorn("tenant", "list", env=env | {"CRONICORN_API_KEY": "another-key-for-tests"})

    assert (ended.code, ended.err) == (0, "")


def test_tenants_are_listed_under_headings(env):
    cronicorn("tenant", "add", "acme", env=env)

    heads, *rows = cronicorn("tenant", "list", env=env).out.splitlines()

    assert heads.split() == ["NAME", "ID", "CREATED"]
    assert [row.split()[0] for row in rows] == ["default", "acme"]
    assert {row.index("tenant_") for row in rows} == {heads.index("ID")}


def test_no_runs_yet_is_said_on_stderr(env, shop):
    applied(env, shop())

    ended = cronicorn("runs", env=env)

    assert (ended.code, ended.out, ended.err) == (0, "", "No runs yet.\n")


def test_an_empty_file_is_said_to_be_empty(env, tmp_path):
    from_stdin = cronicorn("apply", "-f", "-", env=env)
    empty = tmp_path / "empty.yaml"
    empty.write_text("# nothing\n")
    from_file = cronicorn("apply", "-f", str(empty), env=env)

    assert (from_stdin.code, from_file.code) == (2, 2)
    assert from_stdin.err.startswith("Error: stdin is empty: it needs `jobs:`")
    assert from_file.err.startswith(f"Error: {empty} is empty: it needs `jobs:`")
    assert not (tmp_path / "store.db").exists()


def test_every_line_of_an_error_starts_alike(env):
    text = "jobs:\n  - name: shop\n    endpoints:\n      - {name: stock, urll: x}\n      - {nmae: prices, url: y}\n"

    ended = cronicorn("apply", "-f", "-", stdin=text, env=env)

    assert len(ended.err.splitlines()) > 1
    assert all(line.startswith("Error: stdin:") for line in ended.err.splitlines())


def test_the_name_of_a_job_leads_to_its_endpoints(env, shop):
    applied(env, shop())

    of_a_job = cronicorn("explain", "shop", env=env)
    far_off = cronicorn("explain", "first steps", env=env)

    assert "its endpoints are 'shop/stock', 'shop/prices'." in of_a_job.err
    assert far_off.err == "Error: There is no endpoint 'first steps': give its id, or its name as job/endpoint.\n"


def test_a_store_that_no_other_process_sees_is_refused(env):
    ended = cronicorn("runs", "--database", "memory:", env=env)

    assert ended.code == 2


def test_an_endpoint_is_explained_by_name_or_id(env, shop):
    applied(env, shop())

    by_name = json.loads(cronicorn("explain", "shop/prices", "--json", env=env).out)
    tree = cronicorn("explain", by_name["id"], env=env)

    assert by_name["plan"]["source"] == "baseline-cron"
    assert by_name["plan"]["next_run_at"].endswith("T03:00:00.000Z")
    assert by_name["plan"]["trace"][0]["why"] == "The baseline's next instant."
    assert "won     baseline-cron" in tree.out
    assert "The baseline's next instant." in tree.out


def test_an_unknown_endpoint_is_not_found_and_the_nearest_is_named(env, shop):
    applied(env, shop())

    ended = cronicorn("explain", "shop/stok", env=env)

    assert (ended.code, ended.out) == (4, "")
    assert "Did you mean 'shop/stock'?" in ended.err


def test_runs_are_listed_and_followed(tmp_path, env, shop):
    with target() as server, service(tmp_path) as up:
        up.client().close()
        applied(env, shop(server.url, interval=1_000))
        command = [sys.executable, "-m", "cronicorn", "runs", "--follow", "--json"]
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as following:
            assert following.stdout is not None
            lines = [json.loads(following.stdout.readline()) for _ in range(2)]
            following.send_signal(signal.SIGINT)
            following.stdout.read()
        listed = cronicorn("runs", "shop/stock", "--limit", "1", env=env).out

    assert following.returncode == 130
    assert [(line["endpoint"], line["status"], line["slot"]) for line in lines] == [
        ("shop/stock", "success", 1), ("shop/stock", "success", 2),
    ]  # fmt: skip
    heads, only = listed.splitlines()
    assert heads.split()[:4] == ["STARTED", "ENDPOINT", "STATUS", "CODE"]
    assert only.split()[1:4] == ["shop/stock", "success", "200"]


def test_a_call_of_this_machine_that_is_refused_names_the_setting_that_opens_it(tmp_path, env, shop):
    with service(tmp_path, EGRESS_ALLOW="") as up:
        up.client().close()
        applied(env, shop("http://127.0.0.1:8000", interval=1_000))
        eventually(lambda: up.events("run_settled"))

    _, first, *_ = cronicorn("runs", "shop/stock", env=env).out.splitlines()

    assert first.endswith(
        "refused: 127.0.0.1:8000 may not be called: 127.0.0.1 is not an ordinary internet address (loopback, RFC 1122)"
        "; CRONICORN_EGRESS_ALLOW=127.0.0.0/8 opens it."
    )


def test_following_shows_each_run_once_although_there_is_more_history_than_the_limit(tmp_path, env, shop):
    with target() as server, service(tmp_path) as up:
        up.client().close()
        applied(env, shop(server.url, interval=1_000))
        eventually(lambda: len(up.events("run_settled")) >= 3)
        command = [sys.executable, "-m", "cronicorn", "runs", "--follow", "--limit", "1", "--json"]
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as following:
            assert following.stdout is not None
            slots = [json.loads(following.stdout.readline())["slot"] for _ in range(4)]
            following.send_signal(signal.SIGINT)
            following.stdout.read()

    assert slots[0] >= 3
    assert slots == list(range(slots[0], slots[0] + 4))


def test_what_the_command_line_changes_a_running_scheduler_sees(tmp_path, env, shop):
    with target() as server, service(tmp_path) as up:
        up.client().close()
        applied(env, shop(server.url, interval=1_000))

        eventually(lambda: server.keys)


def test_a_dry_run_on_a_store_that_is_not_there_makes_none(tmp_path):
    file = tmp_path / "jobs.yaml"
    file.write_text("jobs: [{name: shop, endpoints: [{name: stock, url: 'http://shop.example/', dormant: true}]}]")

    ended = cronicorn("apply", "-f", str(file), "--dry-run", "--database", f"sqlite:{tmp_path / 'none.db'}")

    assert ended.code == 0
    assert "stock" in ended.out
    assert not (tmp_path / "none.db").exists()


def test_of_a_file_that_the_tier_has_no_room_for_nothing_is_applied(env, shop):
    small = env | {"CRONICORN_ENDPOINTS_MAX": "1"}

    ended = cronicorn("apply", "-f", shop(), env=small)
    shown = cronicorn("diff", "-f", shop(), env=small)

    assert (ended.code, ended.out) == (5, "")
    assert "POST /api/jobs/{jobId}/endpoints/{id}/archive" in ended.err
    assert (shown.code, shown.out.splitlines()[-1][:9]) == (1, "Would be:")
    assert shown.out.startswith("+ job shop")


def test_the_name_of_an_endpoint_alone_leads_to_its_full_name(env, shop):
    applied(env, shop())

    ended = cronicorn("explain", "stock", env=env)

    assert ended.code == 4
    assert ended.err.endswith("Did you mean 'shop/stock'?\n")


def test_what_a_limit_skipped_is_told_also_where_the_settings_name_none(tmp_path, env, shop):
    with target() as server, service(tmp_path, RUNS_PER_MONTH="1") as up:
        up.client().close()
        applied(env, shop(server.url, interval=1_000))
        eventually(lambda: len(up.events("run_settled")) >= 2)

    explained, ran = cronicorn("explain", "shop/stock", env=env).out, cronicorn("runs", "shop/stock", env=env)

    assert "ended without a call, as skipped_quota" in " ".join(explained.replace("│", " ").split())
    assert ran.err.startswith("Skipped last: the slot of ")
    assert "as skipped_quota: " in ran.err
    assert len(ran.out.splitlines()) == 2
