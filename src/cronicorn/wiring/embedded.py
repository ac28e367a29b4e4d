"""A scheduler inside another application: its own store file, its own functions as endpoints."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cronicorn.adapters.handlers.handler_dispatcher import Handler
from cronicorn.control.plane import ControlPlane
from cronicorn.domain.permission import EVERYTHING
from cronicorn.domain.ports import Dispatcher
from cronicorn.domain.principal import ActorKind, Principal
from cronicorn.scheduler import Scheduler
from cronicorn.wiring.database_url import DatabaseUrl
from cronicorn.wiring.engine import Engine, engine
from cronicorn.wiring.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """A running scheduler, and what may be asked of it."""

    control: ControlPlane
    principal: Principal
    """The application itself, acting for the first tenant of its store."""
    scheduler: Scheduler


@asynccontextmanager
async def embedded(
    store_path: str | Path,
    handlers: Mapping[str, Handler] | None = None,
    *,
    dispatcher: Dispatcher | None = None,
    settings: Settings | None = None,
) -> AsyncIterator[Embedded]:
    """Run a scheduler on the SQLite file at *store_path* inside the block, in the running event loop.

    An endpoint whose URL is in *handlers* calls that function of this process; every other one goes to *dispatcher*,
    or over HTTP without one. *settings* are the defaults unless given; their database URL does not count, and no
    environment is read. Leaving the block waits for calls in progress, at most the drain grace; an exception does not
    wait. Raises UnavailableError when the file can't be used, InvalidInputError for a handler's URL that can't be.
    """
    url = DatabaseUrl("sqlite", Path(store_path), given_as="store_path")
    settings = replace(settings or Settings.from_env({}), database_url=url)
    async with engine(settings, dispatcher, handlers=handlers or {}) as parts:
        await parts.control.tenants.bootstrap(settings.api_key, with_owner=False)
        first, *_ = await parts.stores.keys.tenants()
        assert parts.scheduler is not None
        principal = Principal(tenant_id=first.id, actor="application", kind=ActorKind.LOCAL, permissions=EVERYTHING)
        async with _running(parts.scheduler, _beside(parts)):
            yield Embedded(control=parts.control, principal=principal, scheduler=parts.scheduler)


async def _beside(parts: Engine) -> None:
    await asyncio.gather(parts.forget(), parts.alerts.run())


@asynccontextmanager
async def _running(scheduler: Scheduler, beside: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run both beside the block. A scheduler that breaks ends the block, and its error is what the block raises."""
    block = asyncio.current_task()
    assert block is not None
    working, others = asyncio.create_task(scheduler.run()), asyncio.create_task(beside)

    def broken(ended: asyncio.Task[None]) -> None:
        if ended.cancelled() or ended.exception() is not None:
            block.cancel()

    working.add_done_callback(broken)
    try:
        yield
    except BaseException:
        scheduler.stop_now()
        raise
    finally:
        working.remove_done_callback(broken)
        scheduler.stop()
        others.cancel()
        await asyncio.gather(others, return_exceptions=True)
        await working
