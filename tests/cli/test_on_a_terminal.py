"""What commands do only where a person looks: ask before what is lost, and show that they work."""

import os
import pty
import signal
from contextlib import suppress

import pytest

from tests.cli.command import Ended, cronicorn, environment, started

BAR = "━"
POLICY = """
version: 1
fields: {err: {path: $.err, type: number}}
rules: [{id: surge, when: err > 5, until: err < 2, action: {interval: 30m}}]
tests: [{given: {err: 9}, expect: {interval: 30m}}, {given: {err: 1}, expect: {interval: baseline}}]
"""
SCENARIO = "{version: 1, length: 10m, endpoints: [{name: stock, every: 60s}]}"
JOBS = "jobs: [{name: told}]"


def typed(*arguments, env, answer=""):
    """How a command ends that a person types in a terminal and answers there; `out` is the whole screen."""
    primary, secondary = pty.openpty()
    command = started(*arguments, env=env, stdin=secondary, stdout=secondary, stderr=secondary)
    os.write(primary, answer.encode())
    os.close(secondary)
    screen = bytearray()
    with suppress(OSError):  # Linux says so when the command has closed the other end.
        while chunk := os.read(primary, 65_536):
            screen += chunk
    os.close(primary)
    return Ended(command.wait(60), screen.decode(), "")


@pytest.fixture
def env(tmp_path):
    """The settings of a store with an endpoint."""
    env = environment(DATABASE_URL=f"sqlite:{tmp_path / 'store.db'}") | {"TERM": "xterm", "COLUMNS": "100"}
    for arguments in (
        ("job", "create", "shop"),
        ("endpoint", "create", "shop/stock", "--url", "http://127.0.0.1:9/", "--every", "1h"),
    ):
        assert cronicorn(*arguments, env=env).code == 0
    return env


def test_a_person_is_asked_before_an_endpoint_is_deleted(env):
    kept = typed("endpoint", "delete", "shop/stock", env=env, answer="n\n")
    still = cronicorn("endpoint", "show", "shop/stock", env=env)
    deleted = typed("endpoint", "delete", "shop/stock", env=env, answer="y\n")
    gone = cronicorn("endpoint", "show", "shop/stock", env=env)

    assert (kept.code, "Go on? [y/N]" in kept.out) == (1, True)
    assert "Traceback" not in kept.out
    assert still.code == 0
    assert (deleted.code, "Go on? [y/N]" in deleted.out) == (0, True)
    assert gone.code == 4


LONG = {
    "verify": "Verifying",
    "backtest shop/stock --policy policy.yaml": "Backtesting",
    "policy propose shop/stock --policy policy.yaml": "Judging",
    "simulate scenario.yaml": "Simulating",
    "migrate": "Migrating",
    "apply -f jobs.yaml": "Applying",
    "diff -f jobs.yaml": "Comparing",
    "endpoint test shop/stock": "Calling",
    "backup NEW": BAR,
    "restore whole.db --database sqlite:NEW": BAR,
    "copy --from STORE --to sqlite:NEW --drop-leases": BAR,
}
"""Commands that may take long, and what shows on a terminal that they go on."""


def test_long_work_shows_that_it_goes_on_and_leaves_no_trace_in_what_it_prints(env, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in (("policy", POLICY), ("scenario", SCENARIO), ("jobs", JOBS)):
        (tmp_path / f"{name}.yaml").write_text(text)
    assert cronicorn("backup", "whole.db", env=env).code == 0

    for number, (line, sign) in enumerate(LONG.items()):
        command = line.replace("STORE", env["CRONICORN_DATABASE_URL"])
        watched = typed(*command.replace("NEW", f"seen{number}.db").split(), env=env)
        piped = cronicorn(*command.replace("NEW", f"unseen{number}.db").split(), env=env)

        assert (watched.code, piped.code) == ((1, 1) if "test" in line.split() else (0, 0)), (watched.out, piped.err)
        assert sign in watched.out, line
        assert "\x1b[2K" in watched.out, line  # The line of the sign is wiped out again.
        assert sign not in piped.out + piped.err, line


def test_a_terminal_that_draws_nothing_is_shown_the_picture_once(env):
    shown = typed("top", env=env | {"TERM": "dumb"})

    assert shown.code == 0
    assert "workers alive" in shown.out
    assert "\x1b" not in shown.out


def test_whoever_stops_the_live_picture_has_the_terminal_back_as_it_was(env):
    primary, secondary = pty.openpty()
    command = started("top", env=env, stdin=secondary, stdout=secondary, stderr=secondary)
    os.close(secondary)
    screen = bytearray()
    while b"\x1b[?1049h" not in screen or b"alive" not in screen:  # The picture has a screen of its own.
        screen += os.read(primary, 65_536)

    command.send_signal(signal.SIGTERM)
    with suppress(OSError):
        while chunk := os.read(primary, 65_536):
            screen += chunk
    os.close(primary)

    assert command.wait(60) == 143
    assert (b"\x1b[?1049l" in screen, b"\x1b[?25h" in screen, b"Traceback" in screen) == (True, True, False)
