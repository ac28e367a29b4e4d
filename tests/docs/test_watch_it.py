"""The page about watching works as printed, as far as no Prometheus is needed."""

import json

import yaml

from tests.architecture.source import ROOT
from tests.docs.journeys import types_every_command_of
from tests.docs.markdown import blocks, shell_blocks
from tests.docs.terminal import Terminal
from tests.docs.test_how_tos import page


@types_every_command_of("docs/how-to/watch-it.md")
def test_logs_and_traces_are_asked_for_as_printed(tmp_path):
    terminal = Terminal(tmp_path)
    logs, traces = shell_blocks(page("watch-it"))

    with terminal.running(logs) as log:
        logged = terminal.settings_of(logs)
    with terminal.running(traces):
        traced = terminal.settings_of(traces)

    assert "CRONICORN_LOG_FORMAT=json\n" in logged
    assert all(json.loads(line)["event"] for line in log.read_text(encoding="utf-8").splitlines() if line[0] == "{")
    assert "CRONICORN_TRACES_URL=http://127.0.0.1:4318/v1/traces\n" in traced
    assert "CRONICORN_TRACES_SHARE=0.1\n" in traced


def test_the_rules_are_read_under_the_name_that_the_page_gives_them():
    [scraping] = [yaml.safe_load(block.text) for block in blocks(page("watch-it")) if block.language == "yaml"]

    assert [(ROOT / "deploy/prometheus" / name).is_file() for name in scraping["rule_files"]] == [True]
    assert [each["job_name"] for each in scraping["scrape_configs"]] == ["cronicorn"]
