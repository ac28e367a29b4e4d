"""The units are what systemd reads, restricted, and start commands with settings that there are."""

import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from cronicorn.cli.main import app
from cronicorn.wiring.settings import Settings
from tests.architecture.source import ROOT
from tests.cli.command import environment
from tests.deploy.drain import STOPS_WITHIN_S
from tests.waiting import eventually

UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
COMMON = (ROOT / "deploy/systemd/cronicorn-.service.d/10-service.conf").read_text(encoding="utf-8")
INSTALLED = "/opt/cronicorn/bin/cronicorn"
EXPOSED_MAX = 15
"""Of 100, by systemd's own count; most services have more than 90."""
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze is here")


def values(text: str, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", text, re.MULTILINE)


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
@pytest.mark.parametrize(
    "ask", [["verify", "--man=no"], ["security", "--no-pager", "--offline=yes", f"--threshold={EXPOSED_MAX}"]]
)
def test_systemd_reads_a_unit_without_a_word_and_finds_it_restricted(ask, unit, tmp_path):
    folder = tmp_path / "units"
    shutil.copytree(unit.parent, folder)
    copy = folder / unit.name
    here = Path(sys.executable).with_name("cronicorn")
    copy.write_text(copy.read_text(encoding="utf-8").replace(INSTALLED, str(here)), encoding="utf-8")

    ended = subprocess.run(
        ["systemd-analyze", *ask, str(copy)], env=os.environ | {"SYSTEMD_UNIT_PATH": f"{folder}:"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert unit.name not in ended.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_starts_a_command_that_there_is_with_settings_that_there_are(unit):
    [start] = values(unit.read_text(encoding="utf-8"), "ExecStart")
    given = dict(each.split("=", 1) for each in values(COMMON, "Environment"))

    assert start.split()[0] == INSTALLED
    assert start.split()[1] in getattr(get_command(app), "commands")  # noqa: B009 - typer's own class does not declare it
    read = Settings.from_env({name: text.replace("%S", "/var/lib") for name, text in given.items()})
    assert read.database_url.file == Path("/var/lib/cronicorn/cronicorn.db")


def test_systemd_waits_until_a_process_has_drained():
    assert int(values(COMMON, "TimeoutStopSec")[0]) > STOPS_WITHIN_S


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be asked for it")
def test_it_runs_where_no_memory_may_become_code(tmp_path):
    """As MemoryDenyWriteExecute has it, by the kernel's own switch."""
    assert values(COMMON, "MemoryDenyWriteExecute") == ["yes"]
    switch, refuse = 65, 1  # PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN
    if ctypes.CDLL(None).prctl(switch + 1, 0, 0, 0, 0) < 0:
        pytest.skip("this kernel has no such switch")
    program = (
        f"import ctypes, os, sys; assert ctypes.CDLL(None).prctl({switch}, {refuse}, 0, 0, 0) == 0\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'cronicorn', 'up'])"
    )
    given = {"DATABASE_URL": f"sqlite:{tmp_path / 'store.db'}", "PORT": "0", "LOG_FORMAT": "json"}
    with (tmp_path / "log").open("wb") as log:
        started = subprocess.Popen([sys.executable, "-c", program], env=environment(**given), stderr=log)
        try:
            told = tmp_path / "log"
            eventually(lambda: "scheduler_started" in told.read_text() or started.poll() is not None, within_s=60)
            started.send_signal(signal.SIGTERM)
            assert started.wait(timeout=60) == 0, told.read_text()
        finally:
            started.kill()
