"""A clock that several processes share: it shows what a file says, and stands still until somebody moves it."""

import time
from datetime import datetime, timedelta
from pathlib import Path

from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.ports import Clock


class FileClock(Clock):
    """Shows the instant in *path*."""

    def __init__(self, path: Path) -> None:
        self._path = path
        if not path.exists():
            path.write_text(MIDNIGHT.isoformat())

    def now(self) -> datetime:
        return datetime.fromisoformat(self._path.read_text())

    def monotonic(self) -> float:
        return time.monotonic()

    def advance(self, by: timedelta) -> None:
        """Move it. One process does that."""
        new = self._path.with_suffix(".new")
        new.write_text((self.now() + by).isoformat())
        Path(new).replace(self._path)
