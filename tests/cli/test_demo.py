"""The demonstration, as a person would watch it: in a process of its own, with and without a terminal."""

import os
import pty
import re
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from cronicorn.cli.demonstration.board import Board, Call, Happening, Next, Row, SkipNote, Steer, Voice
from cronicorn.cli.demonstration.picture import picture
from cronicorn.cli.demonstration.processes import NotStartedError, a_scheduler
from cronicorn.cli.demonstration.shop import Shop
from cronicorn.cli.demonstration.story import Phase, Story
from cronicorn.cli.demonstration.summary import show_summary
from tests.cli.command import cronicorn, environment
from tests.waiting import eventually

SECONDS = "15"
HANGS_S = 120
"""Ending takes a second or two; on a machine with much else to do it may take a lot longer."""
OPENED = datetime(2030, 1, 1, tzinfo=UTC)
A_PERSON = Steer(author="person", reason="flash sale: watch the stock")
THE_SERVER = Steer(author="signal", reason="Retry-After is 8: no call for 8 s")


def command(*arguments):
    return [sys.executable, "-m", "cronicorn", "demo", *arguments]


def ports_in(text):
    return [int(port) for port in re.findall(r"http://127\.0\.0\.1:(\d+)", text)]


def nobody_listens(port):
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return False
    return True


