"""One process: the API, a scheduler, or both in one event loop, until a signal ends it."""

import asyncio
import logging
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from cronicorn.control.members import link_to
from cronicorn.control.tenants import KEY_LENGTH_SAFE, FirstStart
from cronicorn.domain.errors import CronicornError, InvalidInputError
from cronicorn.scheduler import Planner, Scheduler
from cronicorn.scheduler.settings import ENDING_MAX
from cronicorn.wiring.api_server import ApiServer, api_server
from cronicorn.wiring.collector import collect_rarely
from cronicorn.wiring.descriptors import raise_descriptor_limit
from cronicorn.wiring.doors import AllDoors, open_doors
from cronicorn.wiring.engine import Engine, engine
from cronicorn.wiring.listening import listen, url_of
from cronicorn.wiring.local import person_at_machine
from cronicorn.wiring.orders import obey_parent
from cronicorn.wiring.rest import operations_app
from cronicorn.wiring.settings import Settings
from cronicorn.wiring.site_url import site_url
from cronicorn.wiring.stopping import STOPPING_MAX, StopRequests, stop_requests

log = logging.getLogger(__name__)


class ProcessRole(StrEnum):
    """What a process does."""

    UP = "up"
    """Everything."""
    API = "api"
    """Answers requests. Schedulers of other processes do the work."""
    SCHEDULER = "scheduler"
    """Runs what is due. It answers nobody but whoever watches it, on the metrics port."""
    PLANNER = "planner"
    """Asks the model about what is new. It is watched like a scheduler."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """What whoever started a process should be told."""

    url: str | None
    """None when the process listens nowhere."""
    first: FirstStart | None
    """What opens the installation that was made just now, if there was none: to be shown, once."""
    link: str | None = field(default=None, repr=False)
    """Where its owner signs in, once, without the password."""


@dataclass(slots=True, kw_only=True)
class _Process:
    """The parts that run beside each other."""

    scheduler: Scheduler | None
    server: ApiServer | None
    doors: AllDoors | None = None
    planner: Planner | None = None
    grace: timedelta = timedelta(0)
    tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    @property
    def calls_in_progress(self) -> int:
        return self.scheduler.calls_in_progress if self.scheduler is not None else 0

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self.tasks[name] = asyncio.create_task(work, name=name)

    def drain(self) -> None:
        """Accept no more requests and claim no more slots; finish what was begun."""
        self.tasks["alerts"].cancel()
        if self.planner is not None:
            self.planner.stop(self.grace)
        if self.server is not None:
            self.server.should_exit = True
        if self.doors is not None:
            self.doors.drain()
        if self.scheduler is not None:
            self.scheduler.stop()
            self.tasks["retention"].cancel()
            self.tasks["attendance"].cancel()

    def stop_now(self) -> None:
        self.drain()
        if self.planner is not None:
            self.planner.stop(timedelta(0))
        if self.server is not None:
            self.server.force_exit = True
        if self.scheduler is not None:
            self.scheduler.stop_now()

    async def end(self) -> None:
        """Let no part outlive the store it works on."""
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)


async def serve(
    settings: Settings,
    told: Callable[[Started], None],
    role: ProcessRole = ProcessRole.UP,
    *,
    with_parent: bool = False,
) -> int:
    """Run until a signal ends it, or (*with_parent*) an order on stdin or its end; answer the exit code.

    Raises UnavailableError when it can't start, InvalidInputError for a *role* that the store has no use for.
    """
    check_store(settings, role)
    raise_descriptor_limit()
    if settings.api_key is not None and len(settings.api_key) < KEY_LENGTH_SAFE:
        log.warning("api_key_short", extra={"safe_length": KEY_LENGTH_SAFE})
    scheduling, planning = (
        role in {ProcessRole.UP, ProcessRole.SCHEDULER},
        role in {ProcessRole.UP, ProcessRole.PLANNER},
    )
    compiling = role is not ProcessRole.SCHEDULER
    async with engine(settings, scheduling=scheduling, compiling=compiling, planning=planning) as parts:
        collect_rarely(settings.calls_max)
        with _door(settings, role) as listening, stop_requests(led=with_parent) as requests:
            if with_parent:
                obey_parent(requests, settings.drain_grace + STOPPING_MAX)
            await _run(parts, listening, role, told, requests)
            return requests.exit_code


def check_store(settings: Settings, role: ProcessRole) -> None:
    """Raises InvalidInputError for a store that processes can't share, where they must, and for no model to ask."""
    if role is ProcessRole.PLANNER and settings.ai_model is None:
        raise InvalidInputError("`cronicorn planner` asks a model, and none is configured: set CRONICORN_AI_MODEL.")
    if role is not ProcessRole.UP and settings.database_url.backend == "memory":
        raise InvalidInputError(
            f"`cronicorn {role}` shares its work with other processes, which see nothing of memory:; set "
            f"{settings.database_url.given_as} to postgresql://… or, on one machine, sqlite:PATH, or start "
            "`cronicorn up`."
        )


