import io
import json
import logging

import pytest

from cronicorn.wiring.logging import configure_logging


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

    assert line.endswith('info    run_settled          endpoint=ep1 reason="two words"\n')


@pytest.mark.usefixtures("_restored")
def test_a_fact_can_neither_hide_the_event_nor_begin_a_new_line():
    entry = json.loads(logged("json", event="forged", reason="a\nb"))
    line = logged("text", reason="a\nb")

    assert entry["event"] == "run_settled"
    assert line.count("\n") == 1


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
