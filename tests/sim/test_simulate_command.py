"""`cronicorn simulate` at the command line."""

import json

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.cli.command import cronicorn
from tests.docs.markdown import REFERENCE, blocks
from tests.docs.test_json_keys import _keys, _listed

SCENARIO = """
version: 1
name: try
length: 10m
signals: {load: {steps: {0m: 10, 3m: 90}}}
endpoints:
  - {name: stock, every: 60s, min: 10s, answers: {body: {load: =load}}, policy: rules.yaml}
  - {name: other, every: 5m}
expect:
  - {name: watched when busy, endpoint: stock, cadence: {from: 5m, until: 10m, at_most: 20s}}
"""
POLICY = """
version: 1
fields: {load: {path: $.load, type: number}}
rules: [{id: busy, when: load > 50, action: {interval: EVERY}}]
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "scenario.yaml").write_text(SCENARIO)
    (tmp_path / "rules.yaml").write_text(POLICY.replace("EVERY", "20s"))
    (tmp_path / "idle.yaml").write_text(POLICY.replace("EVERY", "40s"))
    return tmp_path


def test_all_that_held_ends_with_zero(folder):
    ended = cronicorn("simulate", str(folder / "scenario.yaml"))

    assert ended.code == 0, ended.err
    assert "try: 10 min from 2026-01-01T00:00:00Z, seed 1" in ended.out
    assert "0:03:00 rule busy: every 20 s" in ended.out
    assert "held    watched when busy (every 20 s)" in ended.out
    assert ended.err == ""


def test_another_policy_is_tried_on_the_one_endpoint_that_has_one(folder):
    ended = cronicorn("simulate", str(folder / "scenario.yaml"), "--policy", str(folder / "idle.yaml"))

    assert ended.code == 1
    assert "BROKEN  watched when busy (every 40 s)" in ended.out
    assert ended.err == ""


def test_another_policy_is_tried_on_the_endpoint_that_is_named(folder):
    scenario, rules = str(folder / "scenario.yaml"), str(folder / "idle.yaml")

    ended = cronicorn("simulate", scenario, "--policy", rules, "--endpoint", "other")

    assert ended.code == 0, ended.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Name the scenario's file"),
        (("nowhere.yaml",), "There is no file nowhere.yaml."),
        (("SCENARIO", "--policy", "nowhere.yaml"), "There is no file nowhere.yaml."),
        (("SCENARIO", "--endpoint", "stock"), "give both"),
        (("SCENARIO", "--policy", "POLICY", "--endpoint", "stok"), "There is no endpoint stok"),
        (("SCENARIO", "--seed", "x"), "--seed"),
    ],
)
def test_bad_input_ends_with_two(folder, arguments, said):
    files = {"SCENARIO": str(folder / "scenario.yaml"), "POLICY": str(folder / "idle.yaml")}

    ended = cronicorn("simulate", *(files.get(each, each) for each in arguments))

    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err


def test_faults_name_the_file_and_the_line(folder):
    (folder / "scenario.yaml").write_text(SCENARIO.replace("every: 5m", "evry: 5m"))

    ended = cronicorn("simulate", str(folder / "scenario.yaml"))

    assert ended.code == 2
    assert "scenario.yaml:8: /endpoints/1/evry: Unknown field. Did you mean `every`?" in ended.err


def test_faults_of_a_policy_file_name_that_file(folder):
    (folder / "rules.yaml").write_text(POLICY.replace("load > 50", "lod > 50"))

    ended = cronicorn("simulate", str(folder / "scenario.yaml"))

    assert ended.code == 2
    assert "rules.yaml:4: /rules/0/when: " in ended.err


def test_a_policy_file_that_is_missing_is_told_with_all_other_faults(folder):
    (folder / "scenario.yaml").write_text(
        SCENARIO.replace("rules.yaml", "nowhere.yaml").replace("every: 5m", "evry: 5m")
    )

    ended = cronicorn("simulate", str(folder / "scenario.yaml"))

    assert ended.code == 2
    assert "/evry: Unknown field." in ended.err
    assert "/policy: There is no file" in ended.err


def test_a_scenario_may_be_json_and_come_from_stdin():
    scenario = {"version": 1, "length": 600, "endpoints": [{"name": "stock", "every": "1m"}]}

    ended = cronicorn("simulate", "-", "--json", stdin=json.dumps(scenario))

    assert ended.code == 0, ended.err
    assert [call["elapsed_s"] // 1 for call in json.loads(ended.out)["calls"]] == [60 * n for n in range(1, 10)]


def test_the_history_has_every_call_and_hint(folder):
    ended = cronicorn("simulate", str(folder / "scenario.yaml"), "--json")

    history = json.loads(ended.out)
    busy = next(call for call in history["calls"] if call["hints"])
    assert history["held"] is True
    assert busy["at"].startswith("2026-01-01T00:03:00")
    assert busy["rules"] == [{"rule": "busy", "phase": "active", "did": ["interval"]}]
    assert (busy["hints"][0]["author"], busy["hints"][0]["interval_s"]) == ("rule", 20)
    assert (busy["next_source"], busy["next_at"][:19]) == ("ai-interval", "2026-01-01T00:03:20")
    assert [(hint["endpoint"], hint["hint"]["key"]) for hint in history["hints"]] == [("stock", "busy")]


def test_every_key_of_the_history_is_listed(folder):
    world = SCENARIO.replace("length: 10m", "length: 10m\ncrashes: [{at: 1m, worker: 1, back_after: 1s}]")
    (folder / "scenario.yaml").write_text(world.replace("{0m: 10, 3m: 90}", "{0m: 90}"))

    ended = cronicorn("simulate", str(folder / "scenario.yaml"), "--json")

    history = json.loads(ended.out)
    history["calls"] = [call for call in history["calls"] if call["hints"] and call["rules"]]
    assert list(dict.fromkeys(_keys(history))) == _listed("simulate")


def test_the_schema_is_printed_without_a_scenario():
    ended = cronicorn("simulate", "--schema")

    assert ended.code == 0
    Draft202012Validator.check_schema(json.loads(ended.out))


def test_the_example_of_the_reference_holds():
    first = next(block for block in blocks(REFERENCE / "scenarios.md") if block.language == "yaml")

    ended = cronicorn("simulate", "-", stdin=first.text)

    assert ended.code == 0, ended.out + ended.err


@pytest.mark.parametrize("place", [1, 2])
def test_the_fragments_of_the_reference_are_read(place):
    fragment = [block for block in blocks(REFERENCE / "scenarios.md") if block.language == "yaml"][place]
    names = [{"name": name, "every": "60s"} for name in ("drain", "import", "warm_cache")]
    key = {1: "signals", 2: "state"}[place]

    ended = cronicorn(
        "simulate", "-", stdin=yaml.safe_dump({
            "version": 1, "length": "1h", "endpoints": names, key: yaml.safe_load(fragment.text),
        }),
    )  # fmt: skip

    assert ended.code == 0, ended.err
