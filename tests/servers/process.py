"""A server process that never outlives its owner, and can be frozen and killed."""

import os
import random
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from tests.servers.ground import Ground
from tests.waiting import eventually

_PORTS = range(20_000, 32_000)
"""Below those that systems give to clients: a client asking for a port that is down must not be given it."""
_WATCH = """
read -r _
all="$1 $(cat "/proc/$1/task/$1/children")"
kill -s "$3" "$1" && sleep 0.2
kill -9 $all
rm -rf -- "$2"
"""


class Running(Protocol):
    """A process, with what `subprocess.Popen` has."""

    returncode: int | None

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None, /) -> int: ...
    def send_signal(self, how: signal.Signals, /) -> None: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...


class Launcher(Protocol):
    """How a process is started."""

    def popen(
        self, command: Sequence[str | Path], log: Path, environment: Mapping[str, str] | None = None
    ) -> Running: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAs(Launcher):
    """As whom a program runs: a server that refuses to be root is started as somebody else."""

    user: int | None = None
    group: int | None = None
    prefix: tuple[str, ...] = ()

    def popen(
        self, command: Sequence[str | Path], log: Path, environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start *command* in a session of its own, its output appended to *log*."""
        with log.open("ab") as output:
            return subprocess.Popen(
                [*self.prefix, *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env=environment,
                start_new_session=True,
                user=self.user,
                group=self.group,
                extra_groups=[] if self.group is not None else None,
            )


class ServerProcess:
    """One start of a server: the process, and a watchdog that kills it and its children with the owner of *ground*."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        ground: Ground,
        folder: Path,
        run_as: Launcher | None = None,
        environment: Mapping[str, str] | None = None,
        farewell: str = "TERM",
    ) -> None:
        """*farewell* is the signal that lets it leave in haste but tidily, a moment before it is killed."""
        self.log = folder / "log"
        self._process: Running = (run_as or RunAs()).popen(command, self.log, environment)
        alive = ground.watched()
        try:
            self._watchdog = subprocess.Popen(
                ["/bin/sh", "-c", _WATCH, "sh", str(self._process.pid), str(folder), farewell],
                stdin=alive,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        finally:
            os.close(alive)
        ground.at_end += [self._process.wait, self._watchdog.wait]

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def wait_ready(self, ready: Callable[[], bool], within_s: float = 30.0) -> None:
        """Return once *ready*. Raises ServerFailedError when the process ends before that."""

        def holds() -> bool:
            if not self.running:
                self.stop(signal.SIGKILL)
                raise ServerFailedError(self.log.read_text(errors="replace"))
            return ready()

        eventually(holds, within_s=within_s)

    def stop(self, how: signal.Signals, within_s: float = 30.0) -> int:
        """Send *how* and wait for the end; a process that does not heed it is killed. Answers the exit code."""
        self._watchdog.kill()
        self._watchdog.wait()
        self._process.send_signal(how)
        try:
            return self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def leave(self) -> None:
        """Leave it to its watchdog: this process may end before it."""
        for process in (self._process, self._watchdog):
            process.returncode = 0  # or Python complains that it still runs

    def pause(self) -> None:
        """Freeze it with all its children."""
        for process in (self.pid, *self._children()):
            _signal(process, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        for process in (*self._children(), self.pid):
            _signal(process, signal.SIGCONT)

    def _children(self) -> list[int]:
        listed = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(child) for child in listed.read_text().split()] if listed.exists() else []


class ServerFailedError(Exception):
    """A server ended instead of starting; its log."""


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    chance = random.Random()
    while True:
        port = chance.choice(_PORTS)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def package_file(package: str, pattern: str) -> Path:
    """The one file that matches *pattern* in an installed *package*, which is not imported."""
    found = find_spec(package)
    assert found is not None, f"{package} is not installed: run `make setup`"
    assert found.origin is not None
    (path,) = Path(found.origin).parent.glob(pattern)
    return path


def _signal(process: int, how: signal.Signals) -> None:
    try:
        os.kill(process, how)
    except ProcessLookupError:
        return
