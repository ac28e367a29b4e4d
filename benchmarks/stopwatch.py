"""What work took, in wall and CPU time."""

import os
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from benchmarks.world import Rows

_CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
"""A second, as Linux counts the time of processes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """What it took to work off due slots."""

    slots: int
    seconds: float
    cpu_s: float
    """Of all threads of all workers; that of a database server is not counted."""
    database_cpu_s: float | None = None
    """Of the database server, where there is one."""
    written: int | None = None
    """Bytes: of all files of SQLite, or of the server's write-ahead log."""
    cold_rate: float | None = None
    """Runs a second when the same slots came due for the first time; None where that is all that was measured."""
    rounds: int = 1
    """How often they came due in all."""

    @property
    def rate(self) -> float:
        """Runs a second."""
        return self.slots / self.seconds

    @property
    def cpu_us(self) -> float:
        """Of each run."""
        return self.cpu_s / self.slots * 1e6

    @property
    def database_cpu_us(self) -> float | None:
        """Of each run."""
        return self.database_cpu_s / self.slots * 1e6 if self.database_cpu_s is not None else None

    @property
    def written_each(self) -> float | None:
        """Bytes for each run."""
        return self.written / self.slots if self.written is not None else None


def last_of(rounds: Sequence[Drained]) -> Drained:
    """The last of *rounds* over the same endpoints."""
    cold_rate = rounds[0].rate if len(rounds) > 1 else None
    return replace(rounds[-1], cold_rate=cold_rate, rounds=len(rounds))


class Stopwatch:
    """Runs from `begun` on: wall time, CPU time of this process and of the database server, and bytes written."""

    def __init__(self, rows: Rows | None, server: int | None, written: int) -> None:
        self._rows = rows
        self._server = server
        self._written = written
        self._server_cpu = cpu_seconds_of(server) if server is not None else 0.0
        self._start, self._cpu = time.perf_counter(), cpu_seconds()

    @classmethod
    async def begun(cls, rows: Rows | None = None) -> Self:
        """One that begins now, over the store in which *rows* are, if there is one."""
        if rows is None:
            return cls(None, None, 0)
        return cls(rows, await rows.server(), await rows.written())

    async def stopped(self, slots: int) -> Drained:
        """What *slots* took until now."""
        seconds, cpu_s = time.perf_counter() - self._start, cpu_seconds() - self._cpu
        return Drained(
            slots=slots,
            seconds=seconds,
            cpu_s=cpu_s,
            database_cpu_s=cpu_seconds_of(self._server) - self._server_cpu if self._server is not None else None,
            written=await self._rows.written() - self._written if self._rows is not None else None,
        )


def cpu_seconds() -> float:
    """User and system time of this process so far, all threads."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def cpu_seconds_of(pid: int) -> float:
    """Of a process and what it has started, as far as that still runs or was waited for."""
    folder = Path(f"/proc/{pid}")
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    own = sum(int(ticks) for ticks in fields[11:15]) / _CLOCK_TICKS
    started = [child for task in folder.glob("task/*/children") for child in task.read_text().split()]
    try:
        return own + sum(cpu_seconds_of(int(child)) for child in started)
    except (FileNotFoundError, ProcessLookupError):  # One has ended meanwhile: its time is its parent's by now.
        return cpu_seconds_of(pid)
