"""One run, with all that was kept of its answer."""

from contextlib import suppress

from fastapi import APIRouter
from starlette.responses import Response

from cronicorn.control.plane import ControlPlane
from cronicorn.domain.errors import NotFoundError
from cronicorn.domain.history import RunQuery
from cronicorn.domain.principal import Principal
from cronicorn.domain.run import Run
from cronicorn.web.site import WebSite
from cronicorn.web.view import Looked, ThingId

LOOKED_BACK = 5
"""So many runs before one are asked for a body to compare with."""


def run_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    """What can be seen of runs."""
    router = APIRouter()

    @router.get("/runs/{run_id}")
    async def show(view: Looked, run_id: ThingId) -> Response:
        told = await control.decisions.explain_run(view.asker, run_id)
        if not isinstance(told.run, Run):
            return site.page(view, "run_waiting.html", run=told.run, endpoint=told.endpoint, steps=told.steps)
        before = await _before(control, view.asker, told.run)
        return site.page(view, "run.html", run=told.run, endpoint=told.endpoint, told=told, before=before)

    return router


async def _before(control: ControlPlane, asker: Principal, run: Run) -> Run | None:
    """The run before *run*, of the newest few the first that has kept its body; None where there is none."""
    query = RunQuery(until=run.started_at, limit=LOOKED_BACK + 1)
    page = await control.runs.list(asker, run.endpoint_id, query)
    for each in [found for found in page.runs if found.id != run.id][:LOOKED_BACK]:
        with suppress(NotFoundError):  # It went meanwhile.
            found = (await control.runs.get(asker, each.id)).run
            if isinstance(found, Run) and found.outcome.body is not None:
                return found
    return None
