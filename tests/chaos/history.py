"""What happened, as lines of JSON: each process writes to a file of its own, and every line survives its writer's end.

Instants in the history are those of the monotonic clock, which all processes of a machine share and nobody can set.
"""

import json
import math
import os
import time
from collections.abc import Iterator
from pathlib import Path

Line = dict[str, object]


class Recorder:
    """Appends lines to one file."""

    def __init__(self, folder: Path, name: str) -> None:
        self._name = name
        self._file = os.open(folder / f"{name}.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def say(self, what: str, **facts: object) -> None:
        """Write that *what* has just happened, or is about to. Threads may call it."""
        line = json.dumps({"what": what, "by": self._name, "at": now(), **facts}, default=str)
        os.write(self._file, f"{line}\n".encode())

    def close(self) -> None:
        os.close(self._file)


class Reader:
    """Reads what was added to the files of a folder since it looked last."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, int] = {}

    def lines(self, until: float = math.inf) -> Iterator[Line]:
        """Lines that are complete and of before *until*, file by file.

        While others write, give the present instant: else a file that is read later tells what followed from something
        that came too late for the file before it.
        """
        for path in sorted(self._folder.glob("*.jsonl")):
            with path.open("rb") as file:
                file.seek(self._read.get(path, 0))
                data = file.read()
            complete = data[: data.rfind(b"\n") + 1]
            for text in complete.splitlines(keepends=True):
                line = json.loads(text)
                if line["at"] > until:
                    break
                self._read[path] = self._read.get(path, 0) + len(text)
                yield line


def now() -> float:
    """Seconds of the clock that the history counts by."""
    return time.monotonic()
