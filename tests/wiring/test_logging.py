import io
import json
import logging
from datetime import UTC, datetime

import pytest

from cronicorn.wiring.logging import TextFormatter, configure_logging


@pytest.fixture
def _restored():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def logged(form, stream=None, **extra):
    stream = stream or io.StringIO()
    configure_logging("info", form, stream)
    logging.getLogger("cronicorn.scheduler.loop").info("run_settled", extra=extra)
    return stream.getvalue()


@pytest.mark.usefixtures("_restored")
def test_json_holds_the_event_and_its_facts():
    entry = json.loads(logged("json", endpoint="ep1", slot=7, status_code=None))

    assert entry.pop("at").endswith("Z")
    assert entry == {
        "level": "info", "event": "run_settled", "logger": "cronicorn.scheduler.loop",
        "endpoint": "ep1", "slot": 7, "status_code": None,
    }  # fmt: skip


@pytest.mark.usefixtures("_restored")
def test_text_is_one_readable_line():
    line = logged("text", endpoint="ep1", reason="two words", nothing=None)

    assert line[13:] == 'info  run_settled endpoint=ep1 reason="two words"\n'


def as_text(**facts):
    record = {
        "msg": "run_settled",
        "levelno": logging.INFO,
        "created": datetime(2026, 1, 31, 9, 30, tzinfo=UTC).timestamp(),
    }
    return TextFormatter().format(logging.makeLogRecord(record | facts))


def test_text_tells_what_matters_first_and_leaves_out_what_is_usual():
    line = as_text(
        tenant="t" * 32, endpoint="ep1", slot=7, attempt=1, fence=3, status="success", outcome="responded",
        status_code=200, source="baseline-cron", duration_ms=45.2, late_ms=7_031.0, next_source="baseline-cron",
        next_run_at="2026-01-31T09:31:00.123000+00:00", failure_count=0, skipped=0,
    )  # fmt: skip

    assert line == (
        "09:30:00.000 info  run_settled endpoint=ep1 status=success status_code=200 duration=45ms late=7.0s "
        "next=09:31:00Z slot=7 fence=3 source=baseline-cron next_source=baseline-cron"
    )


def test_text_tells_what_is_unusual_and_the_date_of_another_day():
    line = as_text(attempt=2, outcome="timed_out", failure_count=3, next_run_at="2026-02-01T00:00:00+00:00")

    assert line.endswith("outcome=timed_out next=2026-02-01T00:00:00Z attempt=2 failure_count=3")


@pytest.mark.usefixtures("_restored")
def test_text_marks_what_is_no_mere_information():
    stream = io.StringIO()
    configure_logging("info", "text", stream)

    logging.getLogger("cronicorn").warning("lease_lost")
    logging.getLogger("cronicorn").error("run_crashed")

    assert [line[13:] for line in stream.getvalue().splitlines()] == ["WARN  lease_lost", "ERROR run_crashed"]


@pytest.mark.usefixtures("_restored")
def test_a_fact_can_neither_hide_the_event_nor_begin_a_new_line():
    entry = json.loads(logged("json", event="forged", reason="a\nb"))
    line = logged("text", reason="a\nb")

    assert entry["event"] == "run_settled"
    assert line.count("\n") == 1


@pytest.mark.usefixtures("_restored")
@pytest.mark.parametrize("text", ["/\x1b[2J", "/\x9b2J", "/\u202eabc", "/\x7f", "/\ud800"])
def test_a_fact_is_no_command_to_a_terminal(text):
    assert f"path={json.dumps(text)}\n" in logged("text", path=text)


@pytest.mark.usefixtures("_restored")
def test_auto_means_text_on_a_terminal_and_json_elsewhere():
    assert logged("auto").startswith("{")
    assert not logged("auto", Terminal()).startswith("{")


@pytest.mark.usefixtures("_restored")
def test_a_traceback_stays_inside_its_record():
    stream = io.StringIO()
    configure_logging("info", "json", stream)

    error = RuntimeError("gone")
    logging.getLogger("cronicorn").error("run_crashed", exc_info=error, extra={"slot": 1})

    entry = json.loads(stream.getvalue())
    assert entry["traceback"].endswith("RuntimeError: gone")
