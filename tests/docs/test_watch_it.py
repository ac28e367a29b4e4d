"""The pages about watching and about containers work as printed, as far as neither Prometheus nor Docker is needed."""

import re

import yaml

from tests.architecture.source import ROOT
from tests.docs.markdown import blocks
from tests.docs.test_how_tos import ONLY_UP, page
from tests.docs.test_shell_examples import Session, shell_blocks, typed


def test_logs_and_traces_are_asked_for_as_printed(tmp_path):
    terminal = Session(tmp_path)

    found = [
        terminal.type(ONLY_UP.sub("cronicorn settings", typed(block)))
        for block in shell_blocks(page("watch-it"))
        if ONLY_UP.search(block.text)
    ]

    assert "CRONICORN_LOG_FORMAT=json\n" in found[0]
    assert "CRONICORN_TRACES_URL=http://127.0.0.1:4318/v1/traces\n" in found[1]
    assert "CRONICORN_TRACES_SHARE=0.1\n" in found[1]


def test_the_rules_are_read_under_the_name_that_the_page_gives_them():
    [scraping] = [yaml.safe_load(block.text) for block in blocks(page("watch-it")) if block.language == "yaml"]

    assert [(ROOT / "deploy/prometheus" / name).is_file() for name in scraping["rule_files"]] == [True]
    assert [each["job_name"] for each in scraping["scrape_configs"]] == ["cronicorn"]


def test_secrets_for_containers_are_made_as_printed(tmp_path):
    terminal = Session(tmp_path)
    (tmp_path / "deploy").mkdir()
    [make] = shell_blocks(page("run-in-containers"))

    terminal.type(typed(make))
    made = {path.name: path.read_text() for path in (tmp_path / "deploy" / "secrets").iterdir()}
    given = "CRONICORN_MASTER_KEY_FILE=deploy/secrets/master_key CRONICORN_API_KEY_FILE=deploy/secrets/api_key"
    found = terminal.type(f"{given} cronicorn settings")

    compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
    assert {f"./secrets/{name}" for name in made} == {each["file"] for each in compose["secrets"].values()}
    assert "CRONICORN_MASTER_KEY=***" in found
    assert "CRONICORN_API_KEY=***" in found
    assert re.fullmatch(r"POSTGRES_PASSWORD=[0-9a-f]{48}\n", (tmp_path / "deploy" / ".env").read_text())
