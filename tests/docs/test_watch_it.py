"""The page about watching works as printed."""

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
