"""Applying folders of files: who owns what, what is shown, what is pruned, and undoing."""

import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.cli.command import cronicorn, environment
from tests.cli.places import a_server
from tests.wiring.up_process import service

SHOP = """\
set: store
jobs:
  - name: shop
    endpoints:
      - {name: stock, url: "https://shop.example/stock", baselineIntervalMs: 60000}
"""
BANK = """\
set: store
jobs:
  - name: bank
    endpoints:
      - {name: rates, url: "https://bank.example/rates", baselineCron: "0 3 * * *", timeoutMs: 5000}
"""


@pytest.fixture
def env(tmp_path):
    return environment(DATABASE_URL=f"sqlite:{tmp_path / 'store.db'}", API_KEY="a-key-for-tests-only")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with service(tmp_path_factory.mktemp("server"), DRAIN_GRACE="1s") as running, running.client() as client:
        yield str(client.base_url)


@pytest.fixture(params=["store", "server"])
def place(request, tmp_path):
    """The environment that leads to a store of this machine, and to a server."""
    if request.param == "store":
        return request.getfixturevalue("env")
    return a_server(tmp_path, request.getfixturevalue("server")).env


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "schedules"
    (folder / "money").mkdir(parents=True)
    (folder / "shop.yaml").write_text(SHOP)
    (folder / "money" / "bank.yml").write_text(BANK)
    (folder / ".hidden.yaml").write_text("nonsense")
    (folder / "values.yaml").write_text("of: something else\n")
    return folder


def typed(env, *arguments, code=0):
    ended = cronicorn(*arguments, env=env)
    assert ended.code == code, (ended.out, ended.err)
    return ended


def test_a_folder_is_shown_applied_pruned_and_undone(place, folder):
    given = ("-f", str(folder))
    assert typed(place, "diff", *given, code=1).out.splitlines()[-1] == (
        "Would be: 4 created; 0 unchanged. Nothing was written."
    )
    typed(place, "apply", *given)
    assert typed(place, "diff", *given).out == "Nothing to do: 4 unchanged.\n"
    exported = typed(place, "export").out
    bank = folder / "money" / "bank.yml"
    bank.unlink()

    left = typed(place, "diff", *given)
    unasked = typed(place, "apply", *given, "--prune", code=2)
    shown = typed(place, "diff", *given, "--prune", "--json", code=1)
    pruned = typed(place, "apply", *given, "--prune", "--yes")
    bank.write_text(BANK)
    undone = typed(place, "apply", *given)

    assert exported.count("baseline") == 2
    assert "? bank/rates is listed no longer, and left alone (--prune takes it away)" in left.out
    assert unasked.err.splitlines()[1:3] == ["- bank/rates", "- job bank"]
    assert "say --yes" in unasked.err
    assert [each["deed"] for each in json.loads(shown.out)["differences"]] == ["unchanged"] * 2 + ["archived"] * 2
    assert pruned.out.splitlines() == ["- bank/rates", "- job bank", "Done: 2 archived; 2 unchanged."]
    assert undone.out.splitlines()[0] == "+ job bank (restored)"
    assert undone.out.endswith("Done: 2 restored; 2 unchanged.\n")


def test_files_of_no_named_set_that_are_applied_apart_are_told_so_in_a_few_lines(place, tmp_path):
    endpoints = "".join(
        f"      - {{name: e{number}, url: 'https://shop.example', dormant: true}}\n" for number in range(7)
    )
    many, one = tmp_path / "many.yaml", tmp_path / "one.yaml"
    many.write_text(f"jobs:\n  - name: many\n    endpoints:\n{endpoints}")
    one.write_text("jobs: [{name: one, endpoints: []}]\n")
    typed(place, "apply", "-f", str(many))

    told = [line for line in typed(place, "apply", "-f", str(one)).out.splitlines() if line.startswith("?")]

    assert told[0] == "? many/e0 is listed no longer, and left alone"
    assert told[5:] == [
        "? and 3 more",  # The job is one of them.
        "? Files that are applied apart need sets with names (`set: NAME` in them, or --set); --prune does, too.",
    ]


