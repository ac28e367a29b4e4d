"""One run, with all that was kept of its answer."""

from fastapi import APIRouter
from starlette.responses import Response

from cronicorn.control.plane import ControlPlane
from cronicorn.domain.explain import explained
from cronicorn.domain.explain_steering import explained_steering
from cronicorn.domain.run import Run
from cronicorn.domain.steering_record import SteeringRecord
from cronicorn.domain.trace import Trace
from cronicorn.web.site import WebSite
from cronicorn.web.view import Looked, ThingId


def run_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    """What can be seen of runs."""
    router = APIRouter()

    @router.get("/runs/{run_id}")
    async def show(view: Looked, run_id: ThingId) -> Response:
        found = await control.runs.get(view.asker, run_id)
        run, endpoint = found.run, found.endpoint
        if not isinstance(run, Run):
            return site.page(view, "run_waiting.html", run=run, endpoint=endpoint)
        steering = None
        if run.steering is not None:
            steering = explained_steering(SteeringRecord.decode(run.steering), endpoint.policy)
        steps = explained(Trace.decode(run.trace)) if run.trace else ()
        return site.page(view, "run.html", run=run, endpoint=endpoint, steering=steering, steps=steps)

    return router
