"""`cronicorn secret`: the text comes by stdin, and goes nowhere."""

import json
import os
import pty
from contextlib import suppress

import pytest

from tests.cli.command import cronicorn, environment, started
from tests.waiting import eventually

TEXT = "tok-live-4711"


@pytest.fixture
def env(tmp_path):
    return environment(DATABASE_URL=f"sqlite:{tmp_path / 'store.db'}", API_KEY="a-key-for-tests-only")


def listed(env):
    return [row["name"] for row in json.loads(cronicorn("secret", "list", "--json", env=env).out)]


def test_a_secret_is_set_from_stdin_listed_and_removed(env, tmp_path):
    set_ = cronicorn("secret", "set", "token", stdin=f"{TEXT}\n", env=env)
    shown = cronicorn("secret", "list", env=env)
    removed = cronicorn("secret", "remove", "token", env=env)
    again = cronicorn("secret", "remove", "token", env=env)

    assert (set_.code, shown.code, removed.code, again.code) == (0, 0, 0, 4)
    assert "{{secret.token}}" in set_.out
    assert "token" in shown.out
    assert listed(env) == []
    for ended in (set_, shown, removed, again):
        assert TEXT not in ended.out + ended.err
    assert TEXT.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


@pytest.mark.parametrize("text", ["", "short\n", b"\xff\xfe\xff\xfe\xff\xfe\xff"])
def test_what_can_be_no_secret_is_refused(env, text):
    ended = cronicorn("secret", "set", "token", stdin=text, env=env)

    assert ended.code == 2
    assert ended.err.startswith("Error: ")
    cronicorn("tenant", "add", "acme", env=env)
    assert listed(env) == []


def test_no_option_takes_the_text(env):
    assert cronicorn("secret", "set", "token", TEXT, env=env).code == 2


def test_at_a_terminal_the_text_is_asked_for_and_not_shown(env):
    ours, theirs = pty.openpty()
    command = started("secret", "set", "token", env=env, stdin=theirs, stdout=theirs, stderr=theirs, own_session=True)
    os.set_blocking(ours, False)
    said = b""

    def has_said(text):
        nonlocal said
        with suppress(BlockingIOError):
            said += os.read(ours, 4_096)
        return text in said

    try:
        eventually(lambda: has_said(b"The text of token"), within_s=60)
        os.write(ours, f"{TEXT}\n".encode())
        assert command.wait(60) == 0
        eventually(lambda: has_said(b"has the secret token"))
    finally:
        command.kill()
        os.close(theirs)
        os.close(ours)
    assert listed(env) == ["token"]
    assert TEXT.encode() not in said
