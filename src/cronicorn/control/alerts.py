"""What a tenant wants to be told: rules, routes and maintenance windows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cronicorn.control.alert_documents import (
    AlertRouteDocument,
    AlertRoutePatch,
    AllRulesDocument,
    MaintenanceDocument,
)
from cronicorn.control.alert_drafting import exceptions_drafted, route_drafted, rules_drafted, url_fault, window_drafted
from cronicorn.control.findings import Findings
from cronicorn.control.identity import NewId
from cronicorn.control.permissions import operation
from cronicorn.control.route_sealing import RouteSealing
from cronicorn.domain.alert.alerting import (
    ROUTES_MAX,
    WINDOWS_MAX,
    Alerting,
    AlertRoute,
    MaintenanceWindow,
)
from cronicorn.domain.alert.incident import WAITING_MAX, AlertEvent, AlertMessage, MessageState
from cronicorn.domain.alert.ports import AlertingBook, Outbox
from cronicorn.domain.alert.telling import trial
from cronicorn.domain.alert.versions import version_of_alert_route, version_of_alert_rules
from cronicorn.domain.errors import ConflictError
from cronicorn.domain.instant import MINUTE, shifted
from cronicorn.domain.permission import Operation
from cronicorn.domain.ports import Clock, Cron
from cronicorn.domain.principal import Principal
from cronicorn.domain.unchanged import Unchanged

MESSAGES_MAX = 1_000
TESTS_MAX = 20
TESTS_COUNTED_FOR = timedelta(minutes=10)
"""A tenant may send so many tests within so long: nobody is to be flooded through the operator's mail server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPorts:
    """What alerts are kept in."""

    book: AlertingBook
    outbox: Outbox
    sealing: RouteSealing


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowStanding:
    """A maintenance window, and where it stands."""

    window: MaintenanceWindow
    holds: bool
    """Whether nobody is told of what it covers now."""
    next_at: datetime | None
    """When it begins next; None where it does not begin again."""


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

    @operation(Operation.ALERTING_SHOW)
    async def windows(self, principal: Principal) -> Sequence[WindowStanding]:
        """The maintenance windows that are not over, those that hold now first, then by when they hold next."""
        alerting, now = await self._ports.book.get(principal.tenant_id), self._clock.now()
        standing = [
            WindowStanding(window=each, holds=each.holds(now, self._cron), next_at=self._next(each, now))
            for each in alerting.windows
            if not each.over(now)
        ]
        return sorted(standing, key=lambda each: (not each.holds, each.next_at is None, each.next_at or now))

    @operation(Operation.ALERT_RULES_CHANGE)
    async def change_rules(
        self, principal: Principal, document: AllRulesDocument, unchanged: Unchanged | None = None
    ) -> Alerting:
        """From now on *document* holds, and no rule of before. Raises InvalidInputError with all findings.

        Raises PreconditionFailedError where the rules are not *unchanged*.
        """
        findings = Findings()
        rules, exceptions = rules_drafted(document, findings), exceptions_drafted(document, findings)
        findings.raise_errors()

        def edit(before: Alerting) -> Alerting:
            if unchanged is not None:
                unchanged.check(version_of_alert_rules(before))
            return replace(before, rules=rules, exceptions=exceptions)

        return await self._ports.book.change(principal.tenant_id, edit, principal)

    @operation(Operation.ALERT_RULES_CHANGE)
    async def change_all(self, principal: Principal, edit: Callable[[Alerting], Alerting]) -> Alerting:
        """Make of all that the tenant has said what *edit* makes of it, at once. Raises what *edit* raises."""
        return await self._ports.book.change(principal.tenant_id, edit, principal)

    @operation(Operation.ALERT_ROUTE_CREATE)
    async def create_route(self, principal: Principal, document: AlertRouteDocument) -> AlertRoute:
        """Add a route. Raises InvalidInputError with all findings, ConflictError where there are too many."""
        route_id = self._new_id("route")
        route = route_drafted(None, document, route_id, await self._sealed(principal, document, route_id))

        def edit(before: Alerting) -> Alerting:
            if len(before.routes) >= ROUTES_MAX:
                raise ConflictError(f"There are {ROUTES_MAX} alert routes already; remove one first.")
            return before.with_route(route)

        await self._ports.book.change(principal.tenant_id, edit, principal)
        return route

    @operation(Operation.ALERT_ROUTE_EDIT)
    async def edit_route(
        self, principal: Principal, route_id: str, patch: AlertRoutePatch, unchanged: Unchanged | None = None
    ) -> AlertRoute:
        """Change a route. Raises NotFoundError, InvalidInputError with all findings.

        Raises PreconditionFailedError where it is not *unchanged*.
        """
        sealed = await self._sealed(principal, patch, route_id)

        def edit(before: Alerting) -> Alerting:
            route = before.route(route_id)
            if unchanged is not None:
                unchanged.check(version_of_alert_route(route))
            return before.with_route(route_drafted(route, patch, route_id, sealed))

        after = await self._ports.book.change(principal.tenant_id, edit, principal)
        return after.route(route_id)

    @operation(Operation.ALERT_ROUTE_REMOVE)
    async def remove_route(self, principal: Principal, route_id: str) -> None:
        """Remove a route; what waits for it is not delivered any more. Raises NotFoundError."""
        await self._ports.book.change(principal.tenant_id, lambda before: before.without_route(route_id), principal)

    @operation(Operation.ALERT_ROUTE_TEST)
    async def test_route(self, principal: Principal, route_id: str) -> AlertMessage:
        """Send a message that says that it is a test, as any other one is sent.

        Raises NotFoundError, ConflictError after many tests in a short time, and where so many messages wait for the
        route that it has to be mended first.
        """
        route = (await self._ports.book.get(principal.tenant_id)).route(route_id)
        newest = await self._ports.outbox.list(principal.tenant_id, limit=WAITING_MAX)
        lately = shifted(self._clock.now(), -TESTS_COUNTED_FOR)
        if sum(each.event is AlertEvent.TEST and each.created_at > lately for each in newest) >= TESTS_MAX:
            minutes = TESTS_COUNTED_FOR // MINUTE
            raise ConflictError(f"{TESTS_MAX} tests were sent within {minutes} minutes, to whatever routes: wait.")
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
        window = window_drafted(document, self._new_id("window"), now, self._cron)

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

    def _next(self, window: MaintenanceWindow, now: datetime) -> datetime | None:
        """When *window* begins next; None where it does not begin again."""
        if window.cron is not None:
            return self._cron.next(window.cron, now)
        return window.start_at if window.start_at is not None and window.start_at > now else None

    async def _sealed(self, principal: Principal, patch: AlertRoutePatch, route_id: str) -> str | None:
        """The URL that *patch* gives, as it may be stored; None where it gives none that can be called."""
        if patch.target is None or url_fault(patch.target) is not None:
            return None
        return await self._ports.sealing.seal(principal.tenant_id, route_id, patch.target)
