"""Why an endpoint runs when it does: as of now with all that steers it, and as it was decided at an instant."""

from datetime import datetime
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from cronicorn.control.decisions import PastDecision
from cronicorn.control.plane import ControlPlane
from cronicorn.control.schedules import Explanation
from cronicorn.control.statuses import status_of
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.history import RunQuery
from cronicorn.domain.instant import MICROSECOND, shifted
from cronicorn.domain.principal import Principal
from cronicorn.web.addresses import instant_in
from cronicorn.web.reasons import reasons
from cronicorn.web.site import WebSite
from cronicorn.web.timeline.otherwise import otherwise_drawing
from cronicorn.web.view import Looked, ThingId

_PAGE = "why.html"
_RUNS_READ = 5
"""Of so many runs the newest answer that did something is told."""


def why_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    """What there is to say of decisions."""
    router = APIRouter()

    @router.get("/endpoints/{endpoint_id}/why")
    async def show(view: Looked, endpoint_id: ThingId, at: str = "") -> Response:
        explanation = await control.schedules.explain(view.asker, endpoint_id)
        endpoint = explanation.endpoint
        about: dict[str, Any] = {
            "endpoint": endpoint,
            "job": await control.jobs.get(view.asker, endpoint.job_id),
            "asked": at,
        }
        status, fault = HTTPStatus.OK, ""
        if at.strip():
            try:
                return site.page(view, _PAGE, fault="", **about, **await _past(control, view.asker, endpoint_id, at))
            except InvalidInputError as error:
                status, fault = status_of(error), error.fields[0].message if error.fields else str(error)
        present = await _present(control, view.asker, explanation)
        return site.page(view, _PAGE, status=status, fault=fault, **about, **present)

    return router


async def _present(control: ControlPlane, asker: Principal, explanation: Explanation) -> dict[str, Any]:
    """All that steers it now."""
    runs = (await control.runs.list(asker, explanation.endpoint.id, RunQuery(limit=_RUNS_READ))).runs
    told = await reasons(control, asker, explanation, runs)
    drawn = otherwise_drawing(explanation.now, explanation.current.plan, explanation.otherwise)
    return {"past": None, "drawn": drawn, "latest": runs[0] if runs else None, **told}


async def _past(control: ControlPlane, asker: Principal, endpoint_id: str, text: str) -> dict[str, Any]:
    """What had been decided at the instant *text*, and where the decisions before and after it are found."""
    at = instant_in(text)
    if at is None:
        raise InvalidInputError("Write an instant such as 2026-01-31T09:30:00Z; without a zone it is in UTC.")
    past = await control.decisions.explain_at(asker, endpoint_id, at)
    return {"past": past, "earlier": _earlier(past), "later": past.later_at}


def _earlier(past: PastDecision) -> datetime | None:
    """When what was decided before *past* still held; None where nothing is on record."""
    return shifted(past.run.finished_at, -MICROSECOND) if past.run is not None else None
