"""The overview: what runs, what is due, what steers it, what fails, and what is left of the budget."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from fastapi import APIRouter
from starlette.responses import Response

from cronicorn.control.activity import ActivityQuery, EventType
from cronicorn.control.dashboards import Dashboard, DashboardQuery
from cronicorn.control.overviews import LOOKED_AHEAD, SHOWN_MAX, ComingRuns
from cronicorn.control.plane import ControlPlane
from cronicorn.control.quota import QuotaStanding
from cronicorn.control.whereabouts import LATE_AFTER, PlacedEndpoint
from cronicorn.control.workers import WorkerList
from cronicorn.domain.alert.incident import Incident
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.fleet import HeldSlot
from cronicorn.domain.instant import shifted
from cronicorn.domain.principal import Principal
from cronicorn.web.live import Mark
from cronicorn.web.site import WebSite
from cronicorn.web.timeline.bars import Bar, bars
from cronicorn.web.timeline.hour import Coming, hour_line
from cronicorn.web.view import Looked
from cronicorn.web.words import NAME_SHOWN, excerpt

_DAY = timedelta(hours=23)
"""And the present hour."""
_LISTED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class TokensLeft:
    """The budget of tokens, as the overview tells of it."""

    standing: QuotaStanding | None
    """None while nobody can say."""
    wanted: bool = True
    """Whether a model is named here, or tokens were spent in this window all the same."""


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
        runs = ActivityQuery(since=shifted(found.now, -LOOKED_AHEAD), kind=EventType.RUNS, limit=_LISTED)
        incidents = await control.incidents.list(asker, open_only=True, limit=_LISTED + 1)
        coming, subjects = control.overviews.coming(found), await _subjects(control, asker, incidents[:_LISTED])
        return site.page(
            view, "overview.html", found=found, day=day, lately=(await control.activity.list(asker, runs)).events,
            incidents=incidents, subjects=subjects, listed=_LISTED, late_after=LATE_AFTER,
            failing=[each for each in found.failing if each.endpoint.id not in subjects],
            tokens=await _tokens(control, asker), line=hour_line(found.now, _marks(coming)),
            cut=coming.cut[:_LISTED], cut_more=max(0, len(coming.cut) - _LISTED),
            undrawn=max(0, found.soon - SHOWN_MAX), chart=_chart(day), running=_running(workers),
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
        failing = [(each.endpoint.id, each.endpoint.state.failure_count) for each in found.failing]
        open_now = [(each.id, each.version) for each in incidents]
        return repr((found.jobs, running, alive, due, hints, failing, open_now))

    return mark


def _running(workers: WorkerList) -> list[HeldSlot]:
    """The calls in progress, the oldest first."""
    held = [slot for worker in workers.workers for slot in worker.leases if slot.expires_at > workers.now]
    return sorted(held, key=lambda slot: slot.claimed_at)


async def _subjects(
    control: ControlPlane, asker: Principal, incidents: Sequence[Incident]
) -> Mapping[str, PlacedEndpoint]:
    """The endpoints that *incidents* are about, as they stand now."""
    return await control.whereabouts.place(asker, [each.subject for each in incidents if each.kind.of_endpoints])


async def _tokens(control: ControlPlane, asker: Principal) -> TokensLeft:
    """Where the budget stands."""
    try:
        standing = await control.quotas.show(asker)
    except UnavailableError:
        return TokensLeft(standing=None)
    spent = standing.view.used or standing.view.reserved
    return TokensLeft(standing=standing, wanted=control.analyses.model_named or bool(spent))


def _marks(coming: ComingRuns) -> list[Coming]:
    return [
        Coming(
            at=at,
            name=excerpt(f"{each.job.name} / {each.endpoint.name}", NAME_SHOWN),
            steered=bool(each.endpoint.state.hints),
        )
        for at, each in coming.runs
    ]


def _chart(day: Dashboard) -> str:
    steps = day.span.steps()
    return bars(
        "Runs of the last day, hour by hour",
        [Bar(at=at, good=step.success, bad=step.failure) for at, step in zip(steps, day.steps, strict=True)],
    )
