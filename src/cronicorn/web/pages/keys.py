"""API keys: made, shown once, and revoked."""

from typing import Any, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.responses import Response

from cronicorn.control.findings import Findings
from cronicorn.control.keys import KeyDocument, NewKey
from cronicorn.control.misfits import whole_document
from cronicorn.control.plane import ControlPlane
from cronicorn.domain.errors import CronicornError
from cronicorn.domain.permission import Operation, Permission
from cronicorn.web.addresses import page_in
from cronicorn.web.form_fields import read_texts, read_wall_clock, tidied
from cronicorn.web.form_shown import TOLD_IN_FORMS, form_shown
from cronicorn.web.form_values import NUMBER, SWITCH, TEXT
from cronicorn.web.once import made_to_show
from cronicorn.web.roles import PERMISSIONS, roles_of, runs_installation
from cronicorn.web.site import WebSite, see
from cronicorn.web.view import Looked, ThingId, View

KEYS_SHOWN = 30
"""On one page."""
_FIELDS: Final = {"name": TEXT, "role": TEXT, "requestsPerMinute": NUMBER, "agent": SWITCH, "runsInstallation": SWITCH}
_SCOPES: Final = {f"scopes/{scope}": scope for scope in Permission}
_LABELS: Final = {
    "name": "Name",
    "role": "Role",
    "expiresAt": "Ends",
    "requestsPerMinute": "Requests a minute",
    "agent": "Held by",
    "runsInstallation": "Runs the installation",
    "scopes": "Confined to",
}
_NEW: Final = dict.fromkeys((*_LABELS, *_SCOPES), "") | {"role": "viewer"}


def key_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    """Which keys there are, and how they are made and revoked."""
    router = APIRouter()

    @router.get("/keys")
    async def show(view: Looked, page: str = "") -> Response:
        return await _list(site, control, view, _NEW, page=page)

    @router.post("/keys/new")
    async def create(view: Looked) -> Response:
        view.asker.check(Operation.KEY_CREATE)
        entered = _NEW | tidied(view.form, _NEW)
        try:
            document = _document(entered)
            made = await made_to_show(control.repeats, view, lambda: control.keys.create(view.asker, document))
        except TOLD_IN_FORMS as error:
            return await _list(site, control, view, entered, error)
        return see("/keys") if made is None else await _list(site, control, view, _NEW, made=made)

    @router.post("/keys/{key_id}/revoke")
    async def revoke(view: Looked, key_id: ThingId) -> Response:
        await control.keys.revoke(view.asker, key_id)
        return see("/keys")

    return router


def _document(entered: dict[str, str]) -> KeyDocument:
    """What was entered. Raises InvalidInputError."""
    findings = Findings()
    fields = read_texts(entered, _FIELDS, findings)
    fields["expiresAt"] = read_wall_clock("expiresAt", entered, ZoneInfo("UTC"), findings)
    fields["scopes"] = [scope.value for name, scope in _SCOPES.items() if entered[name]] or None
    return whole_document(KeyDocument, fields, findings)


async def _list(
    site: WebSite, control: ControlPlane, view: View, entered: dict[str, str], error: CronicornError | None = None, *,
    page: str = "", made: NewKey | None = None,
) -> Response:  # fmt: skip
    number = page_in(page)
    first = (number - 1) * KEYS_SHOWN
    found = await control.keys.list(view.asker, limit=KEYS_SHOWN + 1, offset=first)
    shown: dict[str, Any] = form_shown(view, entered, _LABELS, error)
    scopes = [(scope.value, words) for scope, words in PERMISSIONS.items() if scope in view.asker.permissions]
    return site.page(
        view, "keys.html", keys=found[:KEYS_SHOWN], further=len(found) > KEYS_SHOWN, page=number, made=made,
        roles=roles_of(view.asker), runner=runs_installation(view.asker), scopes=scopes, **shown,
    )  # fmt: skip
