"""What pages mention exists."""

import re

import pytest
from typer.main import get_command

from cronicorn.adapters.metrics.catalog import METRICS
from cronicorn.cli.main import app
from cronicorn.wiring.settings import OF_COMMANDS
from cronicorn.wiring.settings_table import SETTINGS
from tests.architecture.source import ROOT
from tests.docs.markdown import pages

EVERYTHING = {str(page.relative_to(ROOT)): page.read_text(encoding="utf-8") for page in pages()}


def mentions(pattern: str) -> set[tuple[str, str]]:
    """What of *pattern* is mentioned, with the page that does."""
    return {(found, page) for page, text in EVERYTHING.items() for found in re.findall(pattern, text)}


def test_every_setting_mentioned_exists() -> None:
    known = {name for setting in SETTINGS for name in setting.names} | {"CRONICORN_"} | OF_COMMANDS

    assert {each for each in mentions(r"\bCRONICORN_[A-Z_]*") if each[0] not in known} == set()


def test_every_metric_mentioned_exists() -> None:
    known = {metric.name for metric in METRICS}

    assert {each for each in mentions(r"\bcronicorn_[a-z_]+") if each[0] not in known} == set()


def test_every_command_mentioned_exists() -> None:
    known = set(getattr(get_command(app), "commands"))  # noqa: B009 - typer's own class does not declare it

    assert {each for each in mentions(r"`cronicorn ([a-z]+(?:-[a-z]+)*)") if each[0] not in known} == set()


def test_every_make_target_mentioned_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    known = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))

    assert {each for each in mentions(r"`make ([a-z]+)") if each[0] not in known} == set()


@pytest.mark.parametrize("name", [name for name in EVERYTHING if name.startswith("docs/") and "decisions" not in name])
def test_a_page_says_at_its_top_whom_it_is_for(name: str) -> None:
    paragraphs = EVERYTHING[name].split("\n\n")

    assert paragraphs[0].startswith("# ")
    assert paragraphs[1].startswith("For who")