def test_what_files_said_about_alerts_is_named_and_removed_on_request(place, folder):
    said = folder / "told.yaml"
    window = '{name: tidy, cron: "0 3 * * *", timezone: UTC, durationMs: 60000}'
    said.write_text(f"set: store\nalerts: {{rules: {{failures: 7}}, maintenance: [{window}]}}\n")
    given = ("-f", str(folder))
    typed(place, "apply", *given)
    said.unlink()

    left = typed(place, "apply", *given)
    unasked = typed(place, "apply", *given, "--prune", code=2)
    shown = typed(place, "diff", *given, "--prune", "--json", code=1)
    pruned = typed(place, "apply", *given, "--prune", "--yes")

    lines = ["- alert rules", "    failures: 7 → 3", "- maintenance window tidy"]
    assert "? maintenance window tidy is listed no longer, and left alone (--prune takes it away)" in left.out
    assert unasked.err.splitlines()[1:4] == lines
    told = [each for each in json.loads(shown.out)["differences"] if each["deed"] == "removed"]
    assert [each["alert"] for each in told] == ["alert rules", "maintenance window tidy"]
    assert pruned.out.splitlines() == [*lines, "Done: 2 removed; 4 unchanged."]
    assert typed(place, "diff", *given, "--prune").out == "Nothing to do: 4 unchanged.\n"


def test_who_shows_explains_or_edits_an_endpoint_is_told_whose_its_fields_are(place, folder):
    typed(place, "apply", "-f", str(folder))
    edited = typed(place, "endpoint", "edit", "bank/rates", "--timeout", "9s")

    shown = typed(place, "endpoint", "show", "bank/rates").out.splitlines()
    told = json.loads(typed(place, "endpoint", "show", "bank/rates", "--json").out)
    job = json.loads(typed(place, "job", "show", "bank", "--json").out)
    explained = typed(place, "explain", "bank/rates").out
    typed(place, "apply", "-f", str(folder), "--force")

    said = "store names baseline, name, timeoutMs, url; edited since it was applied: timeoutMs"
    assert [line.split("  ")[-1].strip() for line in shown if line.startswith("fileSets")] == [said]
    assert told["fileSets"][0]["edited"] == ["timeoutMs"]
    assert (job["fileSets"][0]["fields"], job["endpointCount"]) == (["name"], 1)
    assert f"the set {said}" in " ".join(explained.split())
    assert "Warning: /timeoutMs: The file set store names it" in edited.err


def test_a_server_reveals_nothing_and_refuses_what_is_no_file(tmp_path, server):
    there = a_server(tmp_path, server).env
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("jobs:\n  - name: shop\n    endpoints:\n      - {name: a, url: 'ftp://x', dormant: true}\n")

    revealed = typed(there, "export", "--reveal", code=2)
    refused = typed(there, "diff", "-f", str(wrong), code=2)

    assert "shows credentials to nobody" in revealed.err
    assert f"{wrong}:4: /jobs/0/endpoints/0/url: " in refused.err


def test_a_conflict_is_shown_refused_and_overwritten_with_force(env, folder, tmp_path):
    typed(env, "apply", "-f", str(folder))
    elsewhere = tmp_path / "elsewhere.yaml"
    elsewhere.write_text(BANK.replace("store", "night").replace("5000", "9000"))
    typed(env, "apply", "-f", str(elsewhere), "--force")

    shown = typed(env, "diff", "-f", str(folder), code=5)
    dry = typed(env, "apply", "-f", str(folder), "--dry-run", code=5)
    refused = typed(env, "apply", "-f", str(folder), code=5)
    imported = typed(env, "import", str(folder), "--dry-run")
    forced = typed(env, "apply", "-f", str(folder), "--force")

    assert shown.out == dry.out
    assert imported.out == dry.out.replace("so it needs --force", "which --force overwrites")
    assert shown.out.splitlines() == [
        "~ bank/rates",
        "    timeoutMs: 9000 → 5000",
        "    ! timeoutMs is as the file set night says",
        "Would be: 1 updated; 3 unchanged. Nothing was written. Conflicts: 1, so it needs --force.",
    ]
    assert "\nError: bank/rates: timeoutMs is as the file set night says\n" in refused.err
    assert "Nothing was applied." in refused.err
    assert forced.out.endswith("Done: 1 updated; 3 unchanged.\n")


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.yaml", "jobs: [{name: a, urll: x}]\n", "a.yaml:1: /jobs/0/urll: "),
        ("z.yaml", "jobs:\n  - name: shop\n", "z.yaml:2: /jobs/0/name: The job shop is listed in {folder}/shop.yaml:3"),
        ("z.yaml", "set: other\njobs: []\n", "z.yaml:1: /set: {folder}/shop.yaml says something else"),
        ("z.yaml", "jobs: 1\n", "z.yaml:1: /jobs: {folder}/money/bank.yml says something else"),
        ("z.yaml", "- 1\n", "z.yaml says something else: it needs `jobs:`"),
        ("z.yaml", "alerts: {routes: [{name: a, channel: fax, target: x}]}\n", "z.yaml:1: /alerts/routes/0/channel: "),
    ],
)
def test_what_is_wrong_in_one_of_many_files_is_told_with_its_place(env, folder, name, text, told):
    (folder / name).write_text(text)

    ended = typed(env, "apply", "-f", str(folder), code=2)

    assert told.format(folder=folder) in ended.err


