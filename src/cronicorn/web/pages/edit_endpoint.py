"""An edit of an endpoint: its form, what would come of it, and what becomes of edits at the same time."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from cronicorn.control.plane import ControlPlane
from cronicorn.control.rendering import shown
from cronicorn.control.statuses import status_of
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import PreconditionFailedError
from cronicorn.domain.permission import Operation
from cronicorn.domain.principal import Principal
from cronicorn.domain.unchanged import version_of_endpoint
from cronicorn.web.endpoint_form import NAMES, ReadForm, changed_since, entered_of, marks_of, read_endpoint, tidy
from cronicorn.web.endpoint_looking import Looking, look, looking_status, looking_values, tried
from cronicorn.web.owned import owned_fields
from cronicorn.web.site import WebSite, see
from cronicorn.web.view import Looked, ThingId, View

_PAGE = "endpoint_form.html"


def edit_endpoint_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    """How endpoints are changed."""
    router = APIRouter()

    @router.get("/endpoints/{endpoint_id}/edit")
    async def ask(view: Looked, endpoint_id: ThingId) -> Response:
        view.asker.check(Operation.ENDPOINT_EDIT)
        endpoint = (await control.endpoints.get(view.asker, endpoint_id)).endpoint
        entered = entered_of(shown(endpoint))
        looked = await look(control, view.asker, ReadForm.of_nothing(), endpoint_id)
        edit = await _edit(control, view.asker, endpoint, marks_of(entered))
        return site.page(view, _PAGE, **edit, **looking_values(entered, looked))

    @router.post("/endpoints/{endpoint_id}/edit")
    async def change(view: Looked, endpoint_id: ThingId) -> Response:
        endpoint = (await control.endpoints.get(view.asker, endpoint_id)).endpoint
        marks, version = view.entered("marks"), view.entered("version")
        entered = entered_of(shown(endpoint)) | tidy(view.form)
        read = read_endpoint(entered, changed_since(marks, entered))
        looked = await look(control, view.asker, read, endpoint_id, wanted=view.entered("do"))
        if view.entered("do") == "save" and looked.error is None and read.document is not None:
            edit = control.endpoints.edit(view.asker, endpoint_id, read.document, unchanged=view.unchanged)
            try:
                after = await tried(edit, looked)
            except PreconditionFailedError as error:
                return await _conflict(site, control, view, endpoint_id, error)
            if not isinstance(after, Looking):
                return see(f"/endpoints/{endpoint_id}")
            looked = after
        values = await _edit(control, view.asker, endpoint, marks, version) | looking_values(entered, looked, told=True)
        return site.page(view, _PAGE, status=looking_status(view, looked), **values)

    return router


async def _conflict(
    site: WebSite, control: ControlPlane, view: View, endpoint_id: str, error: PreconditionFailedError
) -> Response:
    """The form once more: with what somebody else saved meanwhile, and with what was entered where that differs."""
    endpoint = (await control.endpoints.get(view.asker, endpoint_id)).endpoint
    marks, sent, stored = view.entered("marks"), tidy(view.form), entered_of(shown(endpoint))
    mine, theirs = changed_since(marks, sent), changed_since(marks, stored)
    entered = stored | {name: sent[name] for name in mine}
    meanwhile = [(name, stored[name], sent[name] if name in mine else None) for name in NAMES if name in theirs]
    read = read_endpoint(entered, frozenset(name for name in NAMES if entered[name] != stored[name]))
    looked = await look(control, view.asker, read, endpoint_id)
    edit = await _edit(control, view.asker, endpoint, marks_of(stored)) | {"meanwhile": meanwhile}
    return site.page(view, _PAGE, status=status_of(error), **edit, **looking_values(entered, looked))


async def _edit(
    control: ControlPlane, asker: Principal, endpoint: JobEndpoint, marks: str, version: str | None = None
) -> dict[str, Any]:
    """What the page of an edit shows besides."""
    owners = await control.file_owners.of_endpoint(asker, endpoint)
    return {
        "owners": owners,
        "owned": owned_fields(owners, NAMES),
        "job": await control.jobs.get(asker, endpoint.job_id),
        "endpoint": endpoint,
        "action": f"/endpoints/{endpoint.id}/edit",
        "marks": marks,
        "version": version_of_endpoint(endpoint) if version is None else version,
        "meanwhile": [],
    }