@contextmanager
def _door(settings: Settings, role: ProcessRole) -> Iterator[socket.socket | None]:
    """The socket that a process of this *role* listens on."""
    if role in {ProcessRole.UP, ProcessRole.API}:
        with listen(settings.host, settings.port) as listening:
            yield listening
    elif settings.metrics_port is not None:
        with listen(settings.host, settings.metrics_port, option="metrics-port") as listening:
            yield listening
    else:
        yield None


async def _run(
    parts: Engine,
    listening: socket.socket | None,
    role: ProcessRole,
    told: Callable[[Started], None],
    requests: StopRequests,
) -> None:
    watched = role in {ProcessRole.SCHEDULER, ProcessRole.PLANNER}
    doors = None if watched else await open_doors(parts)  # First: what can't be opened must not leave a key unshown.
    first = None if watched else await parts.control.tenants.bootstrap(parts.settings.api_key)
    server = (
        api_server(doors or operations_app(parts), grace=parts.settings.drain_grace) if listening is not None else None
    )
    process = _Process(
        scheduler=parts.scheduler, server=server, doors=doors, planner=parts.planner, grace=parts.settings.drain_grace
    )
    url = url_of(listening) if listening is not None else None
    told(Started(url=url, first=first, link=await _link_of_owner(parts, first, url)))
    database = str(parts.settings.database_url)
    log.info("process_started", extra={"role": role.value, "url": url, "database": database, **_may_ask(parts, role)})
    async with doors.running() if doors is not None else nullcontext():
        try:
            process.start("alerts", parts.alerts.run())
            if parts.planner is not None:
                process.start("planner", parts.planner.run())
            if server is not None and listening is not None:
                process.start("api", server.serve(sockets=[listening]))
            if parts.scheduler is not None:
                process.start("scheduler", parts.scheduler.run())
                process.start("retention", parts.forget())
                process.start("attendance", parts.attend())
                if parts.stores.listen is not None:
                    parts.stores.listen(parts.scheduler.wake, parts.scheduler.heed_cancellations)
            await _until_stopped(process, requests)
        finally:
            await process.end()


async def _link_of_owner(parts: Engine, first: FirstStart | None, url: str | None) -> str | None:
    """Where the owner of an installation that was made just now signs in; None where no link can be made.

    Nothing is raised then: what *first* holds could never be shown, and opens the installation as well.
    """
    if first is None or first.login is None:
        return None
    with suppress(CronicornError):
        tenant, *_ = await parts.stores.keys.tenants()
        principal = person_at_machine(tenant.id)
        for member in await parts.control.members.list(principal):
            if member.login == first.login:
                made = await parts.control.members.offer_link(principal, member.id)
                return link_to(site_url(parts.settings, url), made.token)
    return None


def _may_ask(parts: Engine, role: ProcessRole) -> dict[str, object]:
    """Which model the process may ask, at which host if the settings name one, and whether it does so by itself."""
    settings = parts.settings
    named = role is not ProcessRole.SCHEDULER and settings.ai_model is not None
    host = urlsplit(settings.ai_base_url.text).hostname if named and settings.ai_base_url is not None else None
    model = settings.ai_model if named else None
    return {"model": model, "model_host": host, "planner": parts.planner is not None}


async def _until_stopped(process: _Process, requests: StopRequests) -> None:
    """Wait for a signal, or for a part to break; then stop every part. Raises what broke."""
    drain, now = asyncio.ensure_future(requests.drain.wait()), asyncio.ensure_future(requests.now.wait())
    parts = process.tasks.values()
    await asyncio.wait([drain, *parts], return_when=asyncio.FIRST_COMPLETED)
    log.info("process_stopping", extra={"calls_in_progress": process.calls_in_progress})
    process.drain()
    ended = asyncio.create_task(asyncio.wait(parts), name="ended")
    await asyncio.wait([ended, now], return_when=asyncio.FIRST_COMPLETED)
    if not ended.done():
        log.warning("process_stopping_now", extra={"calls_in_progress": process.calls_in_progress})
        process.stop_now()
        # Calls are cancelled; for so long the scheduler gives back what they held. Then all parts are cancelled.
        await asyncio.wait([ended], timeout=ENDING_MAX.total_seconds())
    drain.cancel()
    now.cancel()
    for part in parts:
        if part.done() and not part.cancelled() and (error := part.exception()) is not None:
            raise error
    log.info("process_stopped")
