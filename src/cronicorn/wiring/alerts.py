"""What tells people that something is wrong: a watchman and a courier, in every process."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import unquote, urlsplit

from cronicorn.adapters.metrics.prometheus import Metrics
from cronicorn.control.identity import random_id
from cronicorn.control.quota import Quotas
from cronicorn.control.route_sealing import RouteSealing
from cronicorn.domain.alert.alerting import AlertRules, IncidentKind
from cronicorn.domain.alert.judging import Verdict, used_up
from cronicorn.domain.alert.ports import Mailer
from cronicorn.domain.errors import NotFoundError, UnavailableError
from cronicorn.domain.keychain.ports import Vault
from cronicorn.domain.permission import EVERYTHING
from cronicorn.domain.ports import Clock, Cron, Dispatcher
from cronicorn.domain.principal import ActorKind, Principal
from cronicorn.scheduler.delivering import Courier, CourierPorts
from cronicorn.scheduler.watchman import Usage, Watchman, WatchmanPorts
from cronicorn.wiring.extras import require
from cronicorn.wiring.settings import Settings
from cronicorn.wiring.stores import Stores
from cronicorn.wiring.vault import sealer

log = logging.getLogger(__name__)

_POLL_MOST = timedelta(seconds=5)
_PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}
_TOKENS = (IncidentKind.TOKENS_NEAR, IncidentKind.TOKENS_OUT)
_RUNS = (IncidentKind.RUNS_NEAR, IncidentKind.RUNS_OUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDesk:
    """A watchman and a courier that are not at work yet."""

    watchman: Watchman
    courier: Courier

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self.watchman.run(), name="watchman")
            both.create_task(self.courier.run(), name="courier")


def alert_courier(
    settings: Settings, stores: Stores, dispatcher: Dispatcher, vault: Vault, *, clock: Clock, metrics: Metrics
) -> Courier:
    """A courier that sends through *dispatcher*, and through the mail server that *settings* name, if they do."""
    ports = CourierPorts(
        outbox=stores.outbox, book=stores.alertings, dispatcher=dispatcher, vault=vault,
        mailer=_mailer(settings, clock), clock=clock, new_id=random_id, settled=metrics.alert_attempted,
    )  # fmt: skip
    return Courier(ports, min(settings.alert_interval, _POLL_MOST))


async def seal_alert_urls(settings: Settings, stores: Stores, vault: Vault) -> None:
    """Seal the URLs of routes that an earlier version stored as they are; where that can't be, they stay and work.

    On a server, which other machines share, no key is made for it: they would lack it, and send no alerts.
    """
    shared = settings.database_url.backend == "postgresql"
    try:
        count = await RouteSealing(stores.alertings, sealer(stores, vault)).seal_all(may_make_key=not shared)
    except UnavailableError as error:
        log.warning("alert_urls_not_sealed", extra={"reason": str(error)})
    else:
        if count:
            log.info("alert_urls_sealed", extra={"count": count})


def alert_desk(settings: Settings, stores: Stores, courier: Courier, quotas: Quotas, cron: Cron) -> AlertDesk:
    """A watchman who also looks at *quotas*, and a *courier*."""
    ports = WatchmanPorts(
        book=stores.alertings, watch=stores.alert_watch, incidents=stores.incidents, usage=_usage(quotas), cron=cron,
        new_id=random_id, wake=courier.wake,
    )  # fmt: skip
    return AlertDesk(watchman=Watchman(ports, settings.alert_interval), courier=courier)


def _usage(quotas: Quotas) -> Usage:
    async def usage(tenant_id: str, rules: AlertRules) -> Sequence[Verdict]:
        asking = Principal(tenant_id=tenant_id, actor="alerts", kind=ActorKind.LOCAL, permissions=EVERYTHING)
        try:
            standing = await quotas.show(asking)
        except NotFoundError:
            return ()
        view, runs, near = standing.view, standing.execution.runs, rules.near_percent
        found: list[Verdict] = []
        if view.limit:
            found += used_up("tokens", view.used + view.reserved, view.limit, near, _TOKENS)
        if runs is not None and runs.limit:
            found += used_up("runs of the month", runs.used, runs.limit, near, _RUNS)
        return found

    return usage


def _mailer(settings: Settings, clock: Clock) -> Mailer | None:
    """Sends through the server at SMTP_URL; None where none is named."""
    if settings.smtp_url is None:
        return None
    require("aiosmtplib", "email", "Mail about incidents")
    from cronicorn.adapters.smtp.mailer import SmtpMailer, SmtpSecurity, SmtpServer

    parts = urlsplit(settings.smtp_url.text)
    security = {"smtps": SmtpSecurity.TLS, "smtp+plain": SmtpSecurity.NONE}.get(parts.scheme, SmtpSecurity.STARTTLS)
    server = SmtpServer(
        host=parts.hostname or "", port=parts.port or _PORTS[parts.scheme], security=security,
        sender=settings.smtp_from,
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )  # fmt: skip
    return SmtpMailer(server, clock)