def test_a_set_that_is_typed_must_not_contradict_the_files(env, folder, tmp_path):
    typed(env, "apply", "-f", str(folder), "--set", "other", code=2)
    typed(env, "apply", "-f", str(tmp_path / "schedules" / "money"), "--set", "store")
    (tmp_path / "empty").mkdir()

    assert "There is no file with `jobs:`" in typed(env, "apply", "-f", str(tmp_path / "empty"), code=2).err


def test_a_set_is_applied_by_two_at_once_as_if_one_came_after_the_other(env, folder):
    typed(env, "tenant", "add", "other")
    for number in range(20):
        (folder / f"more{number}.yaml").write_text(
            f"jobs: [{{name: more{number}, endpoints: [{{name: a, url: 'https://a.example', dormant: true}}]}}]\n"
        )

    with ThreadPoolExecutor(3) as pool:
        ended = list(pool.map(lambda _: cronicorn("apply", "-f", str(folder), env=env), range(3)))

    assert [each.code for each in ended] == [0, 0, 0], [each.err for each in ended]
    assert sorted(each.out.splitlines()[-1] for each in ended) == [
        "Done: 44 created; 0 unchanged.", "Nothing to do: 44 unchanged.", "Nothing to do: 44 unchanged.",
    ]  # fmt: skip
    assert typed(env, "export").out.count("- name: more") == 20


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ("bodyJson: {a: !!binary aGFsbG8=}", ":5: /jobs/0/endpoints/0/bodyJson/a: JSON has no such value as b'hallo'."),
        ("timeoutMs: 0x" + "f" * 5_000, ":5: /jobs/0/endpoints/0/timeoutMs: The number is larger than"),
        ("bodyJson: {a: .nan}", ":5: /jobs/0/endpoints/0/bodyJson/a: JSON has no such value as nan."),
        ("onceAt: 2030-01-01 10:00:00", ":5: /jobs/0/endpoints/0/onceAt: Must be an instant with its offset"),
        (
            "headersJson: {on: x, 1: y, 2030-01-01: 2030-01-01}, baselineIntervalMs: x",
            ":5: /jobs/0/endpoints/0/baselineIntervalMs: Must be a whole number.",
        ),
        ('headersJson: {A: "\\ud800"}', ":5: /jobs/0/endpoints/0/headersJson/A: Half of a surrogate pair"),
    ],
)
def test_a_file_means_the_same_to_a_store_and_to_a_server(place, tmp_path, fields, told):
    file = tmp_path / "odd.yaml"
    file.write_text(SHOP.replace("baselineIntervalMs: 60000", fields))

    refused = typed(place, "diff", "-f", str(file), code=2)

    assert f"{file}{told}" in refused.err
    assert len(refused.err.splitlines()) == 1


@pytest.mark.parametrize("hole", ["link", "fifo", "around", "folder"])
def test_a_folder_that_can_not_be_read_whole_prunes_nothing(env, folder, tmp_path, hole):
    money = folder / "money"
    typed(env, "apply", "-f", str(folder))
    money.rename(tmp_path / "moved")
    if hole == "folder":
        money.symlink_to(tmp_path / "gone")
    else:
        money.mkdir()
        make = {"link": lambda it: it.symlink_to("gone"), "fifo": os.mkfifo, "around": lambda it: it.symlink_to(folder)}
        make[hole](money / "bank.yml")

    ended = cronicorn("apply", "-f", str(folder), "--prune", "--yes", env=env)

    assert (ended.code, ended.out) == (2, "")
    assert str(money) in ended.err


def test_a_folder_that_is_a_link_is_read_and_what_is_passed_over_is_told(env, folder, tmp_path):
    typed(env, "apply", "-f", str(folder))
    (folder / "money").rename(tmp_path / "moved")
    (folder / "money").symlink_to(tmp_path / "moved")

    again = typed(env, "apply", "-f", str(folder), "--prune", "--yes")

    assert again.out == "Nothing to do: 4 unchanged.\n"
    assert again.err == f"Passed over: {folder / 'values.yaml'}, which has none of set, jobs and alerts.\n"


def test_a_terminal_obeys_no_name_of_a_file(env, tmp_path):
    (tmp_path / "hostile\x1b[2J.yaml").write_text("jobs: [")

    refused = cronicorn("diff", "-f", str(tmp_path), env=env)

    assert refused.code == 2
    assert "hostile�[2J.yaml:1: " in refused.err
    assert "\x1b" not in refused.err
