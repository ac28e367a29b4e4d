"""Routes of runs: what happened, and runs that a person asks for."""

# ruff: noqa: FAST003 - the parameters of paths have their names in `parameters`

from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from cronicorn.api.cursors import Cursor, Paging, Place
from cronicorn.api.parameters import Asker, Id, Offset
from cronicorn.api.preconditions import IfMatch
from cronicorn.api.strict_json import StrictRoute
from cronicorn.api.wire_rates import limit_fields
from cronicorn.api.wire_run import (
    HealthAnswer,
    RunAnswer,
    RunRequestAnswer,
    RunsAnswer,
    SkipsAnswer,
    TrialAnswer,
    health_answer,
    run_answer,
    runs_answer,
    skips_answer,
    trial_answer,
)
from cronicorn.control.run_requests import RunRequests
from cronicorn.control.runs import SKIPS_MAX, Runs
from cronicorn.control.trial_calls import TrialCalls
from cronicorn.domain.fields import us
from cronicorn.domain.history import RunPlace, RunQuery, place_of_run
from cronicorn.domain.instant import instant_of
from cronicorn.domain.run import Run, RunStatus

RUNS_MAX = 1_000


def run_routes(runs: Runs) -> APIRouter:
    """What can be asked about runs."""
    router = APIRouter(tags=["runs"], route_class=StrictRoute)

    @router.get("/endpoints/{id}/runs")
    async def list_runs(
        asker: Asker,
        endpoint_id: Id,
        *,
        status: RunStatus | None = None,
        limit: Annotated[int, Query(ge=1, le=RUNS_MAX)] = 100,
        offset: Offset = 0,
        cursor: Cursor = None,
    ) -> RunsAnswer:
        """Finished runs, newest first."""
        paging = Paging(asker, "runs", endpoint_id, status)
        after = _place_in(paging.place(cursor, int, int, int, offset=offset)) if cursor is not None else None
        query = RunQuery(status=status, limit=limit + 1, offset=offset, after=after)
        page = await runs.list(asker, endpoint_id, query)
        return runs_answer(*paging.cut(page.runs, limit, _place_of), total=page.total)

    @router.get("/runs/{id}")
    async def get_run(asker: Asker, run_id: Id) -> RunAnswer:
        """A run, also one that waits or goes on."""
        return run_answer(await runs.get(asker, run_id))

    @router.get("/endpoints/{id}/health")
    async def get_health(
        asker: Asker, endpoint_id: Id, since_hours: Annotated[int, Query(alias="sinceHours", ge=1)] = 24
    ) -> HealthAnswer:
        return health_answer(await runs.health(asker, endpoint_id, since_hours))

    @router.get("/endpoints/{id}/skips")
    async def list_skips(
        asker: Asker, endpoint_id: Id, limit: Annotated[int, Query(ge=1, le=SKIPS_MAX)] = 100
    ) -> SkipsAnswer:
        """Instants that did not run, as ranges, each with its reason."""
        return skips_answer(await runs.skips(asker, endpoint_id, limit))

    return router


def run_request_routes(requests: RunRequests, trials: TrialCalls) -> APIRouter:
    """Runs that a person asks for."""
    router = APIRouter(tags=["runs"], route_class=StrictRoute)

    @router.post("/endpoints/{id}/run", status_code=HTTPStatus.ACCEPTED)
    async def run_now(asker: Asker, endpoint_id: Id, unchanged: IfMatch, response: Response) -> RunRequestAnswer:
        """A slot of its own; the schedule stays as it is. 429 when the tenant has no run left this month."""
        requested = await requests.request(asker, endpoint_id, unchanged)
        response.headers.update(limit_fields(requested.limit))
        return RunRequestAnswer(run_id=requested.run_id, status="pending")

    @router.post("/runs/{id}/cancel", status_code=HTTPStatus.ACCEPTED)
    async def cancel_run(asker: Asker, run_id: Id) -> RunRequestAnswer:
        """`canceled` when it had not begun; `running` until its worker hears of it."""
        return RunRequestAnswer(run_id=run_id, status=await requests.cancel(asker, run_id))

    @router.post("/endpoints/{id}/test")
    async def test_endpoint(request: Request, response: Response, asker: Asker, endpoint_id: Id) -> TrialAnswer:
        """A call at once, without any effect on the schedule. Answers when it has ended, after 60 s at the latest."""
        trial = await trials.try_out(asker, endpoint_id, partial(_disconnection, request))
        response.headers.update(limit_fields(trial.limit))
        return trial_answer(trial.run)

    return router


def _place_of(run: Run) -> Place:
    place = place_of_run(run)
    return (us(place.started_at), place.slot, place.attempt)


def _place_in(place: Place) -> RunPlace:
    started_us, slot, attempt = map(int, place)
    return RunPlace(instant_of(started_us), slot, attempt)


async def _disconnection(request: Request) -> None:
    """Wait until the client goes away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
