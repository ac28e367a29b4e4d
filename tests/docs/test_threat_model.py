"""What the threat model says shows a defence is there, and the whole security suite is named in it."""

import re
from importlib import import_module
from pkgutil import iter_modules

import pytest

from cronicorn.testing import contracts
from tests.architecture.source import ROOT
from tests.docs.markdown import DOCS

TEXT = (DOCS / "explanation" / "threat-model.md").read_text(encoding="utf-8")
PLACES = sorted(set(re.findall(r"`(tests/[\w/.*]+)`", TEXT)))
SUITES = sorted(set(re.findall(r"`(\w+Contract)`", TEXT)))


@pytest.mark.parametrize("place", PLACES)
def test_a_place_that_is_named_is_there(place: str) -> None:
    assert list(ROOT.glob(place))


def test_contracts_that_are_named_are_there() -> None:
    modules = [import_module(f"{contracts.__name__}.{found.name}") for found in iter_modules(contracts.__path__)]

    assert len(SUITES) >= 5
    assert [name for name in SUITES if not any(hasattr(module, name) for module in modules)] == []


def test_the_whole_suite_is_named() -> None:
    suite = {str(path.relative_to(ROOT)) for path in (ROOT / "tests" / "security").glob("test_*.py")}

    assert len(suite) >= 5
    assert suite - set(PLACES) == set()


def test_every_threat_names_what_guards_and_what_shows_it() -> None:
    defended = TEXT.partition("## What is defended")[2].partition("## What is not defended")[0]
    rows = [line.split("|")[1:-1] for line in defended.splitlines() if line.startswith("| ")]

    assert len(rows) >= 25
    assert [cells[0] for cells in rows if len(cells) != 3 or not all(cell.strip() for cell in cells)] == []
