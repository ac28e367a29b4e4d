"""A wall clock that is wrong, for a process of one's own. Its monotonic clock stays right."""

import os
import platform
import sys
import time
from pathlib import Path

import pytest

from cronicorn.adapters.system_clock import SystemClock
from tests.servers.process import package_file

EXPECTED = "CRONICORN_TEST_WALL_MINUS_MONOTONIC"


class WrongClock:
    """What makes a subprocess's wall clock wrong, and wrong in another way whenever it is set again."""

    def __init__(self, folder: Path, skew: str = "+0") -> None:
        """*skew* as libfaketime reads it: "+30", "-90", "+0 x2" (twice as fast)."""
        if not (sys.platform == "linux" and platform.machine() == "x86_64"):
            pytest.skip("the library that fakes the clock comes for Linux on x86-64 only")
        self._file = folder / "clock"
        self._library = package_file("libfaketime", "vendor/libfaketime/src/libfaketime.so.1")
        self.set(skew)

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment of the process to be."""
        return {
            **os.environ,
            "LD_PRELOAD": str(self._library),
            "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            EXPECTED: str(_wall_minus_monotonic()),
        }

    def set(self, skew: str) -> None:
        """Step the clock of the running process; it notices when it looks next."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{skew}\n")
        new.replace(self._file)


def offset() -> float:
    """In a subprocess with such an environment: by how many seconds its wall clock is ahead now.

    Report it: where the library can't be loaded the process runs with the right time and nobody says so.
    """
    return _wall_minus_monotonic() - float(os.environ[EXPECTED])


def _wall_minus_monotonic() -> float:
    return SystemClock().now().timestamp() - time.monotonic()
