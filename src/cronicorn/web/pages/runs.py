"""One run, with all that was kept of its answer."""

from contextlib import suppress

from fastapi import APIRouter
from starlette.responses import Response

from cronicorn.control.plane import ControlPlane
from cronicorn.domain.errors import NotFoundError
from cronicorn.domain.explain import explained
from cronicorn.domain.explain_steering import explained_steering
from cronicorn.domain.history import RunQuery
from cronicorn.domain.principal import Principal
from cronicorn.domain.run import Run
from cronicorn.domain.steering_record import SteeringRecord
from cronicorn.domain.trace import Trace
from cronicorn.web.site import WebSite
from cronicorn.web.view import Looked, ThingId

LOOKED_BACK = 5
"""So many runs before one are asked for a body to compare with."""


def run_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    """What can be seen of runs."""
    router = APIRouter()

    @router.get("/runs/{run_id}")
    async def show(view: Looked, run_id: ThingId) -> Response:
        found = await control.runs.get(view.asker, run_id)
        run, endpoint = found.run, found.endpoint
        if not isinstance(run, Run):
            return site.page(view, "run_waiting.html", run=run, endpoint=endpoint)
        before = await _before(control, view.asker, run)
        steering = None
        if run.steering is not None:
            steering = explained_steering(SteeringRecord.decode(run.steering), endpoint.policy)
        steps = explained(Trace.decode(run.trace)) if run.trace else ()
        return site.page(view, "run.html", run=run, endpoint=endpoint, steering=steering, steps=steps, before=before)

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
