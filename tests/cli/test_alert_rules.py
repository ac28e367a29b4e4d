"""`cronicorn alert rules`: what holds is shown, single rules are changed, and a file says all of them."""

import json
import re

import pytest
import yaml

from tests.cli.command import cronicorn, environment
from tests.docs.markdown import DOCS


@pytest.fixture
def rules(tmp_path):
    env = environment(DATABASE_URL=f"sqlite:{tmp_path / 'store.db'}", API_KEY="a-key-for-tests-only")
    assert cronicorn("alert", "rules", "set", "--failures", "3", env=env).code == 0

    def command(*words, code=0):
        ended = cronicorn("alert", "rules", *words, env=env)
        assert ended.code == code, ended.err
        return ended.out if code == 0 else ended.err

    return command


def test_single_rules_are_changed_and_a_file_says_all_of_them(rules, tmp_path):
    usual = json.loads(rules("show", "--json"))
    rules("set", "--failures", "5", "--share", "10/50", "--late-after", "1m", "--pause-after", "20")
    changed = json.loads(rules("set", "--near-percent", "90", "--share", "none", "--json"))
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump(changed | {"exceptions": [{"endpointIds": ["ep1"], "rules": {"failures": 1}}]}))
    rules("set", "--file", str(file))
    table = rules("show").splitlines()
    kept = json.loads(rules("set", "--successes", "2", "--json"))

    assert usual | {"failures": 5, "lateAfterMs": 60_000, "pauseAfter": 20, "nearPercent": 90} == changed
    assert [line.split() for line in table[1:]] == [
        ["everything", "5", "none", "1", "1m", "20", "90"],
        ["ep1", "1", "none", "1", "2m", "none", "80"],
    ]
    assert kept["successes"] == 2
    assert kept["exceptions"][0]["rules"]["failures"] == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Say what to change"),
        (("--failures", "0"), "/failures"),
        (("--share", "3"), "--share"),
        (("--share", "5/2"), "/share/failures"),
        (("--pause-after", "soon"), "--pause-after"),
        (("--late-after", "soon"), "--late-after"),
        (("--file", "nowhere.yaml"), "nowhere.yaml"),
    ],
)
def test_what_can_not_be_meant_is_refused_and_changes_nothing(rules, words, said):
    before = rules("show", "--json")

    refused = rules("set", *words, code=4 if "nowhere.yaml" in words else 2)

    assert said in refused
    assert rules("show", "--json") == before


def test_the_files_of_the_page_are_applied_exported_without_urls_and_imported(tmp_path):
    env = environment(DATABASE_URL=f"sqlite:{tmp_path / 'store.db'}", API_KEY="a-key-for-tests-only")
    jobs, alerts = re.findall(r"```yaml\n(.*?)```", (DOCS / "how-to" / "apply-a-file.md").read_text(), re.DOTALL)
    file, url = tmp_path / "shop.yaml", "https://hooks.example/T0815"

    def command(*words, code=0):
        ended = cronicorn(*words, env=env)
        assert ended.code == code, ended.err
        return ended

    file.write_text(jobs + alerts)
    new = command("apply", "-f", str(file), code=2).err
    file.write_text(jobs + alerts.replace("channel: slack", f"channel: slack\n      target: {url}"))
    made = command("apply", "-f", str(file)).out
    file.write_text(jobs + alerts.replace("channel: slack", f"channel: slack\n      target: {url}6"))
    moved = command("apply", "-f", str(file)).out
    exported = command("export")
    file.write_text(exported.out)
    again = json.loads(command("import", str(file), "--json").out)

    line = (jobs + alerts).splitlines().index("    - name: chat") + 1
    assert f"shop.yaml:{line}: /alerts/routes/1/target" in new
    assert "+ alert route chat" in made
    assert "(what is masked differs)" in moved
    assert "the URL of alert route chat is a secret" in exported.err
    assert "0815" not in made + moved + exported.out + json.dumps(again)
    assert {each["deed"] for each in again["differences"]} == {"unchanged"}
    assert next(each["alert"] for each in again["differences"] if each["alert"]) == "alert rules"
