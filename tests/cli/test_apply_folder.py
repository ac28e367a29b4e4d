"""Applying folders of files: who owns what, what is shown, what is pruned, and undoing."""

import json

import pytest

from tests.cli.command import cronicorn, environment

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


def test_a_folder_is_shown_applied_pruned_and_undone(env, folder):
    given = ("-f", str(folder))
    assert typed(env, "diff", *given, code=1).out.splitlines()[-1] == (
        "Would be: 4 created; 0 unchanged. Nothing was written."
    )
    typed(env, "apply", *given)
    assert typed(env, "diff", *given).out == "Nothing to do: 4 unchanged.\n"
    bank = folder / "money" / "bank.yml"
    bank.unlink()

    left = typed(env, "diff", *given)
    unasked = typed(env, "apply", *given, "--prune", code=2)
    shown = typed(env, "diff", *given, "--prune", "--json", code=1)
    pruned = typed(env, "apply", *given, "--prune", "--yes")
    bank.write_text(BANK)
    undone = typed(env, "apply", *given)

    assert "? bank/rates is listed no longer, and left alone (--prune archives it)" in left.out
    assert unasked.err.splitlines()[:2] == ["- bank/rates", "- job bank"]
    assert "say --yes" in unasked.err
    assert [each["deed"] for each in json.loads(shown.out)["differences"]] == ["unchanged"] * 2 + ["archived"] * 2
    assert pruned.out.splitlines() == ["- bank/rates", "- job bank", "Done: 2 archived; 2 unchanged."]
    assert undone.out.splitlines()[0] == "+ job bank (restored)"
    assert undone.out.endswith("Done: 2 restored; 2 unchanged.\n")


def test_a_conflict_is_shown_refused_and_overwritten_with_force(env, folder, tmp_path):
    typed(env, "apply", "-f", str(folder))
    elsewhere = tmp_path / "elsewhere.yaml"
    elsewhere.write_text(BANK.replace("store", "night").replace("5000", "9000"))
    typed(env, "apply", "-f", str(elsewhere), "--force")

    shown = typed(env, "diff", "-f", str(folder), code=5)
    dry = typed(env, "apply", "-f", str(folder), "--dry-run", code=5)
    refused = typed(env, "apply", "-f", str(folder), code=5)
    forced = typed(env, "apply", "-f", str(folder), "--force")

    assert shown.out == dry.out
    assert shown.out.splitlines() == [
        "~ bank/rates",
        "    timeoutMs: 9000 → 5000",
        "    ! timeoutMs is as the file set night says",
        "Would be: 1 updated; 3 unchanged. Nothing was written. Conflicts: 1, so it needs --force.",
    ]
    assert refused.err.startswith("Error: bank/rates: timeoutMs is as the file set night says\n")
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
