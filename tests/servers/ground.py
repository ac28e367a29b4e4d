"""The folder that servers live in, and what ends them with the process that made it, however that process ends."""

import errno
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Self

from tests.waiting import eventually

_PREFIX = "cronicorn-test-"
_MEMORY = Path("/dev/shm")
_ROOM_MIN = 2 << 30
_ALIVE = "alive"
"""A named pipe that only the owner holds open for writing: its end is the owner's end."""


class Ground:
    """A folder for servers. They are killed when the process that made it closes it or dies."""

    def __init__(self, folder: Path, alive: int | None = None) -> None:
        self.folder = folder
        self.at_end: list[Callable[[], object]] = []
        """What the owner does once all servers are dead."""
        self._alive = alive

    @classmethod
    def make(cls, parent: Path | None = None) -> Self:
        """A new folder of this process; what dead processes left behind is removed.

        Without *parent* it is in memory if there is room.
        """
        parent = parent if parent is not None else _parent()
        _sweep(parent)
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        folder.chmod(0o711)
        pipe = folder / "new"
        os.mkfifo(pipe)
        alive = os.open(pipe, os.O_RDWR)
        pipe.rename(folder / _ALIVE)
        return cls(folder, alive)

    def watched(self) -> int:
        """A descriptor that reads to its end when the owner has died."""
        descriptor = os.open(self.folder / _ALIVE, os.O_RDONLY | os.O_NONBLOCK)
        os.set_blocking(descriptor, True)
        return descriptor

    def subfolder(self, prefix: str) -> Path:
        """A new folder in it."""
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=self.folder))
        folder.chmod(0o711)
        return folder

    def close(self) -> None:
        """Have everything in it killed, and remove it."""
        if self._alive is None:
            return
        os.close(self._alive)
        self._alive = None

        eventually(lambda: _abandoned(self.folder))
        for action in self.at_end:
            action()
        shutil.rmtree(self.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _parent() -> Path:
    roomy = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM_MIN
    return _MEMORY if roomy else Path(tempfile.gettempdir())


def _sweep(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        if _abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _abandoned(folder: Path) -> bool:
    """Whether the owner is gone, and the watchdogs are done: nobody reads the pipe any more."""
    try:
        os.close(os.open(folder / _ALIVE, os.O_WRONLY | os.O_NONBLOCK))
    except OSError as error:
        return error.errno == errno.ENXIO
    return False
