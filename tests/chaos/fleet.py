"""The workers of a run as processes, each behind a proxy of its own where there is a network."""

import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from cronicorn.adapters.system_clock import SystemClock
from tests.chaos import worker
from tests.chaos.generator import CLOCK_WORKER
from tests.chaos.history import Recorder, now
from tests.chaos.plan import Plan
from tests.servers.clock import WrongClock
from tests.servers.ground import Ground
from tests.servers.process import ServerProcess
from tests.servers.proxy import Proxy

_ROOT = Path(__file__).parents[2]
_DRAIN_S = 15.0


class Fleet:
    """Starts, stops, kills and freezes workers by number; a worker that starts again has a new name."""

    def __init__(self, plan: Plan, folder: Path, url: str, ground: Ground, recorder: Recorder) -> None:
        self._plan = plan
        self._folder = folder
        self._url = url
        self._ground = ground
        self._recorder = recorder
        self._starts = [0] * plan.workers
        self._processes: dict[int, ServerProcess] = {}
        networked = plan.backend == "postgres"
        self.clock = WrongClock(ground.folder) if networked else None
        self.proxies = [Proxy(_port(url)) for _ in range(plan.workers)] if networked else []

    def start_all(self) -> None:
        for proxy in self.proxies:
            proxy.start()
        for number in range(self._plan.workers):
            self.start(number)

    def start(self, number: int) -> None:
        self._starts[number] += 1
        wrong_clock = self.clock is not None and number == CLOCK_WORKER
        arguments = {
            "folder": str(self._folder),
            "name": self.name(number),
            "url": self._url_of(number),
            "wrong_clock": wrong_clock,
        }
        self._processes[number] = ServerProcess(
            [sys.executable, worker.__file__, json.dumps(arguments)],
            ground=self._ground,
            folder=self._ground.subfolder("worker"),
            environment=self._environment(wrong=wrong_clock),
        )

    def name(self, number: int) -> str:
        return f"w{number}.{self._starts[number]}"

    def running(self, number: int) -> bool:
        return number in self._processes

    def kill(self, number: int) -> None:
        self._processes.pop(number).stop(signal.SIGKILL)

    def drain(self, number: int) -> None:
        """Ask it to stop, and wait until it has."""
        self._processes.pop(number).stop(signal.SIGTERM, _DRAIN_S)

    def freeze(self, number: int) -> None:
        self._processes[number].pause()

    def thaw(self, number: int) -> None:
        self._processes[number].resume()

    def notice_deaths(self) -> None:
        """Write down who ended without being told to."""
        for number, process in list(self._processes.items()):
            if not process.running:
                self._recorder.say("died", worker=self.name(number), log=process.log.read_text()[-2000:])
                self.kill(number)

    def close(self) -> None:
        for number in list(self._processes):
            self.kill(number)
        for proxy in self.proxies:
            proxy.close()

    def _url_of(self, number: int) -> str:
        if not self.proxies:
            return self._url
        parts = urlsplit(self._url)
        return parts._replace(netloc=f"{parts.username}@127.0.0.1:{self.proxies[number].port}").geturl()

    def _environment(self, *, wrong: bool) -> Mapping[str, str]:
        usual = self.clock.environment if wrong and self.clock is not None else dict(os.environ)
        return usual | {"PYTHONPATH": f"{_ROOT}{os.pathsep}{_ROOT / 'src'}"}


def wall_minus_monotonic() -> float:
    """What to add to an instant of the history to get one of the wall clock."""
    return SystemClock().now().timestamp() - now()


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port
