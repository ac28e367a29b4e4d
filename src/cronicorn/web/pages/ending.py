"""Endpoints that are no longer wanted: archived, brought back, or deleted after another question."""

from fastapi import APIRouter
from starlette.responses import Response

from cronicorn.control.plane import ControlPlane
from cronicorn.domain.history import RunQuery
from cronicorn.domain.permission import Operation
from cronicorn.domain.unchanged import version_of_endpoint
from cronicorn.web.site import WebSite, see
from cronicorn.web.view import Looked, ThingId


def ending_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    """How endpoints are taken off the schedule, and put back."""
    router = APIRouter()

    @router.post("/endpoints/{endpoint_id}/archive")
    async def archive(view: Looked, endpoint_id: ThingId) -> Response:
        await control.endpoints.archive(view.asker, endpoint_id)
        return see(f"/endpoints/{endpoint_id}")

    @router.post("/endpoints/{endpoint_id}/unarchive")
    async def unarchive(view: Looked, endpoint_id: ThingId) -> Response:
        await control.endpoints.archive(view.asker, endpoint_id, archived=False)
        return see(f"/endpoints/{endpoint_id}")

    @router.get("/endpoints/{endpoint_id}/delete")
    async def ask(view: Looked, endpoint_id: ThingId) -> Response:
        view.asker.check(Operation.ENDPOINT_DELETE)
        endpoint = (await control.endpoints.get(view.asker, endpoint_id)).endpoint
        return site.page(
            view, "endpoint_delete.html", endpoint=endpoint, job=await control.jobs.get(view.asker, endpoint.job_id),
            runs=(await control.runs.list(view.asker, endpoint_id, RunQuery(limit=1))).total,
            version=version_of_endpoint(endpoint), owners=await control.file_owners.of_endpoint(view.asker, endpoint),
        )  # fmt: skip

    @router.post("/endpoints/{endpoint_id}/delete")
    async def delete(view: Looked, endpoint_id: ThingId) -> Response:
        """An endpoint that was edited since the question was put stays."""
        endpoint = (await control.endpoints.get(view.asker, endpoint_id)).endpoint
        await control.endpoints.delete(view.asker, endpoint_id, unchanged=view.unchanged)
        return see(f"/jobs/{endpoint.job_id}")

    return router
