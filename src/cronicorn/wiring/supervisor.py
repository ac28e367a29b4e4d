"""Several scheduler processes under one parent, which starts, watches, replaces and stops them."""

import asyncio
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from cronicorn.domain.errors import InvalidInputError
from cronicorn.wiring.orders import DRAIN, NOW, obey_parent
from cronicorn.wiring.process import ProcessRole, check_store
from cronicorn.wiring.setting import PREFIX
from cronicorn.wiring.settings import Settings
from cronicorn.wiring.stopping import SIGNALS, STOPPING_MAX, StopRequests, stop_requests
from cronicorn.wiring.stores import open_chosen
from cronicorn.wiring.timekeeping import system_clock

log = logging.getLogger(__name__)

PORT_MAX = 65_535
COMMAND = (sys.executable, "-P", "-m", "cronicorn", "scheduler", "--with-parent")
BACKOFF_FIRST = timedelta(seconds=1)
BACKOFF_MAX = timedelta(seconds=30)
_HEALTHY_S = 60.0
"""A process that lived this long is replaced without delay when it dies."""
NOT_STARTED = 1
"""The exit code of a process that could not be started."""


@dataclass(slots=True, kw_only=True)
class Worker:
    """One place for a scheduler process: whoever dies there is replaced."""

    number: int
    """From 1."""
    environment: Mapping[str, str]
    command: Sequence[str] = COMMAND
    process: asyncio.subprocess.Process | None = None
    deaths: int = 0
    """In a row, each soon after its birth."""
    exit_code: int = 0
    """Of the process that was there at the end."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def keep(self) -> None:
        """Have a process running here until told to stop, and wait for its end."""
        while not self.stopping.is_set():
            lived_s = await self._live()
            if self.stopping.is_set():
                return
            self.deaths = 0 if lived_s > _HEALTHY_S else self.deaths + 1
            wait = backoff(self.deaths)
            facts = {"worker_process": self.number, "exit_code": self.exit_code, "again_in_s": wait.total_seconds()}
            log.error("worker_process_died", extra=facts)
            self.exit_code = 0
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), wait.total_seconds())

    def order(self, order: bytes) -> None:
        """Tell the process to drain or to stop now, and start no other."""
        self.stopping.set()
        if self.process is None or self.process.stdin is None:
            return
        with suppress(OSError, RuntimeError):  # It may have gone a moment ago.
            self.process.stdin.write(order)

    def kill(self) -> None:
        """End the process without its help."""
        if self.process is not None and self.process.returncode is None:
            with suppress(ProcessLookupError):
                self.process.kill()

    async def _live(self) -> float:
        """Start a process and wait for its end; answer how many seconds it lived."""
        born = asyncio.get_running_loop().time()
        # In a session of its own: Ctrl-C is for the parent, who then stops all in order.
        try:
            self.process = await asyncio.create_subprocess_exec(
                *self.command, env=self.environment, stdin=asyncio.subprocess.PIPE, start_new_session=True
            )
        except OSError as error:  # No memory or no process to be had: the others go on meanwhile.
            log.warning("worker_process_not_started", extra={"worker_process": self.number, "reason": str(error)})
            self.exit_code = NOT_STARTED
            return 0.0
        log.info("worker_process_started", extra={"worker_process": self.number, "pid": self.process.pid})
        if self.stopping.is_set():
            self.order(DRAIN)
        self.exit_code = await self.process.wait()
        return asyncio.get_running_loop().time() - born


def backoff(deaths: int) -> timedelta:
    """How long a place stays empty after so many deaths in a row: nothing, then 1, 2, 4 … seconds up to BACKOFF_MAX."""
    return min(BACKOFF_FIRST * 2 ** min(deaths - 1, 10), BACKOFF_MAX) if deaths else timedelta()


def exit_code_of(exit_codes: Sequence[int]) -> int:
    """0 when all stopped in order: by themselves, or by a signal that came before there was anything to drain."""
    return int(any(code not in {0, *(-number for number in SIGNALS)} for code in exit_codes))


async def supervise(
    settings: Settings, processes: int, environ: Mapping[str, str], *, with_parent: bool = False
) -> int:
    """Keep so many scheduler processes running until a signal ends it, and answer the exit code.

    A supervisor *with_parent* obeys its orders on stdin, and their end, as a single process does.

    0 when all stopped in order, 1 when one did not, 128 and a number when a second signal ended things. Raises
    UnavailableError when they could not start: the store is opened once to see, and made ready for all of them;
    InvalidInputError for a store that they can't share, or ports that there are not.
    """
    check_store(settings, ProcessRole.SCHEDULER)
    _check_ports(settings, processes)
    stores = await open_chosen(settings, system_clock())
    await stores.aclose()
    with stop_requests(led=with_parent) as requests:
        if with_parent:
            obey_parent(requests, settings.drain_grace + 2 * STOPPING_MAX)  # Its processes come first.
        workers = [
            Worker(number=number, environment=environment_of(settings, environ, number))
            for number in range(1, processes + 1)
        ]
        log.info("supervisor_started", extra={"processes": processes, "pid": os.getpid()})
        keeping = [asyncio.create_task(worker.keep(), name=f"worker-{worker.number}") for worker in workers]
        try:
            await _until_stopped(workers, keeping, requests, settings.drain_grace)
        finally:
            for worker in workers:
                worker.kill()
            for task in keeping:
                task.cancel()
            await asyncio.gather(*keeping, return_exceptions=True)
        log.info("supervisor_stopped", extra={"exit_codes": [worker.exit_code for worker in workers]})
        return requests.exit_code or exit_code_of([worker.exit_code for worker in workers])


def environment_of(settings: Settings, environ: Mapping[str, str], number: int) -> dict[str, str]:
    """What the process *number* is told: everything we were, and a port of its own for whoever watches it."""
    port = settings.metrics_port
    own = {f"{PREFIX}METRICS_PORT": str(port + number - 1)} if port else {}
    return {**environ, **own}


def _check_ports(settings: Settings, processes: int) -> None:
    if settings.metrics_port and settings.metrics_port + processes - 1 > PORT_MAX:
        raise InvalidInputError(
            f"{processes} processes from port {settings.metrics_port} on would need ports beyond {PORT_MAX}: "
            f"choose a lower one with --metrics-port or {PREFIX}METRICS_PORT."
        )


async def _until_stopped(
    workers: Sequence[Worker], keeping: Sequence[asyncio.Task[None]], requests: StopRequests, grace: timedelta
) -> None:
    """Wait for a signal, or for a bug here; then stop every process, kindly first. Raises the bug."""
    drain, now = asyncio.ensure_future(requests.drain.wait()), asyncio.ensure_future(requests.now.wait())
    await asyncio.wait([drain, *keeping], return_when=asyncio.FIRST_COMPLETED)
    log.info("supervisor_stopping", extra={"processes": len(workers)})
    for worker in workers:
        worker.order(DRAIN)
    ended = asyncio.create_task(asyncio.wait(keeping), name="ended")
    allowed = grace + STOPPING_MAX
    await asyncio.wait([ended, now], timeout=allowed.total_seconds(), return_when=asyncio.FIRST_COMPLETED)
    if now.done():
        for worker in workers:
            worker.order(NOW)
        await asyncio.wait([ended], timeout=STOPPING_MAX.total_seconds())
    drain.cancel()
    now.cancel()
    if not ended.done():
        left = [worker.number for worker in workers if worker.process is not None and worker.process.returncode is None]
        log.error("worker_processes_killed", extra={"worker_processes": left})
        for worker in workers:
            worker.kill()
        await ended
    for task in keeping:
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error
