"""Commands whose streams are closed or full: what they did stays done, and no exit code means another thing."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import cronicorn, environment, started

FILE = "jobs: [{name: shop, endpoints: [{name: stock, url: 'https://shop.example/', dormant: true}]}]"


@pytest.fixture
def env(tmp_path):
    (tmp_path / "jobs.yaml").write_text(FILE)
    return environment(DATABASE_URL=f"sqlite:{tmp_path / 'store.db'}", API_KEY="a-key-for-tests-only")


@pytest.mark.parametrize("command", [("diff", "-f"), ("apply", "-f"), ("export",), ("--help",)])
def test_what_can_not_be_said_is_told_with_a_code_of_its_own(env, tmp_path, command):
    file = str(tmp_path / "jobs.yaml")
    assert cronicorn("tenant", "add", "other", env=env).code == 0
    with (tmp_path / "err").open("wb") as err, Path("/dev/full").open("wb") as full:
        arguments = (*command, file) if command[-1] == "-f" else command
        code = started(*arguments, env=env, stdin=0, stdout=full.fileno(), stderr=err.fileno()).wait(60)
    told = (tmp_path / "err").read_text()

    assert (code, "Traceback" in told) == (7, False), told
    assert "What this command says can't be written: No space left on device." in told
    if command[0] == "apply":
        assert cronicorn("diff", "-f", file, env=env).code == 0


@pytest.mark.parametrize(
    ("command", "code", "left"),
    [
        ("apply -f jobs.yaml >&-", 0, ""),
        ("diff -f - <&- >&-", 2, "Error: "),
        ("profile add a --url https://a.example <&-", 2, "Error: "),
        ("runs <&- >&- 2>&-", 4, ""),
    ],
)
def test_closed_streams_are_nothing_to_read_and_nowhere_to_write(env, tmp_path, command, code, left):
    env |= {"CRONICORN_PROFILES_FILE": str(tmp_path / "profiles.json")}
    program = f"exec {sys.executable} -m cronicorn {command}"

    ended = subprocess.run(["sh", "-c", program], env=env, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (ended.returncode, "Traceback" in ended.stderr) == (code, False), ended.stderr
    assert ended.stderr.startswith(left)
