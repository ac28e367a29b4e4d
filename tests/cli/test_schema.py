"""The JSON Schema of files knows all files that are shown or shipped, and tells wrong ones."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from cronicorn.cli.yaml_file import YamlFile
from cronicorn.control.file_schema import FILE_NAME, MODELINE, file_schema
from tests.cli.command import cronicorn, environment
from tests.docs.markdown import DOCS, blocks

VALIDATOR = Draft202012Validator(file_schema())
EXAMPLES = Path(__file__).parents[2] / "examples"
FULL = """\
set: store
jobs:
  - name: shop
    description: x
    endpoints:
      - name: stock
        url: https://shop.example
        onceAt: 2026-01-31T09:30:00Z
        adapt: on
        compile: off
        successStatuses: [200-299, 304]
        criteria: {fields: {state: {path: $.state, type: string}}, failure: state == "down"}
        signals: {health: false}
        headersJson: {accept: text/plain}
        bodyJson: [1, {a: null}]
        auth: {type: bearer, token: "{{secret.a}}"}
        retries: {retryCount: 3}
"""


def value(text: str) -> Any:
    """What a file says, instants as the texts that an editor sees."""

    def plain(value: object) -> str:
        assert isinstance(value, datetime)
        return value.isoformat()

    return json.loads(json.dumps(YamlFile("file", text).value, default=plain))


def shown() -> list[str]:
    """All files of jobs in the documentation and among the examples; jobs of GitHub are others."""
    texts = [block.text for page in sorted(DOCS.rglob("*.md")) for block in blocks(page) if block.language == "yaml"]
    texts += [file.read_text("utf-8") for file in sorted(EXAMPLES.rglob("*.y*ml"))]
    return [text for text in texts if "\njobs:" in f"\n{text}" and "runs-on:" not in text]


def test_it_is_a_schema_and_the_command_prints_it():
    Draft202012Validator.check_schema(file_schema())

    assert json.loads(cronicorn("schema").out) == file_schema()


def test_it_knows_all_files_that_are_shown_or_shipped():
    found = [*shown(), FULL]

    assert len(found) > 5
    for text in found:
        errors = [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(value(text))]
        assert errors == [], text


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        (
            "{jobs: [{name: a, endpoints: [{name: b, url: 'https://x', baselineIntervalMs: soon}]}]}",
            "baselineIntervalMs",
        ),
        ("{jobs: [{name: a, endpoints: [{name: b, url: 'https://x', baselineIntervalMs: 5}]}]}", "baselineIntervalMs"),
        ("{jobs: [{name: a, endpoints: [{name: b, url: 'https://x', overlap: never}]}]}", "overlap"),
        ("{jobs: [{name: a, endpoints: [{name: b, url: 'https://x', policy: {rules: 1}}]}]}", "policy"),
        ("{jobs: [{name: a, endpoints: [{name: b, url: 'https://x', every: 5s}]}]}", "endpoints[0]"),
        ("{jobs: [{name: a, endpoints: [{name: b}]}]}", "endpoints[0]"),
        ("{jobs: [{}]}", "jobs[0]"),
        ("{job: []}", "$"),
    ],
)
def test_what_is_wrong_is_told_where_it_stands(wrong, where):
    found = [error.json_path for error in VALIDATOR.iter_errors(yaml.safe_load(wrong))]

    assert any(where in path for path in found), found


def test_exported_files_name_it(tmp_path):
    env = environment(DATABASE_URL=f"sqlite:{tmp_path / 'store.db'}", API_KEY="a-key-for-tests-only")
    cronicorn("apply", "-f", "-", stdin=FULL.replace('auth: {type: bearer, token: "{{secret.a}}"}', ""), env=env)

    text = cronicorn("export", env=env).out

    assert text.startswith(MODELINE)
    assert FILE_NAME in MODELINE
    assert list(VALIDATOR.iter_errors(value(text))) == []
