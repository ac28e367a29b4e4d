"""What a tenant wants to be told: rules, routes and maintenance windows."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from cronicorn.control.alert_documents import (
    AlertRouteDocument,
    AlertRoutePatch,
    AlertRulesDocument,
    AllRulesDocument,
    MaintenanceDocument,
)
from cronicorn.control.document import MILLISECOND
from cronicorn.control.findings import Findings
from cronicorn.control.identity import NewId
from cronicorn.control.limits import check_limits
from cronicorn.control.permissions import operation
from cronicorn.control.route_sealing import RouteSealing
from cronicorn.domain.alert.alerting import (
    ROUTES_MAX,
    USUAL_RULES,
    WINDOWS_MAX,
    AlertChannel,
    Alerting,
    AlertRoute,
    AlertRules,
    AlertScope,
    FailureShare,
    MaintenanceWindow,
    RulesException,
)
from cronicorn.domain.alert.incident import WAITING_MAX, AlertMessage, MessageState
from cronicorn.domain.alert.ports import AlertingBook, Outbox
from cronicorn.domain.alert.targets import LEFT_OUT, shown_target, shown_url
from cronicorn.domain.alert.telling import trial
from cronicorn.domain.cron import CronSchedule
from cronicorn.domain.errors import ConflictError, InvalidInputError
from cronicorn.domain.permission import Operation
from cronicorn.domain.ports import Clock, Cron
from cronicorn.domain.principal import Principal
from cronicorn.domain.target import parse_target

RECIPIENTS_MAX = 10
MESSAGES_MAX = 1_000
# What RFC 5321 (4.1.2) allows without quotes, in ASCII.
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})\.?){1,20}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPorts:
    """What alerts are kept in."""

    book: AlertingBook
    outbox: Outbox
    sealing: RouteSealing


class Alerts:
    """What can be asked about rules, routes and maintenance windows. All raise UnavailableError."""

    def __init__(self, ports: AlertPorts, clock: Clock, cron: Cron, new_id: NewId, wake: Callable[[], None]) -> None:
        self._ports = ports
        self._clock = clock
        self._cron = cron
        self._new_id = new_id
        self._wake = wake

    @operation(Operation.ALERTING_SHOW)
    async def show(self, principal: Principal) -> Alerting:
        """All that the tenant has said; maintenance windows that are over are left out."""
        alerting = await self._ports.book.get(principal.tenant_id)
        now = self._clock.now()
        return replace(alerting, windows=tuple(window for window in alerting.windows if not window.over(now)))

    @operation(Operation.ALERT_RULES_CHANGE)
    async def change_rules(self, principal: Principal, document: AllRulesDocument) -> Alerting:
        """From now on *document* holds, and no rule of before. Raises InvalidInputError with all findings."""
        findings = Findings()
        check_limits(document, findings)
        rules = _rules(document, findings)
        exceptions = []
        for place, each in enumerate(document.exceptions or ()):
            inside = findings.inside(f"/exceptions/{place}")
            check_limits(each, inside)
            scope = _scope(each.job_ids, each.endpoint_ids)
            if scope == AlertScope():
                inside.refuse("", "Name jobs or endpoints for which it holds.")
            exceptions.append(RulesException(scope=scope, rules=_rules(each.rules, inside.inside("/rules"))))
        findings.raise_errors()
        return await self._ports.book.change(
            principal.tenant_id, lambda before: replace(before, rules=rules, exceptions=tuple(exceptions)), principal
        )

    @operation(Operation.ALERT_ROUTE_CREATE)
    async def create_route(self, principal: Principal, document: AlertRouteDocument) -> AlertRoute:
        """Add a route. Raises InvalidInputError with all findings, ConflictError where there are too many."""
        route_id = self._new_id("route")
        route = _routed(None, document, route_id, await self._sealed(principal, document, route_id))

        def edit(before: Alerting) -> Alerting:
            if len(before.routes) >= ROUTES_MAX:
                raise ConflictError(f"There are {ROUTES_MAX} alert routes already; remove one first.")
            return before.with_route(route)

        await self._ports.book.change(principal.tenant_id, edit, principal)
        return route

    @operation(Operation.ALERT_ROUTE_EDIT)
    async def edit_route(self, principal: Principal, route_id: str, patch: AlertRoutePatch) -> AlertRoute:
        """Change a route. Raises NotFoundError, InvalidInputError with all findings."""
        sealed = await self._sealed(principal, patch, route_id)
        after = await self._ports.book.change(
            principal.tenant_id,
            lambda before: before.with_route(_routed(before.route(route_id), patch, route_id, sealed)),
            principal,
        )
        return after.route(route_id)

    @operation(Operation.ALERT_ROUTE_REMOVE)
    async def remove_route(self, principal: Principal, route_id: str) -> None:
        """Remove a route; what waits for it is not delivered any more. Raises NotFoundError."""
        await self._ports.book.change(principal.tenant_id, lambda before: before.without_route(route_id), principal)

    @operation(Operation.ALERT_ROUTE_TEST)
    async def test_route(self, principal: Principal, route_id: str) -> AlertMessage:
        """Send a message that says that it is a test, as any other one is sent.

        Raises NotFoundError, ConflictError where so many messages wait for the route that it has to be mended first.
        """
        route = (await self._ports.book.get(principal.tenant_id)).route(route_id)
        newest = await self._ports.outbox.list(principal.tenant_id, route_id=route_id, limit=WAITING_MAX)
        if sum(each.state is MessageState.WAITING for each in newest) >= WAITING_MAX:
            raise ConflictError(f"{WAITING_MAX} messages wait for this route already; see why in its messages.")
        message = trial(principal.tenant_id, route, self._clock.now(), self._new_id("alert"))
        await self._ports.outbox.add(message)
        self._wake()
        return message

    @operation(Operation.ALERT_MESSAGE_LIST)
    async def messages(self, principal: Principal, route_id: str, *, limit: int = 100) -> Sequence[AlertMessage]:
        """What was sent to a route or waits for it, newest first. Raises NotFoundError."""
        (await self._ports.book.get(principal.tenant_id)).route(route_id)
        return await self._ports.outbox.list(principal.tenant_id, route_id=route_id, limit=limit)

    @operation(Operation.MAINTENANCE_CREATE)
    async def create_window(self, principal: Principal, document: MaintenanceDocument) -> MaintenanceWindow:
        """Add a maintenance window. Raises InvalidInputError, ConflictError where there are too many."""
        now = self._clock.now()
        window = self._window(document)

        def edit(before: Alerting) -> Alerting:
            windows = tuple(each for each in before.windows if not each.over(now))
            if len(windows) >= WINDOWS_MAX:
                raise ConflictError(f"There are {WINDOWS_MAX} maintenance windows already; remove one first.")
            return replace(before, windows=(*windows, window))

        await self._ports.book.change(principal.tenant_id, edit, principal)
        return window

    @operation(Operation.MAINTENANCE_REMOVE)
    async def remove_window(self, principal: Principal, window_id: str) -> None:
        """Remove a maintenance window: what it kept back is told at once. Raises NotFoundError."""
        await self._ports.book.change(principal.tenant_id, lambda before: before.without_window(window_id), principal)

    async def _sealed(self, principal: Principal, patch: AlertRoutePatch, route_id: str) -> str | None:
        """The URL that *patch* gives, as it may be stored; None where it gives none that can be called."""
        if patch.target is None or _url_fault(patch.target) is not None:
            return None
        return await self._ports.sealing.seal(principal.tenant_id, route_id, patch.target)

    def _window(self, document: MaintenanceDocument) -> MaintenanceWindow:
        findings = Findings()
        check_limits(document, findings)
        _check_name(document.name, findings)
        if document.duration_ms is None:
            findings.refuse("/durationMs", "Say how long it lasts.")
        if (document.start_at is None) == (document.cron is None):
            findings.refuse("/startAt", "Say when it begins: give either startAt or cron.")
        schedule = CronSchedule(document.cron, document.timezone or "UTC") if document.cron is not None else None
        if schedule is not None and not findings.found("/cron"):
            try:
                self._cron.check(schedule, self._clock.now())
            except InvalidInputError as error:
                findings.refuse("/cron", str(error))
        if document.timezone is not None and document.cron is None:
            findings.refuse("/timezone", "Only a cron schedule is read in a time zone; startAt has its offset.")
        findings.raise_errors()
        return MaintenanceWindow(
            id=self._new_id("window"), name=document.name or "", start_at=document.start_at, cron=schedule,
            duration=(document.duration_ms or 0) * MILLISECOND, scope=_scope(document.job_ids, document.endpoint_ids),
        )  # fmt: skip


def _rules(document: AlertRulesDocument, findings: Findings) -> AlertRules:
    """What *document* says over what is usual; as usual where it is refused."""
    check_limits(document, findings)
    share = document.share
    if share is not None and share.failures > share.runs:
        findings.refuse("/share/failures", "Must not be more than the runs.")
    if findings.errors:
        return USUAL_RULES
    late = document.late_after_ms
    return AlertRules(
        failures=document.failures or USUAL_RULES.failures,
        share=FailureShare(failures=share.failures, runs=share.runs) if share is not None else None,
        successes=document.successes or USUAL_RULES.successes,
        late_after=late * MILLISECOND if late is not None else USUAL_RULES.late_after,
        pause_after=document.pause_after,
        near_percent=document.near_percent or USUAL_RULES.near_percent,
    )


def _routed(before: AlertRoute | None, patch: AlertRoutePatch, route_id: str, sealed: str | None) -> AlertRoute:
    """*before*, or nothing, with what *patch* says, and its URL *sealed*. Raises InvalidInputError with all findings.

    What was shown of a URL may be sent back: it stays.
    """
    findings = Findings()
    check_limits(patch, findings)
    given = patch.model_fields_set
    name = patch.name if patch.name is not None or before is None else before.name
    channel = patch.channel if patch.channel is not None or before is None else before.channel
    stays = before is not None and patch.target in {None, shown_target(before)}
    target, kept = (before.target, before.sealed) if before is not None and stays else (patch.target, sealed)
    _check_name(name, findings)
    if channel is None:
        findings.refuse("/channel", f"Say how messages travel: one of {', '.join(AlertChannel)}.")
    elif target is None:
        findings.refuse("/target", "Say where messages go: a URL, or for email addresses separated by commas.")
    elif not findings.found("/target") and not (stays and kept is not None and channel is not AlertChannel.EMAIL):
        _check_target(channel, target, findings)
    findings.raise_errors()
    assert channel is not None
    assert target is not None
    scope = before.scope if before is not None else AlertScope()
    if patch.job_ids is not None:
        scope = replace(scope, job_ids=_once(patch.job_ids))
    if patch.endpoint_ids is not None:
        scope = replace(scope, endpoint_ids=_once(patch.endpoint_ids))
    reminded = before.remind_every if before is not None else None
    if "remind_every_ms" in given:
        reminded = patch.remind_every_ms * MILLISECOND if patch.remind_every_ms is not None else None
    leads_to_url = channel is not AlertChannel.EMAIL
    return AlertRoute(
        id=route_id, name=name or "", channel=channel, scope=scope, remind_every=reminded,
        target=shown_url(target) if leads_to_url and kept is not None else target,
        sealed=kept if leads_to_url else None,
        kinds=tuple(dict.fromkeys(patch.kinds)) if patch.kinds is not None else before.kinds if before else (),
        enabled=patch.enabled if patch.enabled is not None else before.enabled if before else True,
    )  # fmt: skip


def _check_name(name: str | None, findings: Findings) -> None:
    if not (name or "").strip() and not findings.found("/name"):
        findings.refuse("/name", "Give it a name.")


def _check_target(channel: AlertChannel, target: str, findings: Findings) -> None:
    if channel is not AlertChannel.EMAIL:
        fault = _url_fault(target)
        if fault is not None:
            findings.refuse("/target", fault)
        return
    addresses = [address.strip() for address in target.split(",")]
    wrong = [address for address in addresses if _ADDRESS.fullmatch(address) is None]
    if wrong or len(addresses) > RECIPIENTS_MAX:
        findings.refuse(
            "/target", f"Must be 1 to {RECIPIENTS_MAX} addresses such as ops@example.com, separated by commas."
        )


def _url_fault(target: str) -> str | None:
    if LEFT_OUT in target:
        return "This is what is shown of a URL, and none is stored: send the URL itself."
    try:
        parse_target(target)
    except InvalidInputError as error:
        return str(error)
    return None


def _scope(job_ids: Sequence[str] | None, endpoint_ids: Sequence[str] | None) -> AlertScope:
    return AlertScope(job_ids=_once(job_ids or ()), endpoint_ids=_once(endpoint_ids or ()))


def _once(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
