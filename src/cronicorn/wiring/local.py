"""Acting on a store directly, as the person at the machine that holds it."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

from cronicorn.adapters.handlers.handler_dispatcher import HandlerDispatcher
from cronicorn.adapters.metrics.prometheus import Metrics
from cronicorn.control.plane import ControlPlane
from cronicorn.control.tenants import FirstStart
from cronicorn.domain.errors import InvalidInputError, NotFoundError
from cronicorn.domain.permission import EVERYTHING
from cronicorn.domain.principal import ActorKind, Principal
from cronicorn.domain.tenant import Tenant
from cronicorn.wiring.control_plane import control_plane
from cronicorn.wiring.database_url import DatabaseUrl
from cronicorn.wiring.drafting import drafting
from cronicorn.wiring.execution_limits import tier_limits
from cronicorn.wiring.model import model_client
from cronicorn.wiring.quota import token_quota
from cronicorn.wiring.rehearsing import rehearsals
from cronicorn.wiring.settings import Settings
from cronicorn.wiring.site_url import site_url
from cronicorn.wiring.stores import Stores, open_chosen, open_stores
from cronicorn.wiring.timekeeping import cron, system_clock
from cronicorn.wiring.vault import open_vault

ACTOR = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalControl:
    """The control plane of a store of this machine. It makes no calls."""

    control: ControlPlane
    rehearsing: Callable[[], ControlPlane]
    """A control plane that checks everything as `control` does, and leaves nothing behind."""
    where: str
    """The store, as people call it; no password is in it."""
    site: str
    """Where browsers find the web app of a process with the same settings."""
    tenants: Sequence[Tenant]
    first: FirstStart | None = None
    """What opens the installation that was made just now, if there was none: to be shown, once."""

    def principal(self, tenant: str) -> Principal:
        """The person at this machine, acting for the tenant of this name or id. Raises NotFoundError."""
        for known in self.tenants:
            if tenant in {known.name, known.id}:
                return person_at_machine(known.id)
        raise NotFoundError(
            f"There is no tenant {tenant!r}: `cronicorn tenant list` shows those there are, `tenant add NAME` adds one."
        )


def person_at_machine(tenant_id: str) -> Principal:
    """Whoever runs commands on the machine that holds the store, acting for a tenant."""
    return Principal(tenant_id=tenant_id, actor=ACTOR, kind=ActorKind.LOCAL, permissions=EVERYTHING)


@asynccontextmanager
async def local_control(settings: Settings, *, compiling: bool = False) -> AsyncIterator[LocalControl]:
    """Open the store that *settings* name, and make it ready if it is new.

    Schedulers of other processes see what changes with their next look at the store. Only with *compiling* the model
    that the settings name is connected: that takes seconds.
    """
    async with _opened(settings, compiling=compiling) as (stores, control, rehearsing):
        first = await control.tenants.bootstrap(settings.api_key)
        yield await _local(settings, stores, control, rehearsing, first)


@asynccontextmanager
async def existing_control(settings: Settings) -> AsyncIterator[LocalControl]:
    """Open the store that *settings* name to read it: no file, table, tenant or key is made.

    Raises NotFoundError where no installation is, ConflictError for another version's.
    """
    async with _opened(settings, existing=True) as (stores, control, rehearsing):
        yield await _local(settings, stores, control, rehearsing)


@asynccontextmanager
async def calling_control(settings: Settings) -> AsyncIterator[LocalControl]:
    """Open the store that *settings* name to try endpoints out: calls go out from here, as from a process with an API.

    Raises as `existing_control` does.
    """
    from cronicorn.wiring.engine import engine

    async with existing_control(settings):
        pass
    async with engine(settings, scheduling=False, compiling=False) as parts:
        yield await _local(settings, parts.stores, parts.control, parts.rehearsing)


@asynccontextmanager
async def imagined_control(settings: Settings) -> AsyncIterator[LocalControl]:
    """Open the store that *settings* name to try something out. One that is not there yet is only imagined."""
    async with AsyncExitStack() as stack:
        try:
            local = await stack.enter_async_context(existing_control(settings))
        except NotFoundError:
            local = await _imagined(settings, stack)
        yield local


async def _imagined(settings: Settings, stack: AsyncExitStack) -> LocalControl:
    clock = system_clock()
    apart = replace(settings, database_url=DatabaseUrl("memory"), quota_store="database")
    stores = await open_stores(apart.database_url, clock)
    tokens = await stack.enter_async_context(token_quota(apart, stores, Metrics()))
    limits = tier_limits(settings)
    vault = await open_vault(apart)
    control = control_plane(
        stores, HandlerDispatcher({}), tokens, vault, clock=clock, cron=cron(), limits=limits, kept=settings.retention
    )
    await control.tenants.bootstrap(settings.api_key, with_owner=False)
    return await _local(settings, stores, control, lambda: control)


async def _local(
    settings: Settings, stores: Stores, control: ControlPlane, rehearsing: Callable[[], ControlPlane],
    first: FirstStart | None = None,
) -> LocalControl:  # fmt: skip
    return LocalControl(
        control=control, rehearsing=rehearsing, where=str(settings.database_url), site=site_url(settings),
        tenants=await stores.keys.tenants(), first=first,
    )  # fmt: skip


@asynccontextmanager
async def _opened(
    settings: Settings, *, existing: bool = False, compiling: bool = False
) -> AsyncIterator[tuple[Stores, ControlPlane, Callable[[], ControlPlane]]]:
    url = settings.database_url
    if url.backend == "memory":
        raise InvalidInputError(
            f"{url.given_as} is memory:, which no other process can see; name a file or a server, as in "
            "sqlite:cronicorn.db."
        )
    clock, evaluator = system_clock(), cron()
    async with AsyncExitStack() as stack:
        stores = await open_chosen(settings, clock, existing=existing)
        stack.push_async_callback(stores.aclose)
        tokens = await stack.enter_async_context(token_quota(settings, stores, Metrics()))
        client = await stack.enter_async_context(model_client(settings)) if compiling else None
        make_drafts = drafting(settings, stores, tokens.quota, client, evaluator)
        vault = await open_vault(settings)
        control = control_plane(
            stores, HandlerDispatcher({}), tokens, vault, clock=clock, cron=evaluator, limits=tier_limits(settings),
            kept=settings.retention, make_drafts=make_drafts, model_named=settings.ai_model is not None,
        )  # fmt: skip
        yield stores, control, rehearsals(settings, stores, tokens, vault, clock=clock, cron=evaluator)
