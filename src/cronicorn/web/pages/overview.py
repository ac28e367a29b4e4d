"""The overview: what runs, what is due, what steers it, what fails, and what is left of the budget."""

from datetime import timedelta

from fastapi import APIRouter
from starlette.responses import Response

from cronicorn.control.activity import ActivityQuery, EventType
from cronicorn.control.dashboards import Dashboard, DashboardQuery
from cronicorn.control.overviews import LATE_AFTER, Overview
from cronicorn.control.plane import ControlPlane
from cronicorn.control.quota import QuotaStanding
from cronicorn.control.workers import WorkerList
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.fleet import HeldSlot
from cronicorn.domain.instant import shifted
from cronicorn.domain.principal import Principal
from cronicorn.web.live import Mark
from cronicorn.web.site import WebSite
from cronicorn.web.timeline.bars import Bar, bars
from cronicorn.web.timeline.hour import LINE_LENGTH, Coming, hour_line
from cronicorn.web.view import Looked
from cronicorn.web.words import NAME_SHOWN, excerpt

_DAY = timedelta(hours=23)
"""And the present hour."""
_LISTED = 8


def overview_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    """The page that everything begins at."""
    router = APIRouter()

    @router.get("/")
    async def show(view: Looked) -> Response:
        asker = view.asker
        found = await control.overviews.show(asker)
        if not found.jobs:
            return site.page(view, "welcome.html")
        workers, since = await control.workers.list(asker), shifted(found.now, -_DAY)
        day = await control.dashboards.show(asker, DashboardQuery(since=since, series=1))
        runs = ActivityQuery(since=shifted(found.now, -LINE_LENGTH), kind=EventType.RUNS, limit=_LISTED)
        return site.page(
            view, "overview.html", found=found, day=day, lately=(await control.activity.list(asker, runs)).events,
            incidents=await control.incidents.list(asker, open_only=True, limit=_LISTED + 1), listed=_LISTED,
            tokens=await _tokens(control, asker), line=hour_line(found.now, _coming(control, found)),
            late_after=LATE_AFTER, soon=_soon(found), chart=_chart(day), running=_running(workers),
            alive=sum(worker.alive for worker in workers.workers),
        )  # fmt: skip

    return router


def overview_mark(control: ControlPlane) -> Mark:
    """What the overview shows, in short."""

    async def mark(asker: Principal, _: str) -> str:
        found = await control.overviews.show(asker)
        incidents = await control.incidents.list(asker, open_only=True, limit=_LISTED + 1)
        workers = await control.workers.list(asker)
        running = [(each.endpoint_id, each.slot, each.attempt) for each in _running(workers)]
        alive = [worker.alive for worker in workers.workers]
        due = [(each.endpoint.id, each.endpoint.state.due_at) for each in found.due]
        hints = [(each.placed.endpoint.id, each.hint.id, each.hint.written_at) for each in found.steered]
        return repr((found.jobs, running, alive, due, hints, [(each.id, each.version) for each in incidents]))

    return mark


def _running(workers: WorkerList) -> list[HeldSlot]:
    """The calls in progress, the oldest first."""
    held = [slot for worker in workers.workers for slot in worker.leases if slot.expires_at > workers.now]
    return sorted(held, key=lambda slot: slot.claimed_at)


async def _tokens(control: ControlPlane, asker: Principal) -> QuotaStanding | None:
    """Where the budget stands; None while nobody can say."""
    try:
        return await control.quotas.show(asker)
    except UnavailableError:
        return None


def _coming(control: ControlPlane, found: Overview) -> list[Coming]:
    until = shifted(found.now, LINE_LENGTH)
    return [
        Coming(
            at=at,
            name=excerpt(f"{each.job.name} / {each.endpoint.name}", NAME_SHOWN),
            steered=bool(each.endpoint.state.hints),
        )
        for at, each in control.overviews.coming(found, until)
    ]


def _soon(found: Overview) -> int:
    """How many endpoints are due while the line lasts."""
    until = shifted(found.now, LINE_LENGTH)
    return sum(at <= until for each in found.due if (at := each.endpoint.state.due_at) is not None)


def _chart(day: Dashboard) -> str:
    steps = day.span.steps()
    return bars(
        "Runs of the last day, hour by hour",
        [Bar(at=at, good=step.success, bad=step.failure) for at, step in zip(steps, day.steps, strict=True)],
    )
