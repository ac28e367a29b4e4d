"""The workers of a run as processes, each behind a proxy of its own where there is a network."""

import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cronicorn.adapters.system_clock import SystemClock
from cronicorn.wiring.stopping import STOPPING_MAX
from tests.chaos import worker
from tests.chaos.generator import CLOCK_WORKER
from tests.chaos.history import Recorder, now
from tests.chaos.plan import Plan
from tests.cli.command import started
from tests.servers.clock import WrongClock
from tests.servers.etcd import EtcdServer
from tests.servers.ground import Ground
from tests.servers.postgres import RestartableServer
from tests.servers.process import Launcher, RunAs, Running, ServerProcess
from tests.servers.proxy import Proxy
from tests.servers.valkey import ValkeyServer

_PATH = (Path(__file__).parents[2], Path(__file__).parents[2] / "src")
_DRAINED = {0, -signal.SIGTERM}
"""How a worker ends that was asked to: in order, or at once because it had not come so far as to listen."""
_SKEW_AT_FIRST = "+40"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all workers share, and the servers behind it, if there are any."""

    url: str
    server: RestartableServer | None = None
    service_url: str | None = None
    service: ValkeyServer | EtcdServer | None = None


class Fleet:
    """Starts, stops, kills and freezes workers by number; a worker that starts again has a new name."""

    def __init__(self, plan: Plan, folder: Path, shared: Shared, ground: Ground, recorder: Recorder) -> None:
        self._plan = plan
        self._folder = folder
        self._shared = shared
        self._ground = ground
        self._recorder = recorder
        self._drain_s = plan.grace_s + STOPPING_MAX.total_seconds()
        self._starts = [0] * plan.workers
        self._processes: dict[int, ServerProcess] = {}
        self.clock = WrongClock(ground.folder, _SKEW_AT_FIRST) if plan.networked else None
        urls = [url for url in (shared.url, shared.service_url) if url is not None] if plan.networked else []
        self._proxies = [[Proxy(_port(url)) for url in urls] for _ in range(plan.workers)]

    def start_all(self) -> None:
        for number in range(self._plan.workers):
            for proxy in self.proxies(number):
                proxy.start()
            self.start(number)

    def proxies(self, number: int) -> list[Proxy]:
        """Those between a worker and what it shares with others: the database, and the lock service if there is one."""
        return self._proxies[number]

    def start(self, number: int) -> None:
        self._starts[number] += 1
        wrong_clock = self.clock is not None and number == CLOCK_WORKER
        arguments = {
            "folder": str(self._folder),
            "name": self.name(number),
            "url": _through(self.proxies(number)[:1], self._shared.url),
            "service": _through(self.proxies(number)[1:], self._shared.service_url),
            "wrong_clock": wrong_clock,
        }
        self._processes[number] = ServerProcess(
            [sys.executable, worker.__file__, json.dumps(arguments)],
            ground=self._ground,
            folder=self._ground.subfolder("worker"),
            run_as=RunAs() if wrong_clock else _Forked(),
            environment=self._environment(wrong=wrong_clock),
        )

    def name(self, number: int) -> str:
        return f"w{number}.{self._starts[number]}"

    def running(self, number: int) -> bool:
        return number in self._processes

    def kill(self, number: int) -> None:
        self._processes.pop(number).stop(signal.SIGKILL)

    def drain(self, number: int) -> None:
        """Ask it to stop, and wait until it has; write down when it does so in another way than it should."""
        process = self._processes.pop(number)
        code = process.stop(signal.SIGTERM, self._drain_s)
        if code not in _DRAINED:
            self._died(number, process, code)

    def freeze(self, number: int) -> None:
        self._processes[number].pause()

    def thaw(self, number: int) -> None:
        self._processes[number].resume()

    def notice_deaths(self) -> None:
        """Write down who ended without being told to."""
        for number, process in list(self._processes.items()):
            if not process.running:
                self._processes.pop(number)
                self._died(number, process, process.stop(signal.SIGKILL))

    def close(self) -> None:
        for number in list(self._processes):
            self.kill(number)
        for proxies in self._proxies:
            for proxy in proxies:
                proxy.close()

    def _died(self, number: int, process: ServerProcess, code: int) -> None:
        log = process.log.read_text()[-2000:]
        self._recorder.say("died", worker=self.name(number), code=code, log=log)

    def _environment(self, *, wrong: bool) -> Mapping[str, str] | None:
        """None is this process's own. What makes a clock wrong has to be there when a Python starts."""
        if not wrong or self.clock is None:
            return None
        return self.clock.environment | {"PYTHONPATH": os.pathsep.join(map(str, _PATH))}


class _Forked(Launcher):
    """By a fork of a Python that has imported what a worker needs: importing took longer than a worker lives."""

    def popen(self, command: Sequence[str | Path], log: Path, environment: Mapping[str, str] | None = None) -> Running:
        _, program, *arguments = map(str, command)
        with log.open("ab") as output, Path(os.devnull).open("rb") as nothing:
            return started(
                *arguments, env=os.environ if environment is None else environment, stdin=nothing.fileno(),
                stdout=output.fileno(), stderr=output.fileno(), own_session=True, program=program, path=_PATH,
            )  # fmt: skip


def wall_minus_monotonic() -> float:
    """What to add to an instant of the history to get one of the wall clock."""
    return SystemClock().now().timestamp() - now()


def _through(proxies: list[Proxy], url: str | None) -> str | None:
    if not proxies or url is None:
        return url
    return url.replace(f":{_port(url)}/", f":{proxies[0].port}/")


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port
