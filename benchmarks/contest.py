"""Other schedulers at work on the same: each in a process of its own, in an environment of its own (`make peers`)."""

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import IO, TypeAlias

from benchmarks.draining import Drain
from benchmarks.postgres import passing_database
from benchmarks.stopwatch import Drained
from benchmarks.world import sqlite_file
from tests.servers.postgres import RestartableServer
from tests.servers.valkey import valkey_server

_ROOT = Path(__file__).parents[1]
_PYTHON = _ROOT / ".venv-peers" / "bin" / "python"
_LOCK = _ROOT / "requirements" / "benchmarks.txt"
_CLOCK_TICKS = 100
"""A second, as Linux counts the time of processes."""

Place: TypeAlias = Callable[[], AbstractContextManager[str]]
Work: TypeAlias = Callable[[Drain], Drained]


def peers(server: RestartableServer) -> dict[str, tuple[Place, Work]]:
    """Each with an empty store of its kind; none, and a word of how to get them, where they are not installed."""
    if not _PYTHON.exists():
        print("Peers are left out: `make peers` installs them.", file=sys.stderr)
        return {}
    postgres = partial(passing_database, server)
    return {
        f"APScheduler {_version('apscheduler')}, PostgreSQL": (postgres, partial(_work, "aps")),
        f"Procrastinate {_version('procrastinate')}, PostgreSQL": (postgres, partial(_work, "procrastinating")),
        f"taskiq {_version('taskiq')}, Valkey": (_valkey, partial(_work, "tasking")),
        f"Huey {_version('huey')}, SQLite": (sqlite_file, partial(_work, "hueys")),
        f"Celery {_version('celery')}, Valkey": (_valkey, partial(_work, "celeries")),
    }


@contextmanager
def _valkey() -> Iterator[str]:
    """As most run it: at a power cut the last second is lost."""
    with valkey_server(appendfsync="everysec") as server:
        yield server.url


def _version(name: str) -> str:
    found = re.search(rf"^{name}==(\S+)", _LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None
    return found[1]


def _work(module: str, order: Drain) -> Drained:
    """From the start until every result is recorded, and the CPU time of the peer's processes in between."""
    command = [str(_PYTHON), "-m", f"benchmarks.peers.{module}", order.database, order.target, str(order.slots)]
    peer = subprocess.Popen(
        command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert peer.stdin is not None
    assert peer.stdout is not None
    with peer:
        _heard(peer.stdout, "ready", module)
        start, cpu = time.perf_counter(), _cpu_s(peer.pid)
        _go_on(peer.stdin)
        _heard(peer.stdout, "done", module)
        took = Drained(slots=order.slots, seconds=time.perf_counter() - start, cpu_s=_cpu_s(peer.pid) - cpu)
        _go_on(peer.stdin)
    return took


def _heard(output: IO[str], word: str, module: str) -> None:
    said = output.readline().strip()
    assert said == word, f"{module} said {said!r} in the place of {word!r}"


def _go_on(entrant: IO[str]) -> None:
    entrant.write("\n")
    entrant.flush()


def _cpu_s(pid: int) -> float:
    """Of a process and what it has started, as far as that still runs or was waited for."""
    folder = Path(f"/proc/{pid}")
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    own = sum(int(ticks) for ticks in fields[11:15]) / _CLOCK_TICKS
    started = [child for task in folder.glob("task/*/children") for child in task.read_text().split()]
    return own + sum(_cpu_s(int(child)) for child in started)
