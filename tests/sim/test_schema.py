"""The JSON Schema and the reader agree: what is read is valid, and what has the wrong shape is neither."""

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.plain_json import plain_json
from cronicorn.sim.schema import scenario_schema
from tests.architecture.source import ROOT
from tests.docs.markdown import REFERENCE, blocks
from tests.sim.scenarios import STOCK, document, policy, read
from tests.sim.test_expectations import BROKEN, HELD, WORLD

VALIDATOR = Draft202012Validator(scenario_schema())
EXAMPLES = sorted((ROOT / "examples" / "scenarios").glob("*.yaml"))
COURSES = [
    5, "calm", True, "=elapsed * 2", {"steps": {"0s": 1, "1m": {"ramp": {"1m": 1, "2m": 5}}}},
    {"decay": {"from": 1, "to": 0, "tau": "5m"}}, {"sine": {"amplitude": 3, "period": "1h"}},
    {"uniform": {"min": 0, "max": 1, "each": "10s"}}, {"normal": {"sd": 1}}, {"ar1": {"sd": 1, "phi": 0.5}},
    {"events": {"every": "5m", "lasts": {"min": "1s", "max": "2s"}, "value": {"min": 1, "max": 2}, "otherwise": 0}},
    {"events": {"every": "5m", "count": True}}, {"levels": {"values": ["a", "b"], "stay": "5m", "start": "b"}},
    {"calls": "stock"}, {"since_call": "stock", "never": 5},
]  # fmt: skip
BUSY = policy({"x": {"path": "$.x", "type": "number"}}, {"id": "r", "when": "x > 1", "action": {"interval": "30s"}})
LATER = {"at": 5, "set": "b", "when": "n > 1", "after": "1s", "for": "2s"}
SCHEDULES = [
    {"name": "a", "cron": "* * * * *", "timezone": "Europe/Berlin"},
    {"name": "b", "once": "5m"},
    {"name": "c", "dormant": True, "copies": 3},
]


def stock(parts):
    return {"endpoints": [{**STOCK, **parts}]}


def expected(parts):
    return {"expect": [{"name": "n", **parts}]}


SOUND = [
    {"workers": {"count": 2, "lease": "10s"}, "crashes": [{"at": "1m", "worker": 2, "back_after": "5s"}]},
    {"state": {"n": 1, "m": {"start": "a", "changes": [LATER]}}},
    {"outages": [{"from": 0, "fail": "refused", "endpoints": "stock"}, {"from": "1m", "status": 503, "share": 0.5}]},
    stock({"retries": 2, "adapt": True, "signals": {"trend": False}, "paused": "5m"}),
    stock({"retries": {"count": 2, "min": "1s"}, "catch_up": {"mode": "all", "runs": 3}, "paused": True}),
    stock({"success": [200, "300-302"], "window": "10s", "method": "HEAD", "overlap": "buffer_one"}),
    stock({"answers": [{"when": "elapsed > 60", "status": "=500", "latency": "=0.1"}, {"text": "hi"}]}),
    stock({"answers": {"headers": {"a": 1, "b": "=elapsed"}, "latency": {"min": 0, "max": 1}, "body": None}}),
    stock({"policy": BUSY}),
    {"endpoints": SCHEDULES},
    *({"signals": {"it": course}} for course in COURSES),
    *({**WORLD, **expected(each)} for each in [*HELD, *(each for each, _ in BROKEN)]),
]  # fmt: skip
MISSHAPEN = [
    {"version": 2}, {"lenght": 1}, {"length": True}, {"seed": 1.5}, {"workers": {"n": 1}}, {"crashes": [{"at": "1m"}]},
    {"endpoints": []}, {"endpoints": [{"name": "a"}]}, stock({"once": "5m"}),
    stock({"url": "x"}), stock({"method": "BREW"}),
    stock({"answers": {"status": 99}}), stock({"answers": {"body": 1, "text": "a"}}),
    stock({"policy": {"version": 1, "rulez": []}}), stock({"retries": 99}),
    stock({"copies": 0}), stock({"dormant": False}),
    {"signals": {"a b": 1}}, {"signals": {"a": []}}, {"signals": {"a": {}}}, {"signals": {"a": {"ramp": {}}}},
    {"signals": {"a": {"ramp": {"0s": 1}, "sine": {}}}}, {"signals": {"a": {"normal": {"sd": -1}}}},
    {"state": {"a": {"start": 1, "changes": [{"at": "1s", "set": 1, "add": 1}]}}},
    {"state": {"a": {"start": 1, "changes": [{"set": 1}]}}}, {"outages": [{"from": "1s"}]},
    {"outages": [{"from": "1s", "fail": "slowly"}]}, {"outages": [{"from": "1s", "status": 200}]},
    {"expect": [{"name": "n"}]}, {"expect": [{"endpoint": "stock", "never": True}]}, expected({"never": True}),
    expected({"endpoint": "stock", "never": False}),
    expected({"endpoint": "stock", "never": True, "only": "good"}),
    expected({"endpoint": "stock", "count": {}}), expected({"endpoint": "stock", "count": {"min": 1}}),
    expected({"value": {"at": "1s", "is": 1}}),
]  # fmt: skip


def faults(value):
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(value)]


def test_it_is_a_schema():
    Draft202012Validator.check_schema(scenario_schema())


@pytest.mark.parametrize("parts", SOUND, ids=lambda value: str(value)[:60])
def test_what_is_read_is_valid(parts):
    value = document(**parts)

    read(value)

    assert faults(value) == []


@pytest.mark.parametrize("parts", MISSHAPEN, ids=lambda value: str(value)[:60])
def test_what_is_misshapen_is_neither_valid_nor_read(parts):
    value = document(**parts)

    assert faults(value) != []
    with pytest.raises(InvalidInputError):
        read(value)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_are_valid(path: Path):
    assert faults(plain_json(yaml.safe_load(path.read_text(encoding="utf-8")), "")) == []


def test_the_example_of_the_reference_is_valid():
    first = next(block for block in blocks(REFERENCE / "scenarios.md") if block.language == "yaml")

    assert faults(plain_json(yaml.safe_load(first.text), "")) == []
