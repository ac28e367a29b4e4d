"""The version before this one: the commit before the newest migration came, from the history of this clone."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest

from cronicorn.adapters.postgres.migration import MIGRATIONS
from tests.architecture.source import ROOT
from tests.cli.command import environment
from tests.waiting import eventually

KEY = "a-key-for-tests-only"
HERE = ROOT / "src"
_READY_WITHIN_S = 60
_NEWEST = max((MIGRATIONS / "versions").glob("[0-9]*.py"))


def _git(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)


@cache
def earlier_commit() -> str | None:
    """The commit before the newest migration came; None where the history does not reach back to it."""
    path = _NEWEST.relative_to(ROOT)
    added = _git("log", "--format=%H", "--diff-filter=A", "--", str(path)).stdout.split()
    before = _git("rev-parse", "--verify", "--quiet", f"{added[-1]}^") if added else None
    return before.stdout.strip() if before is not None and before.returncode == 0 else None


needs_history = pytest.mark.skipif(
    earlier_commit() is None,
    reason="NOT TESTED that versions run side by side: this copy has no git history that reaches back to the newest "
    "migration (a shallow clone, or none): `git fetch --unshallow`",
)


def unpacked(folder: Path) -> Path:
    """The sources of the earlier version, below *folder*."""
    commit = earlier_commit()
    assert commit is not None
    packed = subprocess.run(["git", "archive", commit, "src"], cwd=ROOT, capture_output=True, check=True).stdout
    folder.mkdir()
    subprocess.run(["tar", "-x", "-C", str(folder)], input=packed, check=True)
    return folder / "src"


class Running:
    """A process of one of the versions."""

    def __init__(self, log: Path, source: Path, command: Sequence[str], settings: dict[str, str]) -> None:
        self._log = log
        env = environment(**settings) | {"PYTHONPATH": str(source)}
        with log.open("wb") as errors:
            self.process = subprocess.Popen([sys.executable, "-m", "cronicorn", *command], env=env, stderr=errors)

    @property
    def entries(self) -> list[dict[str, Any]]:
        """What it has logged."""
        lines = self._log.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    @property
    def talk(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def client(self) -> httpx.Client:
        """Whoever asks it, once it listens."""

        def urls() -> list[str]:
            return [entry["url"] for entry in self.entries if entry["event"] == "process_started"]

        eventually(lambda: urls() or self.process.poll() is not None, within_s=_READY_WITHIN_S)
        assert urls(), self.talk
        return httpx.Client(base_url=urls()[0], headers={"x-api-key": KEY}, timeout=30, trust_env=False)


@contextmanager
def running(log: Path, source: Path, *command: str, **settings: str) -> Iterator[Running]:
    """A process of the version in *source* inside the block; what is left of it afterwards is killed."""
    given = {"API_KEY": KEY, "PORT": "0", "EGRESS_ALLOW": "127.0.0.0/8", "LOG_FORMAT": "json", "METRICS_PORT": "0"}
    started = Running(log, source, command, given | settings)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.wait()
