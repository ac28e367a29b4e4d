"""Alert routes: where messages go, a test of one, and what became of messages."""

from collections.abc import Sequence

from fastapi import APIRouter
from starlette.responses import Response

from cronicorn.control.file_owners import FileOwner
from cronicorn.control.findings import Findings
from cronicorn.control.plane import ControlPlane
from cronicorn.domain.alert.alerting import AlertRoute
from cronicorn.domain.alert.versions import version_of_alert_route
from cronicorn.domain.errors import PreconditionFailedError
from cronicorn.domain.filing.file_set import route_part
from cronicorn.domain.permission import Operation
from cronicorn.domain.principal import Principal
from cronicorn.web.alert_forms import (
    NEW_ROUTE,
    ROUTE_LABELS,
    entered_in,
    read_new_route,
    read_route,
    route_entered,
)
from cronicorn.web.alert_scopes import SCOPE, ScopeLines, read_scope, told_scopes
from cronicorn.web.form_shown import TOLD_IN_FORMS, form_shown
from cronicorn.web.incident_words import KINDS
from cronicorn.web.live import Mark
from cronicorn.web.once import made_once
from cronicorn.web.site import WebSite, see
from cronicorn.web.view import Looked, ThingId

MESSAGES_SHOWN = 30
_PAGE = "alert_route_form.html"


def alert_route_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    """Which routes there are, and how they are made, changed, tried and removed."""
    router = APIRouter()
    router.include_router(_making_pages(site, control))
    router.include_router(_edit_pages(site, control))

    @router.get("/alerts")
    async def show_all(view: Looked) -> Response:
        alerting = await control.alerts.show(view.asker)
        scopes = await told_scopes(control, view.asker, [each.scope for each in alerting.routes])
        return site.page(view, "alert_routes.html", alerting=alerting, kinds=KINDS, scopes=scopes)

    @router.get("/alerts/routes")
    async def lead() -> Response:
        return see("/alerts")

    @router.get("/alerts/routes/{route_id}")
    async def show(view: Looked, route_id: ThingId) -> Response:
        route = (await control.alerts.show(view.asker)).route(route_id)
        lines = await ScopeLines.open(control, view.asker)
        return site.page(
            view, "alert_route.html", route=route, kinds=KINDS, scope=await lines.written(route.scope),
            messages=await control.alerts.messages(view.asker, route_id, limit=MESSAGES_SHOWN),
            owners=await _owners(control, view.asker, route),
        )  # fmt: skip

    @router.post("/alerts/routes/{route_id}/test")
    async def test(view: Looked, route_id: ThingId) -> Response:
        await control.alerts.test_route(view.asker, route_id)
        return see(f"/alerts/routes/{route_id}#messages")

    @router.post("/alerts/routes/{route_id}/remove")
    async def remove(view: Looked, route_id: ThingId) -> Response:
        await control.alerts.remove_route(view.asker, route_id)
        return see("/alerts")

    return router


def _making_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    router = APIRouter()

    @router.get("/alerts/routes/new")
    async def ask(view: Looked, scope: str = "") -> Response:
        view.asker.check(Operation.ALERT_ROUTE_CREATE)
        entered = NEW_ROUTE | {SCOPE: scope}
        return site.page(view, _PAGE, route=None, kinds=KINDS, **form_shown(view, entered, ROUTE_LABELS))

    @router.post("/alerts/routes/new")
    async def create(view: Looked) -> Response:
        view.asker.check(Operation.ALERT_ROUTE_CREATE)
        entered = entered_in(view.form, ROUTE_LABELS)

        async def making() -> str:
            findings = Findings()
            scope = await read_scope(control, view.asker, entered, findings)
            document = read_new_route(entered, scope, findings)
            return f"/alerts/routes/{(await control.alerts.create_route(view.asker, document)).id}"

        try:
            return see(await made_once(control.repeats, view, making))
        except TOLD_IN_FORMS as error:
            return site.page(view, _PAGE, route=None, kinds=KINDS, **form_shown(view, entered, ROUTE_LABELS, error))

    return router


def _edit_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    router = APIRouter()

    @router.get("/alerts/routes/{route_id}/edit")
    async def begin(view: Looked, route_id: ThingId) -> Response:
        view.asker.check(Operation.ALERT_ROUTE_EDIT)
        route = (await control.alerts.show(view.asker)).route(route_id)
        entered, version = await _stored(control, view.asker, route), version_of_alert_route(route)
        shown = form_shown(view, entered, ROUTE_LABELS, version=version)
        owners = await _owners(control, view.asker, route)
        return site.page(view, _PAGE, route=route, kinds=KINDS, owners=owners, **shown)

    @router.post("/alerts/routes/{route_id}/edit")
    async def change(view: Looked, route_id: ThingId) -> Response:
        view.asker.check(Operation.ALERT_ROUTE_EDIT)
        entered, version = entered_in(view.form, ROUTE_LABELS), view.entered("version")
        route, stored, findings = (await control.alerts.show(view.asker)).route(route_id), None, Findings()
        scope = await read_scope(control, view.asker, entered, findings, route.scope)
        try:
            patch = read_route(entered, scope, findings)
            await control.alerts.edit_route(view.asker, route_id, patch, view.unchanged)
        except TOLD_IN_FORMS as error:
            if isinstance(error, PreconditionFailedError):
                route = (await control.alerts.show(view.asker)).route(route_id)
                stored, version = await _stored(control, view.asker, route), version_of_alert_route(route)
            shown = form_shown(view, entered, ROUTE_LABELS, error, version=version, stored=stored)
            owners = await _owners(control, view.asker, route)
            return site.page(view, _PAGE, route=route, kinds=KINDS, owners=owners, **shown)
        return see(f"/alerts/routes/{route_id}")

    return router


def alert_route_mark(control: ControlPlane) -> Mark:
    """What the page of a route shows, in short."""

    async def mark(asker: Principal, route_id: str) -> str:
        route = (await control.alerts.show(asker)).route(route_id)
        messages = await control.alerts.messages(asker, route_id, limit=MESSAGES_SHOWN)
        return repr((version_of_alert_route(route), [(each.id, each.attempts, each.state) for each in messages]))

    return mark


async def _owners(control: ControlPlane, asker: Principal, route: AlertRoute) -> Sequence[FileOwner]:
    return (await control.file_owners.of_alerting(asker)).get(route_part(route.name), ())


async def _stored(control: ControlPlane, asker: Principal, route: AlertRoute) -> dict[str, str]:
    lines = await ScopeLines.open(control, asker)
    return route_entered(route, await lines.written(route.scope))
