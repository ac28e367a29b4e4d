"""One process: the API, a scheduler and retention in one event loop, until a signal ends it."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from cronicorn.control.tenants import KEY_LENGTH_SAFE
from cronicorn.scheduler import Scheduler
from cronicorn.wiring.api_server import ApiServer, api_server
from cronicorn.wiring.descriptors import raise_descriptor_limit
from cronicorn.wiring.engine import engine
from cronicorn.wiring.listening import listen, url_of
from cronicorn.wiring.rest import rest_app
from cronicorn.wiring.settings import Settings
from cronicorn.wiring.stopping import StopRequests, stop_requests

log = logging.getLogger(__name__)

_STOP_NOW_PATIENCE_S = 5.0
"""After a second signal nothing is waited for longer than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """What whoever started a process should be told."""

    url: str
    new_key: str | None
    """The API key made just now, if there was none: to be shown, because nobody can read it again."""


@dataclass(slots=True, kw_only=True)
class _Process:
    """The parts that run beside each other."""

    scheduler: Scheduler
    server: ApiServer
    tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self.tasks[name] = asyncio.create_task(work, name=name)

    def drain(self) -> None:
        """Accept no more requests and claim no more slots; finish what was begun."""
        self.server.should_exit = True
        self.scheduler.stop()
        self.tasks["retention"].cancel()

    def stop_now(self) -> None:
        self.drain()
        self.server.force_exit = True
        self.scheduler.stop_now()

    async def end(self) -> None:
        """Let no part outlive the store it works on."""
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)


async def serve(settings: Settings, told: Callable[[Started], None]) -> int:
    """Run until a signal ends it, and answer the exit code. Raises UnavailableError when it can't start."""
    raise_descriptor_limit()
    if settings.api_key is not None and len(settings.api_key) < KEY_LENGTH_SAFE:
        log.warning("api_key_short", extra={"safe_length": KEY_LENGTH_SAFE})
    async with engine(settings) as parts:
        with listen(settings.host, settings.port) as socket, stop_requests() as requests:
            new_key = await parts.control.tenants.bootstrap(settings.api_key)
            server = api_server(rest_app(parts), grace=settings.drain_grace)
            process = _Process(scheduler=parts.scheduler, server=server)
            told(Started(url=url_of(socket), new_key=new_key))
            log.info("process_started", extra={"url": url_of(socket), "database": str(settings.database_url)})
            try:
                process.start("api", server.serve(sockets=[socket]))
                process.start("scheduler", parts.scheduler.run())
                process.start("retention", parts.forget())
                await _until_stopped(process, requests)
            finally:
                await process.end()
            return requests.exit_code


async def _until_stopped(process: _Process, requests: StopRequests) -> None:
    """Wait for a signal, or for a part to break; then stop every part. Raises what broke."""
    drain, now = asyncio.ensure_future(requests.drain.wait()), asyncio.ensure_future(requests.now.wait())
    parts = process.tasks.values()
    await asyncio.wait([drain, *parts], return_when=asyncio.FIRST_COMPLETED)
    log.info("process_stopping", extra={"calls_in_progress": process.scheduler.calls_in_progress})
    process.drain()
    ended = asyncio.create_task(asyncio.wait(parts), name="ended")
    await asyncio.wait([ended, now], return_when=asyncio.FIRST_COMPLETED)
    if not ended.done():
        log.warning("process_stopping_now", extra={"calls_in_progress": process.scheduler.calls_in_progress})
        process.stop_now()
        await asyncio.wait([ended], timeout=_STOP_NOW_PATIENCE_S)
    drain.cancel()
    now.cancel()
    for part in parts:
        if part.done() and not part.cancelled() and (error := part.exception()) is not None:
            raise error
    log.info("process_stopped")