def processes_naming(text):
    """The command lines of all processes that name *text*."""
    lines = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):  # Where there is no /proc, the ports have to do.
        with suppress(OSError):
            lines.append(process.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return [line for line in lines if text in line]


def started(tmp_path, **options):
    """A running demonstration whose temporary files are in *tmp_path*, and what it has printed so far."""
    demo = subprocess.Popen(
        command("--seconds", "60"), env=environment() | {"TMPDIR": str(tmp_path)}, stdout=subprocess.PIPE, **options
    )
    assert demo.stdout is not None
    first_line = demo.stdout.readline().decode()
    return demo, first_line


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """One whole demonstration without a terminal."""
    folder = tmp_path_factory.mktemp("demo")
    env = environment() | {"TMPDIR": str(folder), "COLUMNS": "80"}

    ended = subprocess.run(
        command("--seconds", SECONDS), env=env, capture_output=True, text=True, timeout=90, check=False
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout, folder


def test_it_goes_through_all_phases_in_order(told):
    text, _ = told

    places = [text.index(f"[{phase.value}]") for phase in Phase]

    assert places == sorted(places)


@pytest.mark.parametrize("name", ["stock", "queue", "cashier", "checkout", "payments", "newsletter", "doors", "report"])
def test_every_endpoint_is_called(told, name):
    text, _ = told

    assert re.search(rf"ok 20\d +{name} ", text)


def test_it_says_of_each_endpoint_when_it_comes_next_and_why(told):
    text, _ = told

    assert re.search(
        r"next +checkout +at \d+\.\d s, \d\d:\d\d:\d\d\.\d{3}Z +baseline-cron +The baseline's next instant\.", text
    )
    assert re.search(r"next +report +not planned +dormant +Dormant: it runs only when asked\.", text)


def test_the_shops_own_retry_after_defers_a_call(told):
    text, _ = told

    assert re.search(r"next +checkout .* deferred .*a signal: Retry-After is \d+: no call for \d+ s", text)
    assert re.search(r"(ok|FAIL) \d+ +checkout +after .* deferred \(a signal: Retry-After", text)


def test_a_persons_hint_steers(told):
    text, _ = told

    assert re.search(r"ok 200 +stock +after 1\.\d s, .* ai-interval \(a person: flash sale: watch the stock\)", text)
    assert re.search(r"====  +stock: every 1 s, not every 2 s; a person: flash sale: watch the stock", text)
    assert re.search(r"\d+ runs? of stock \(.* s\), by a person: flash sale: watch the stock", text)


def test_rules_steer_their_own_endpoint_and_a_sibling(told):
    text, _ = told

    assert re.search(r"ok 200 +queue +after 1\.\d s, .* ai-interval \(a rule: a long queue is watched closely\)", text)
    assert re.search(r"ok 202 +cashier .* ai-oneshot \(a rule", text)


def test_a_failed_call_is_retried(told):
    text, _ = told

    assert re.search(r"\d+ +payments +after .* retry, attempt 2", text)


def test_the_summary_lists_skips_with_their_reasons_and_nothing_overdue(told):
    text, _ = told

    assert re.search(r"\d+ of newsletter: skipped_paused \(", text)
    assert "Overdue slots: 0." in text


def test_nothing_is_left_behind(told):
    text, folder = told

    assert len(ports_in(text)) == 2
    assert all(nobody_listens(port) for port in ports_in(text))
    assert processes_naming(str(folder)) == []
    assert list(folder.iterdir()) == []


def test_it_paints_a_live_picture_in_a_terminal():
    primary, secondary = pty.openpty()
    env = environment() | {"TERM": "xterm", "COLUMNS": "100", "LINES": "30"}
    demo = subprocess.Popen(command("--seconds", "12"), env=env, stdin=secondary, stdout=secondary, stderr=secondary)
    os.close(secondary)

    screen = _all_of(primary)

    assert demo.wait(timeout=60) == 0
    assert b"next in" in screen
    assert b"\x1b[" in screen
    assert b"Overdue slots: 0." in screen


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_and_all_it_started(tmp_path, number, code):
    demo, first_line = started(tmp_path)

    demo.send_signal(number)
    demo.communicate(timeout=HANGS_S)

    assert demo.returncode == code
    assert all(nobody_listens(port) for port in ports_in(first_line))
    assert list(tmp_path.iterdir()) == []


def test_what_it_started_does_not_survive_a_kill(tmp_path):
    demo, first_line = started(tmp_path)

    demo.kill()
    demo.communicate(timeout=HANGS_S)

    assert len(ports_in(first_line)) == 2
    eventually(lambda: all(nobody_listens(port) for port in ports_in(first_line)), within_s=20)
    eventually(lambda: processes_naming(str(tmp_path)) == [], within_s=20)
    eventually(lambda: list(tmp_path.iterdir()) == [], within_s=20)


@pytest.mark.parametrize("arguments", [("--seconds", "3"), ("--seconds", "nan"), ("--speed", "0"), ("--speed", "100")])
def test_a_story_of_an_impossible_length_is_refused_with_a_sentence(arguments):
    ended = cronicorn("demo", *arguments)

    assert ended.code == 2
    assert "the story takes from 12 to 3600 seconds" in " ".join(ended.err.replace("│", " ").split())


def test_a_scheduler_that_does_not_start_says_why(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

        with pytest.raises(NotStartedError, match=f"Can't listen on 127.0.0.1:{port}"), a_scheduler("x" * 20, port):
            pass


def a_call(endpoint="payments", **changes):
    """The second run of an endpoint, which went well."""
    facts = {
        "id": "1", "endpoint": endpoint, "ok": True, "answer": "200", "source": "baseline-interval", "attempt": 1,
        "duration_ms": 1.0, "late_ms": 2.0, "began_s": 70.0, "gap_s": 4.0, "steer": None,
    }  # fmt: skip
    return Call(**facts | changes)


def a_board():
    """A board in the middle of the failing phase, with all that may steer."""
    calls = [
        a_call("stock", source="ai-interval", gap_s=1.0, steer=A_PERSON),
        a_call("checkout", ok=False, answer="503", source="deferred", gap_s=8.0, steer=THE_SERVER),
        a_call("payments", source="retry", attempt=2),
    ]
    at = OPENED + timedelta(seconds=75)
    rows = [
        Row("1", "stock", "every 4 s, 1 to 12 s", Next(at=at, source="ai-interval", steer=A_PERSON, pace="every 1 s")),
        Row("2", "checkout", "cron */3 * * * * *", Next(at=at, source="deferred", steer=THE_SERVER)),
        Row(
            "3", "payments", "every 5 s, 3 retries", Next(at=at, source="clamped-max", why="Too far from the last run.")
        ),
    ]
    for row, call in zip(rows, calls, strict=True):
        row.calls.append(call)
    skips = [SkipNote(endpoint="newsletter", state="skipped_paused", reason="the endpoint was paused", count=7)]
    return Board(
        opened_at=OPENED,
        seconds=120.0,
        rows={row.name: row for row in rows},
        elapsed=71.0,
        phase="failing",
        skips=skips,
    )


def drawn(width, height, happenings):
    """The lines of the live picture in a terminal of that size."""
    console = Console(file=StringIO(), width=width, height=height)
    board = a_board()
    now = OPENED + timedelta(seconds=71)
    return picture(board, happenings, board.calls, console, now).plain.splitlines()


def turns(count):
    """So many turns of the story, the last of which is the longest a person speaks."""
    texts = [f"turn {number}." for number in range(count - 1)]
    texts.append("A person hints: look at the stock every second while the sale is on.")
    return [
        Happening(at_s=float(number), voice=Voice.PERSON, text=text, phase=Phase.FAILING)
        for number, text in enumerate(texts)
    ]


@pytest.mark.parametrize(("width", "height"), [(60, 24), (80, 24), (110, 30), (200, 50)])
def test_the_picture_tells_who_steered_and_why_at_every_size(width, height):
    lines = drawn(width, height, turns(40))

    text = " ".join(" ".join(lines).split())
    assert len(lines) < height
    assert max(len(line) for line in lines) <= width
    assert "every 1 s: a person: flash sale: watch the stock" in text
    assert "a signal: Retry-After is 8: no call for 8 s" in text
    assert "FAIL 503" in text
    assert "retry, attempt 2" in text
    assert "look at the stock every second while the sale is on." in text


def test_runs_do_not_push_the_story_out_of_the_picture():
    lines = drawn(80, 24, turns(4))

    assert [line[10:] for line in lines if "turn " in line] == ["turn 0.", "turn 1.", "turn 2."]


def test_a_narrow_summary_breaks_between_words_and_hangs():
    board = a_board()
    sources = ["baseline-interval", "ai-interval", "clamped-max"]
    board.rows["stock"].calls += [a_call("stock", source=source, ok=False) for source in sources]
    file = StringIO()

    show_summary(board, Console(file=file, width=50))

    lines = file.getvalue().splitlines()
    told = next(number for number, line in enumerate(lines) if line.startswith("  stock "))
    assert max(len(line) for line in lines) <= 50
    assert lines[told] == "  stock         4  3 failed attempts; ai-interval"
    assert lines[told + 1].startswith(" " * 19)
    assert "baseline-interval 1" in lines[told + 1]


def test_a_story_has_its_phases_in_order_at_any_length():
    for seconds in (12.0, 120.0, 3_600.0):
        story = Story(seconds)

        phases = [story.phase(seconds * part / 100) for part in range(100)]

        assert sorted(set(phases), key=phases.index) == list(Phase)


def test_a_shop_that_is_not_open_yet_is_calm():
    shop = Shop(Story(12.0))

    answer = shop.answer("/stock")

    assert (answer.status, answer.body["phase"]) == (200, "calm")


def _all_of(descriptor):
    """Everything written to a terminal until its last writer is gone."""
    read = bytearray()
    with suppress(OSError):  # Linux says so when the other end is closed.
        while chunk := os.read(descriptor, 65_536):
            read += chunk
    os.close(descriptor)
    return bytes(read)
