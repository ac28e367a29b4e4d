"""The reference names all there is, and nothing else."""

import re

import pytest

from cronicorn.cli.planned import PlanAnswers
from cronicorn.cli.planning_case import _READERS
from tests.architecture.source import PACKAGE, modules_of
from tests.docs.log_events import log_calls
from tests.docs.markdown import REFERENCE, first_cells, marked
from tests.docs.reference import TABLES, generated

PAGES = sorted(REFERENCE.glob("*.md"))
REWRITE = "run `.venv/bin/python -m tests.docs.reference` and read what it changed"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_tables_say_what_the_code_says(page) -> None:
    text = page.read_text(encoding="utf-8")

    assert generated(text) == text, REWRITE


def test_every_table_stands_on_exactly_one_page() -> None:
    found = [name for page in PAGES for name in marked(page.read_text(encoding="utf-8"))]

    assert sorted(found) == sorted(TABLES)


def test_every_event_is_a_snake_case_constant() -> None:
    odd = [call for call in log_calls() if call.event is None or not re.fullmatch(r"[a-z]+(_[a-z]+)+", call.event)]

    assert odd == []


def test_every_logger_has_the_name_by_which_its_calls_are_found() -> None:
    made = [line.strip() for module in modules_of(PACKAGE) for line in module.text.splitlines() if "getLogger(" in line]
    own = [line for line in made if "__name__" in line]

    assert set(own) == {"log = logging.getLogger(__name__)"}


def test_the_page_of_events_lists_every_event_with_its_level() -> None:
    text = (REFERENCE / "events.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)` \| (\w+) \|", text, re.MULTILINE)

    assert sorted(listed) == sorted({(call.event, call.level) for call in log_calls()})
    assert len(listed) == len(first_cells(text))


def test_the_page_of_planning_cases_lists_every_field() -> None:
    text = (REFERENCE / "planning-cases.md").read_text(encoding="utf-8")

    assert first_cells(text) == [
        *_READERS,
        *PlanAnswers().to(b'{"now": "2026-01-31T09:30:00Z", "endpoint": {}}'),
        "error",
    ]


def test_a_table_that_lost_a_row_is_noticed() -> None:
    text = (REFERENCE / "settings.md").read_text(encoding="utf-8")
    without = "".join(line for line in text.splitlines(keepends=True) if "CRONICORN_PORT" not in line)

    assert generated(without) != without
