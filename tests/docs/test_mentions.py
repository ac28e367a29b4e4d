"""What pages mention exists."""

import re
import tomllib

import pytest

from cronicorn.adapters.metrics.catalog import METRICS
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


def test_every_extra_mentioned_exists() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    asked = mentions(r"pip install '(?:cronicorn|\.)\[([^\]]+)\]'")

    assert asked
    assert {each for each in asked if not declared.keys() >= {*each[0].split(",")}} == set()


@pytest.mark.parametrize("name", [name for name in EVERYTHING if name.startswith("docs/") and "decisions" not in name])
def test_a_page_says_at_its_top_whom_it_is_for(name: str) -> None:
    paragraphs = EVERYTHING[name].split("\n\n")

    assert paragraphs[0].startswith("# ")
    assert paragraphs[1].startswith("For who")
