"""Everything that works on one store in one process, put together: what a door is then opened on."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from cronicorn.adapters.handlers.handler_dispatcher import Handler, HandlerDispatcher
from cronicorn.adapters.metrics.observed_watches import ObservedDrafts, ObservedWatchStore
from cronicorn.adapters.metrics.prometheus import Metrics
from cronicorn.control.plane import ControlPlane
from cronicorn.domain.attendance.worker import WorkerReport
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.keychain.ports import Vault
from cronicorn.domain.outgoing import VERSION
from cronicorn.domain.ports import Clock, Cron, Dispatcher
from cronicorn.domain.provision.retention import KeptFor
from cronicorn.domain.quota.allowance import Budget
from cronicorn.domain.quota.decision import GRANT_KEPT
from cronicorn.scheduler import AIClient, Planner, Retention, Scheduler, forget
from cronicorn.scheduler.attending import attend
from cronicorn.scheduler.forgetting import HistoryForgetter
from cronicorn.scheduler.keychains import Keychains
from cronicorn.scheduler.preparing import PreparingDispatcher
from cronicorn.scheduler.redacting import RedactingDispatcher
from cronicorn.wiring.alerts import AlertDesk, alert_courier, alert_desk, seal_alert_urls
from cronicorn.wiring.control_plane import control_plane
from cronicorn.wiring.drafting import drafting
from cronicorn.wiring.execution_limits import tier_limits
from cronicorn.wiring.model import model_client
from cronicorn.wiring.observed_client import ObservedAIClient
from cronicorn.wiring.planner import model_planner
from cronicorn.wiring.quota import Tokens, tell_unknown_tiers, token_quota
from cronicorn.wiring.rehearsing import rehearsals
from cronicorn.wiring.settings import Settings
from cronicorn.wiring.stores import Stores, open_chosen
from cronicorn.wiring.timekeeping import cron, system_clock
from cronicorn.wiring.vault import open_vault
from cronicorn.wiring.worker import http_dispatcher, observed_scheduler, within_room

OVERDUE_SLACK = timedelta(seconds=5)
"""A slot is overdue once it has been due for this long beyond the poll interval without a live lease."""

FLOWS_KEPT = timedelta(hours=1)
"""After they have anything to say."""
GRANTS_PRUNED_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A store, its control plane, and maybe a scheduler that is not running yet."""

    settings: Settings
    clock: Clock
    cron: Cron
    stores: Stores
    dispatcher: Dispatcher
    scheduler: Scheduler | None
    """None in a process that leaves the work to others."""
    alerts: AlertDesk
    planner: Planner | None
    """None where no model is configured, or the asking is left to others."""
    control: ControlPlane
    rehearsing: Callable[[], ControlPlane]
    """A control plane that checks everything as `control` does, and leaves nothing behind."""
    tokens: Tokens
    """The budget of each tenant, for whoever asks a model."""
    metrics: Metrics

    async def forget(self) -> None:
        """Remove old history, and ended grants of tokens, now and then, until cancelled."""
        stores, usual = self.stores, kept_usually(self.settings)
        history = HistoryForgetter(stores.runs.prune, stores.pruner, stores.provisions, self.clock, usual)
        forgetting = [history.forget()]
        forgetting.append(forget(self.stores.flow_book.prune, self.clock, Retention(keep=FLOWS_KEPT)))
        forgetting.append(forget(self.stores.incidents.prune, self.clock, Retention(keep=self.settings.retention)))
        if self.tokens.upkeep is not None:
            forgetting.append(
                forget(self.tokens.upkeep.prune, self.clock, Retention(keep=GRANT_KEPT, every=GRANTS_PRUNED_EVERY))
            )
        await asyncio.gather(*forgetting)

    async def attend(self) -> None:
        """Say that this worker is there, until cancelled."""
        assert self.scheduler is not None
        await attend(self.stores.worker_book, WorkerReport(worker_id=self.scheduler.worker_id, version=VERSION))

    async def exposition(self) -> bytes:
        """The metrics in Prometheus's text format."""
        overdue_by = self.settings.poll_interval + OVERDUE_SLACK
        try:
            self.metrics.incidents_open(len(await self.stores.incidents.open()))
        except UnavailableError:
            self.metrics.incidents_open(None)
        return await self.metrics.exposition(lambda: self.stores.health.overdue(overdue_by))


def kept_usually(settings: Settings) -> KeptFor:
    """How long history is kept of tenants of whom nothing else was set."""
    failures = settings.retention_failures
    return KeptFor(runs=settings.retention, failures=failures if failures is not None else settings.retention)


