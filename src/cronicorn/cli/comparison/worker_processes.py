"""The workers of a trial: real `cronicorn scheduler` processes, killed, frozen and replaced as the schedule says."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cronicorn.cli.comparison.scrape import Sample, scraped
from cronicorn.cli.comparison.trial import Fault, FaultKind
from cronicorn.domain.errors import UnavailableError

SCRAPE_EVERY_S = 0.2
READY_WITHIN_S = 30.0
STOP_WITHIN_S = 15.0
_HOST = "127.0.0.1"
_SETTINGS_KEPT = ("CRONICORN_REDIS_", "CRONICORN_ETCD_", "CRONICORN_POSTGRES_", "CRONICORN_SQLITE_")


@dataclass(slots=True, kw_only=True)
class WorkerProcess:
    """One worker, and what it had counted when it was last asked."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    sample: Sample = field(default_factory=dict)

    async def look(self) -> bool:
        """Read its metrics; False when it does not answer."""
        sample = await asyncio.to_thread(scraped, _HOST, self.port)
        if sample is not None:
            self.sample = sample
        return sample is not None

    def stop(self) -> None:
        """Let it end in order, or make it end."""
        self.process.send_signal(signal.SIGCONT)
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def kill(self) -> None:
        """End it without a word."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdin is not None
        self.process.stdin.close()


class WorkerProcesses:
    """So many workers at once, whatever happens to them."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self._folder = folder
        self._settings = settings
        self._started = 0
        self.workers: list[WorkerProcess] = []
        self.gone: list[WorkerProcess] = []

    async def start(self, count: int) -> None:
        """Start *count* workers and wait until all answer.

        Raises UnavailableError, which says what one that did not start said last.
        """
        for _ in range(count):
            self.workers.append(self._spawn())
        for worker in self.workers:
            await self._ready(worker)

    async def suffer(self, fault: Fault) -> None:
        """Let *fault* happen; a killed worker is replaced at once. A freeze is waited for."""
        worker = self.workers[fault.worker]
        await worker.look()
        if fault.kind is FaultKind.KILL:
            worker.kill()
            self.gone.append(worker)
            self.workers[fault.worker] = self._spawn()
            return
        worker.process.send_signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(fault.length_s)
        finally:
            worker.process.send_signal(signal.SIGCONT)

    async def look(self) -> None:
        """Read the metrics of all, again and again, until cancelled."""
        while True:
            await asyncio.gather(*(worker.look() for worker in self.workers))
            await asyncio.sleep(SCRAPE_EVERY_S)

    async def stop(self) -> None:
        """Read the metrics once more, then let all end in order, also when they can't be read."""
        try:
            await asyncio.gather(*(worker.look() for worker in self.workers))
        finally:
            await asyncio.gather(*(asyncio.to_thread(worker.stop) for worker in self.workers))

    def samples(self) -> list[Sample]:
        """The last sample of every worker that ever was."""
        return [worker.sample for worker in (*self.workers, *self.gone)]

    def _spawn(self) -> WorkerProcess:
        self._started += 1
        with socket.create_server((_HOST, 0)) as listener:
            port: int = listener.getsockname()[1]
        folder = self._folder / f"worker{self._started}"
        folder.mkdir()
        log = self._folder / f"worker{self._started}.log"
        ours = {name: value for name, value in os.environ.items() if _kept(name)}
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and modules
                [sys.executable, "-m", "cronicorn.cli.demonstration.tethered", str(folder), "scheduler"],
                env=ours | dict(self._settings) | {"CRONICORN_METRICS_PORT": str(port)},
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return WorkerProcess(process=process, port=port, log=log)

    async def _ready(self, worker: WorkerProcess) -> None:
        deadline = asyncio.get_running_loop().time() + READY_WITHIN_S
        while not await worker.look():
            if worker.process.poll() is not None or asyncio.get_running_loop().time() > deadline:
                lines = worker.log.read_text(encoding="utf-8", errors="replace").splitlines()
                raise UnavailableError("A worker did not start. Its log ends with:\n" + "\n".join(lines[-8:]))
            await asyncio.sleep(SCRAPE_EVERY_S)


@asynccontextmanager
async def worker_processes(folder: Path, settings: Mapping[str, str], count: int) -> AsyncIterator[WorkerProcesses]:
    """*count* workers at once, of which nothing is left after the block."""
    workers = WorkerProcesses(folder, settings)
    try:
        await workers.start(count)
        yield workers
    finally:
        await workers.stop()


def _kept(name: str) -> bool:
    """Whether a worker gets this variable of ours: any but settings that would make one trial unlike another."""
    return not name.startswith("CRONICORN_") or name.startswith(_SETTINGS_KEPT)
