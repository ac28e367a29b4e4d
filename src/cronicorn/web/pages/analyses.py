"""Analyses by the model: what it was asked and answered, what it took, and what came of it."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from cronicorn.control.analyses import UNENDED, warning_told
from cronicorn.control.plane import ControlPlane
from cronicorn.control.statuses import status_of
from cronicorn.domain.analysis.analysis import Analysis
from cronicorn.domain.errors import ConflictError
from cronicorn.domain.principal import Principal
from cronicorn.web.site import WebSite
from cronicorn.web.view import Looked, ThingId

ANALYSES_SHOWN = 20


def analyses_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    """What can be seen of analyses, and asking for one."""
    router = APIRouter()

    @router.get("/endpoints/{endpoint_id}/analyses")
    async def listed(view: Looked, endpoint_id: ThingId, after: str = "") -> Response:
        values = await _listed(control, view.asker, endpoint_id, after or None)
        return site.page(view, "analyses.html", doubts=None, fault="", **values)

    @router.post("/endpoints/{endpoint_id}/analyses")
    async def ask(view: Looked, endpoint_id: ThingId) -> Response:
        doubts: tuple[str, ...] | None = None
        status, fault = HTTPStatus.OK, ""
        try:
            doubts = await control.analyses.request(view.asker, endpoint_id)
        except ConflictError as error:
            status, fault = status_of(error), str(error)
        values = await _listed(control, view.asker, endpoint_id, None)
        return site.page(view, "analyses.html", status=status, doubts=doubts, fault=fault, **values)

    @router.get("/analyses/{analysis_id}")
    async def show(view: Looked, analysis_id: ThingId) -> Response:
        found = (await control.analyses.get(view.asker, analysis_id)).analysis
        endpoint = (await control.endpoints.get(view.asker, found.endpoint_id)).endpoint
        warnings = [warning_told(code) for code in found.warnings]
        return site.page(
            view, "analysis.html", analysis=found, endpoint=endpoint, ended=ended(found), warnings=warnings
        )  # fmt: skip

    return router


async def _listed(control: ControlPlane, asker: Principal, endpoint_id: str, after: str | None) -> dict[str, Any]:
    endpoint = (await control.endpoints.get(asker, endpoint_id)).endpoint
    found = await control.analyses.list(asker, endpoint_id, limit=ANALYSES_SHOWN + 1, after=after)
    shown = [view.analysis for view in found.views[:ANALYSES_SHOWN]]
    return {
        "endpoint": endpoint,
        "job": await control.jobs.get(asker, endpoint.job_id),
        "analyses": [(each, ended(each)) for each in shown],
        "total": found.total,
        "further": shown[-1].id if len(found.views) > ANALYSES_SHOWN else "",
        "follow_up_at": found.follow_up_at,
        "model_named": control.analyses.model_named,
    }


def ended(analysis: Analysis) -> tuple[str, str]:
    """How *analysis* ended, as a mark and in words."""
    if analysis.error is not None:
        return "failed", f"failed: {analysis.error}"
    if analysis.denied is not None:
        return "skipped", f"not made, {analysis.quota}"
    if UNENDED in analysis.warnings:
        return "degraded", "not ended, nothing changed"
    return ("success", ", ".join(analysis.applied)) if analysis.applied else ("canceled", "nothing to change")
