"""Other schedulers at work on the same: each in a process of its own, in an environment of its own (`make peers`)."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

from benchmarks.draining import Drain
from benchmarks.postgres import passing_database
from benchmarks.rounds import Place, Work
from benchmarks.stopwatch import Drained, cpu_seconds_of
from benchmarks.world import sqlite_file
from tests.servers.postgres import RestartableServer
from tests.servers.valkey import valkey_server

_ROOT = Path(__file__).parents[1]
_PYTHON = _ROOT / ".venv-peers" / "bin" / "python"
_LOCK = _ROOT / "requirements" / "benchmarks.txt"


def peers(server: RestartableServer) -> dict[str, tuple[Place, Work]]:
    """Each with an empty store of its kind; none, and a word of how to get them, where they are not installed."""
    if not _PYTHON.exists():
        print("Peers are left out: `make peers` installs them.", file=sys.stderr)
        return {}
    postgres = partial(passing_database, server)
    return {
        f"APScheduler {_version('apscheduler')}, PostgreSQL": (postgres, partial(_work, "aps", server=server.pid)),
        f"Procrastinate {_version('procrastinate')}, PostgreSQL": (
            postgres,
            partial(_work, "procrastinating", server=server.pid),
        ),
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


def _work(module: str, order: Drain, server: int | None = None) -> Drained:
    """From the start until every result is recorded, and the CPU time of its processes and of *server* in between."""
    command = [str(_PYTHON), "-m", f"benchmarks.peers.{module}", order.database, order.target, str(order.slots)]
    peer = subprocess.Popen(
        command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert peer.stdin is not None
    assert peer.stdout is not None
    with peer:
        _heard(peer.stdout, "ready", module)
        start, before = time.perf_counter(), _cpu_s(peer.pid, server)
        _go_on(peer.stdin)
        _heard(peer.stdout, "done", module)
        seconds, after = time.perf_counter() - start, _cpu_s(peer.pid, server)
        _go_on(peer.stdin)
    return Drained(
        slots=order.slots,
        seconds=seconds,
        cpu_s=after[0] - before[0],
        database_cpu_s=after[1] - before[1] if server is not None else None,
    )


def _cpu_s(peer: int, server: int | None) -> tuple[float, float]:
    return cpu_seconds_of(peer), cpu_seconds_of(server) if server is not None else 0.0


def _heard(output: IO[str], word: str, module: str) -> None:
    said = output.readline().strip()
    assert said == word, f"{module} said {said!r} in the place of {word!r}"


def _go_on(entrant: IO[str]) -> None:
    entrant.write("\n")
    entrant.flush()
