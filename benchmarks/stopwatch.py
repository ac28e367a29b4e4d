"""What work took, in wall and CPU time."""

import resource
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """What it took to work off due slots."""

    slots: int
    seconds: float
    cpu_s: float
    """Of all threads of all workers; that of a database server is not counted."""

    @property
    def rate(self) -> float:
        """Runs a second."""
        return self.slots / self.seconds

    @property
    def cpu_us(self) -> float:
        """Of each run."""
        return self.cpu_s / self.slots * 1e6


class Stopwatch:
    """Runs from when it is made: wall and CPU time of this process."""

    def __init__(self) -> None:
        self._start, self._cpu = time.perf_counter(), cpu_seconds()

    def stopped(self, slots: int) -> Drained:
        """What *slots* took until now."""
        return Drained(slots=slots, seconds=time.perf_counter() - self._start, cpu_s=cpu_seconds() - self._cpu)


def cpu_seconds() -> float:
    """User and system time of this process so far, all threads."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