@asynccontextmanager
async def engine(
    settings: Settings,
    dispatcher: Dispatcher | None = None,
    *,
    handlers: Mapping[str, Handler] | None = None,
    scheduling: bool = True,
    compiling: bool = True,
    planning: bool = False,
) -> AsyncIterator[Engine]:
    """An engine for as long as the block lasts; without *dispatcher* it calls over HTTP what no *handlers* answer.

    With *compiling* or *planning* the model that *settings* name, if any, is connected. Raises UnavailableError, and
    InvalidInputError for what the store can't do.
    """
    clock, evaluator, metrics = system_clock(), cron(), Metrics()
    async with AsyncExitStack() as stack:
        stores = await open_chosen(settings, clock)
        stack.push_async_callback(stores.aclose)
        stores = _counted(stores, metrics)
        if dispatcher is None:
            settings = within_room(settings) if scheduling else settings
            dispatcher = await stack.enter_async_context(http_dispatcher(settings, stores.provisions))
        dispatcher = dispatcher if handlers is None else HandlerDispatcher(handlers, dispatcher)
        vault = await _vault(settings, stores)
        dispatcher = _prepared(dispatcher, settings, Keychains(stores.keychains, vault, clock), clock)
        courier = alert_courier(settings, stores, dispatcher, vault, clock=clock, metrics=metrics)
        scheduler = None
        if scheduling:
            scheduler = await stack.enter_async_context(
                observed_scheduler(stores, dispatcher, clock=clock, cron=evaluator, settings=settings, metrics=metrics)
            )
        tokens = await stack.enter_async_context(_tokens(settings, stores, metrics))
        client = await stack.enter_async_context(model_client(settings)) if compiling or planning else None
        compiler = _observed(client, metrics, Budget.COMPILE)
        make_drafts = drafting(settings, stores, tokens.quota, compiler, evaluator) if compiling else None
        control = control_plane(
            stores, dispatcher, tokens, vault, clock=clock, cron=evaluator, limits=tier_limits(settings),
            kept=settings.retention, scheduler=scheduler, make_drafts=make_drafts, courier=courier,
            model_named=settings.ai_model is not None,
        )  # fmt: skip
        planner = None
        if planning:
            analyst, maker = _observed(client, metrics, Budget.ANALYSIS), control.drafts.maker
            planner = model_planner(settings, stores, tokens.quota, analyst, maker, clock=clock, cron=evaluator)
        yield Engine(
            settings=settings, clock=clock, cron=evaluator, stores=stores, dispatcher=dispatcher, scheduler=scheduler,
            control=control, tokens=tokens, planner=planner, metrics=metrics,
            rehearsing=rehearsals(settings, stores, tokens, vault, clock=clock, cron=evaluator),
            alerts=alert_desk(settings, stores, courier, control.quotas, evaluator),
        )  # fmt: skip


def _counted(stores: Stores, metrics: Metrics) -> Stores:
    """*stores* whose analyses and drafts *metrics* count."""
    watches, drafts = ObservedWatchStore(stores.watches, metrics), ObservedDrafts(stores.drafts, metrics)
    return replace(stores, watches=watches, drafts=drafts)


async def _vault(settings: Settings, stores: Stores) -> Vault:
    """The vault, once it has sealed what an earlier version left open."""
    vault = await open_vault(settings)
    await seal_alert_urls(settings, stores, vault)
    return vault


def _prepared(dispatcher: Dispatcher, settings: Settings, keychains: Keychains, clock: Clock) -> Dispatcher:
    """*dispatcher* with what each call gets at the last moment, and what is taken from each answer."""
    prepared = PreparingDispatcher(dispatcher, keychains, clock, plain=settings.signing_plain)
    return RedactingDispatcher(prepared, settings.redaction_key)


def _observed(client: AIClient | None, metrics: Metrics, purpose: Budget) -> AIClient | None:
    return None if client is None else ObservedAIClient(client, metrics, purpose)


@asynccontextmanager
async def _tokens(settings: Settings, stores: Stores, metrics: Metrics) -> AsyncIterator[Tokens]:
    """The token budgets, once what an owner has to know of them is told."""
    async with token_quota(settings, stores, metrics) as tokens:
        await tell_unknown_tiers(stores, tokens.rules.tiers)
        if settings.ai_model is not None:
            tokens.check_bounds(forced=settings.quota_soft_forced)
        yield tokens
