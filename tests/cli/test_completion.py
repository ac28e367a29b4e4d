"""What a shell completes: commands, options, and names that were asked for."""

import json
import os
import subprocess

import pytest

from tests.cli.command import cronicorn, environment
from tests.waiting import eventually


@pytest.fixture
def env(tmp_path):
    """A store with two endpoints, and a cache of its own."""
    env = environment(DATABASE_URL=f"sqlite:{tmp_path / 'own.db'}") | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    for words in (
        ("job", "create", "shop"),
        ("endpoint", "create", "shop/stock", "--url", "https://x.example/", "--dormant"),
        ("endpoint", "create", "shop/prices", "--url", "https://x.example/", "--dormant"),
    ):
        ended = cronicorn(*words, env=env)
        assert ended.code == 0, ended.err
    return env


def completed(words, env):
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1), "_CRONICORN_COMPLETE": "complete_bash"}
    return cronicorn(env=env | asked).out.split()


def test_commands_options_and_names_are_completed_from_what_was_asked_for(env, tmp_path):
    refreshed = cronicorn("completion", "refresh", env=env)
    (kept,) = (tmp_path / "cache" / "cronicorn").iterdir()

    assert (refreshed.code, refreshed.out) == (0, "")
    assert kept.stat().st_mode & 0o777 == 0o600
    assert json.loads(kept.read_text()) == {"jobs": ["shop"], "endpoints": ["shop/stock", "shop/prices"]}
    assert completed("cronicorn endpoint sh", env) == ["show"]
    assert completed("cronicorn endpoint show --pro", env) == ["--profile"]
    assert completed("cronicorn endpoint show shop/s", env) == ["shop/stock"]
    assert completed("cronicorn job show s", env) == ["shop"]


def test_names_that_are_not_fresh_are_told_at_once_and_asked_for_meanwhile(env, tmp_path):
    cronicorn("completion", "refresh", env=env)
    (kept,) = (tmp_path / "cache" / "cronicorn").iterdir()
    kept.write_text('{"jobs": ["shops"], "endpoints": []}')
    os.utime(kept, (1, 1))

    assert completed("cronicorn job show s", env) == ["shops"]
    eventually(lambda: json.loads(kept.read_text())["jobs"] == ["shop"], within_s=60)


def test_where_nothing_can_be_asked_nothing_is_completed_and_nothing_said(tmp_path):
    env = environment(PROFILE="nobody") | {"XDG_CACHE_HOME": str(tmp_path)}

    assert completed("cronicorn endpoint show s", env) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_each_shell_gets_a_script_of_its_own(shell):
    script = cronicorn("completion", "show", shell).out

    assert "_CRONICORN_COMPLETE" in script
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)
