"""Drafts of policies: asking the model for one, looking at it beside what is in force, and deciding about it."""

from http import HTTPStatus

from fastapi import APIRouter
from starlette.responses import Response

from cronicorn.control.drafts import DraftView
from cronicorn.control.plane import ControlPlane
from cronicorn.control.policy_text import write_policy_text
from cronicorn.control.statuses import status_of
from cronicorn.domain.compilation.draft import DraftStatus
from cronicorn.domain.errors import ConflictError, CronicornError
from cronicorn.web.form_shown import TOLD_ELSEWHERE
from cronicorn.web.pages.policy import policy_page
from cronicorn.web.policy_desk import policy_desk
from cronicorn.web.policy_looking import rules_in_words
from cronicorn.web.site import WebSite, see
from cronicorn.web.view import Looked, ThingId, View

_WAITING = {DraftStatus.DRAFT, DraftStatus.NEEDS_ATTENTION}


def draft_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    """What can be done with drafts."""
    router = APIRouter()

    @router.post("/endpoints/{endpoint_id}/policy/drafts")
    async def make(view: Looked, endpoint_id: ThingId) -> Response:
        """Whoever sends it twice gets the same draft: what was made of the same is not made again."""
        try:
            made = await control.drafts.make(view.asker, endpoint_id)
        except TOLD_ELSEWHERE:
            raise
        except CronicornError as error:
            desk = await policy_desk(control, view.asker, endpoint_id)
            return await policy_page(site, control, view, desk, draft_error=error)
        return see(f"/endpoints/{endpoint_id}/policy/drafts/{made.draft.id}")

    @router.get("/endpoints/{endpoint_id}/policy/drafts/{draft_id}")
    async def show(view: Looked, endpoint_id: ThingId, draft_id: ThingId) -> Response:
        return await _page(site, control, view, await control.drafts.get(view.asker, endpoint_id, draft_id))

    @router.post("/endpoints/{endpoint_id}/policy/drafts/{draft_id}/activate")
    async def activate(view: Looked, endpoint_id: ThingId, draft_id: ThingId) -> Response:
        try:
            await control.drafts.activate(view.asker, endpoint_id, draft_id)
        except ConflictError as error:
            return await _refused(site, control, view, (endpoint_id, draft_id), error)
        return see(f"/endpoints/{endpoint_id}")

    @router.post("/endpoints/{endpoint_id}/policy/drafts/{draft_id}/reject")
    async def reject(view: Looked, endpoint_id: ThingId, draft_id: ThingId) -> Response:
        try:
            await control.drafts.reject(view.asker, endpoint_id, draft_id)
        except ConflictError as error:
            return await _refused(site, control, view, (endpoint_id, draft_id), error)
        return see(f"/endpoints/{endpoint_id}/policy")

    return router


async def _refused(
    site: WebSite, control: ControlPlane, view: View, named: tuple[str, str], error: ConflictError
) -> Response:
    """The draft as it stands now, and why nothing was decided."""
    return await _page(site, control, view, await control.drafts.get(view.asker, *named), error)


async def _page(
    site: WebSite, control: ControlPlane, view: View, found: DraftView, error: ConflictError | None = None
) -> Response:
    draft, endpoint = found.draft, found.endpoint
    status = HTTPStatus.OK if error is None else status_of(error)
    owners = await control.file_owners.of_endpoint(view.asker, endpoint)
    return site.page(
        view, "policy_draft.html", status=status, draft=draft, endpoint=endpoint, differences=found.differences,
        job=await control.jobs.get(view.asker, endpoint.job_id), rules=rules_in_words(draft.policy, endpoint),
        text=write_policy_text(draft.policy), waits=draft.status in _WAITING, fault="" if error is None else str(error),
        stale=(endpoint.description or "") != draft.description,
        owners=[each for each in owners if "policy" in each.fields],
    )  # fmt: skip
