"""Maintenance windows: when nobody is told of some endpoints."""

from fastapi import APIRouter
from starlette.responses import Response

from cronicorn.control.findings import Findings
from cronicorn.control.plane import ControlPlane
from cronicorn.domain.filing.file_set import window_part
from cronicorn.domain.permission import Operation
from cronicorn.web.alert_forms import NEW_WINDOW, WINDOW_LABELS, entered_in, read_window
from cronicorn.web.alert_scopes import read_scope, told_scopes
from cronicorn.web.form_fields import ZONES
from cronicorn.web.form_shown import TOLD_IN_FORMS, form_shown
from cronicorn.web.once import made_once
from cronicorn.web.site import WebSite, see
from cronicorn.web.view import Looked, ThingId

_PAGE = "maintenance_form.html"
_LIST = "/alerts/maintenance"


def maintenance_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    """Which windows there are, and how they are made and removed."""
    router = APIRouter()

    @router.get(_LIST)
    async def show(view: Looked) -> Response:
        windows = await control.alerts.windows(view.asker)
        scopes = await told_scopes(control, view.asker, [each.window.scope for each in windows])
        owned = await control.file_owners.of_alerting(view.asker)
        owners = [owned.get(window_part(each.window.name), ()) for each in windows]
        return site.page(view, "maintenance.html", windows=windows, scopes=scopes, owners=owners)

    @router.get("/alerts/maintenance/new")
    async def ask(view: Looked) -> Response:
        view.asker.check(Operation.MAINTENANCE_CREATE)
        return site.page(view, _PAGE, zones=ZONES, **form_shown(view, NEW_WINDOW, WINDOW_LABELS))

    @router.post("/alerts/maintenance/new")
    async def create(view: Looked) -> Response:
        view.asker.check(Operation.MAINTENANCE_CREATE)
        entered = entered_in(view.form, WINDOW_LABELS)

        async def making() -> str:
            findings = Findings()
            scope = await read_scope(control, view.asker, entered, findings)
            await control.alerts.create_window(view.asker, read_window(entered, scope, findings))
            return _LIST

        try:
            return see(await made_once(control.repeats, view, making))
        except TOLD_IN_FORMS as error:
            return site.page(view, _PAGE, zones=ZONES, **form_shown(view, entered, WINDOW_LABELS, error))

    @router.post("/alerts/maintenance/{window_id}/remove")
    async def remove(view: Looked, window_id: ThingId) -> Response:
        await control.alerts.remove_window(view.asker, window_id)
        return see(_LIST)

    return router
