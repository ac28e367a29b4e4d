"""Whether the open file is still the one that its path names."""

import os
from pathlib import Path

from cronicorn.domain.errors import UnavailableError


class Place:
    """The file found at *path* when it was opened.

    A file that is removed or replaced stays open: what is written to it then is lost, and a process that opens the new
    one would run the same slots a second time.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._path = path
        self._identity = self._found()

    def check(self) -> None:
        """Raises UnavailableError when the path names another file now, or none."""
        if self._found() != self._identity:
            raise UnavailableError(
                f"The database {self.name} was removed or replaced while in use: nothing more is written to it. "
                "Put it back, or start again with the file that shall count."
            )

    def _found(self) -> tuple[int, int] | None:
        try:
            status = os.stat(self._path)  # noqa: PTH116 (called for each commit)
        except OSError:
            return None
        return status.st_dev, status.st_ino
