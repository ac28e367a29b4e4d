"""`cronicorn alert rules`: what holds is shown, single rules are changed, and a file says all of them."""

import json

import pytest
import yaml

from tests.cli.command import cronicorn, environment


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
