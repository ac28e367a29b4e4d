"""One endpoint: its timeline, its last runs, why it runs when it does, and what can be done now."""

from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from cronicorn.control.document import PauseDocument
from cronicorn.control.plane import ControlPlane
from cronicorn.control.statuses import status_of
from cronicorn.domain.durations import parse_duration
from cronicorn.domain.errors import InvalidInputError, NotFoundError
from cronicorn.domain.hint import paused_until
from cronicorn.domain.history import RunQuery
from cronicorn.domain.instant import shifted
from cronicorn.domain.principal import Principal
from cronicorn.domain.run import Run
from cronicorn.web.addresses import instant_in
from cronicorn.web.live import Mark
from cronicorn.web.pages.analyses import ended
from cronicorn.web.reasons import reasons
from cronicorn.web.site import WebSite, see
from cronicorn.web.timeline.drawing import drawing
from cronicorn.web.timeline.drawn_span import RANGES, range_of, usual_range
from cronicorn.web.timeline.scene import scene_of
from cronicorn.web.timeline.table import timeline_rows
from cronicorn.web.view import Looked, ThingId

RUNS_SHOWN = 5
ANALYSES_SHOWN = 3
FromQuery = Annotated[str, Query(alias="from")]


def endpoint_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    """What can be seen of an endpoint, and done about it."""
    router = APIRouter()

    @router.get("/endpoints/{endpoint_id}")
    async def show(view: Looked, endpoint_id: ThingId, since: FromQuery = "", to: str = "", last: str = "") -> Response:
        values = await _shown(control, view.asker, endpoint_id, (since, to, last))
        return site.page(view, "endpoint.html", fault="", **values)

    @router.post("/endpoints/{endpoint_id}/run")
    async def run(view: Looked, endpoint_id: ThingId) -> Response:
        await control.requests.run_now(view.asker, endpoint_id)
        return see(f"/endpoints/{endpoint_id}")

    @router.post("/endpoints/{endpoint_id}/test")
    async def test(view: Looked, endpoint_id: ThingId) -> Response:
        made = await control.trials.call(view.asker, endpoint_id)
        return see(f"/runs/{made.id}")

    @router.post("/endpoints/{endpoint_id}/pause")
    async def pause(view: Looked, endpoint_id: ThingId) -> Response:
        asker, reason = view.asker, view.entered("reason") or None
        now = (await control.endpoints.get(asker, endpoint_id)).now
        try:
            until = _pause_end(view.entered("for"), now)
            document = PauseDocument.model_validate({"pausedUntil": until, "reason": reason})
            await control.hints.pause(asker, endpoint_id, document)
        except InvalidInputError as error:
            values = await _shown(control, asker, endpoint_id)
            return site.page(view, "endpoint.html", status=status_of(error), fault=str(error), **values)
        return see(f"/endpoints/{endpoint_id}")

    @router.post("/endpoints/{endpoint_id}/resume")
    async def resume(view: Looked, endpoint_id: ThingId) -> Response:
        await control.hints.pause(view.asker, endpoint_id, PauseDocument.model_validate({"pausedUntil": None}))
        return see(f"/endpoints/{endpoint_id}")

    @router.post("/endpoints/{endpoint_id}/clear-hints")
    async def clear_hints(view: Looked, endpoint_id: ThingId) -> Response:
        await control.hints.clear(view.asker, endpoint_id)
        return see(f"/endpoints/{endpoint_id}")

    return router


def endpoint_mark(control: ControlPlane) -> Mark:
    """What the page of an endpoint shows, in short."""

    async def mark(asker: Principal, endpoint_id: str) -> str:
        found = await control.endpoints.get(asker, endpoint_id)
        state = found.endpoint.state
        hints = [(hint.id, hint.written_at) for hint in state.hints]
        rules = [(name, rule.phase) for name, rule in state.memory.rules.rules.items()]
        return repr(
            (found.endpoint.version, state.slots_issued, state.attempt, state.due_at, found.running, hints, rules)
        )

    return mark


async def _shown(
    control: ControlPlane, asker: Principal, endpoint_id: str, asked: tuple[str, str, str] = ("", "", "")
) -> dict[str, Any]:
    """What the page shows of the endpoint in the range *asked* for (`range_of`)."""
    explanation = await control.schedules.explain(asker, endpoint_id)
    endpoint, now = explanation.endpoint, explanation.now
    newest = await control.runs.list(asker, endpoint_id, RunQuery(limit=RUNS_SHOWN))
    shown = range_of(*asked, now, usual_range(endpoint, newest.runs, now))
    told = await control.timelines.show(asker, endpoint_id, shown.since, shown.until)
    analyses = await control.analyses.list(asker, endpoint_id, limit=ANALYSES_SHOWN)
    runs, scene = await _with_bodies(control, asker, newest.runs), scene_of(told)
    return {
        "endpoint": endpoint,
        "job": await control.jobs.get(asker, endpoint.job_id),
        "owners": await control.file_owners.of_endpoint(asker, endpoint),
        **await reasons(control, asker, explanation, runs),
        "analyses": [(each.analysis, ended(each.analysis)) for each in analyses.views],
        "analyses_in_all": analyses.total,
        "follow_up_at": analyses.follow_up_at,
        "shown": shown,
        "ranges": RANGES,
        "scene": scene,
        "timeline": drawing(scene),
        "rows": timeline_rows(scene),
        "runs": runs,
        "runs_in_all": newest.total,
        "paused_until": paused_until(endpoint.state.hints, now),
    }


async def _with_bodies(control: ControlPlane, asker: Principal, runs: tuple[Run, ...]) -> list[Run]:
    """*runs* with what was answered; without those that went meanwhile."""
    found = []
    for run in runs:
        with suppress(NotFoundError):
            view = await control.runs.get(asker, run.id)
            found += [view.run] if isinstance(view.run, Run) else []
    return found


def _pause_end(text: str, now: datetime) -> datetime:
    """When a pause ends that lasts so long, or until then. Raises InvalidInputError."""
    try:
        return shifted(now, parse_duration(text))
    except ValueError:
        until = instant_in(text)
    if until is None:
        raise InvalidInputError("Say how long as 30m, 2h or 7d, or until when as 2026-01-31T09:30Z.")
    return until
