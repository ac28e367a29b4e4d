"""Usage: tokens and runs against what may be spent, over days and by job."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from fastapi import APIRouter
from starlette.responses import Response

from cronicorn.control.dashboards import Dashboard, DashboardQuery
from cronicorn.control.plane import ControlPlane
from cronicorn.control.quota import QuotaStanding, never_made
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.execution.limits import month_of
from cronicorn.domain.instant import shifted
from cronicorn.domain.principal import Principal
from cronicorn.web.site import WebSite
from cronicorn.web.timeline.columns import Column, columns
from cronicorn.web.view import Looked

DAYS_SHOWN = timedelta(days=23)
"""And today: a chart of as many days has a column for each."""
JOBS_SHOWN = 20
_ACROSS = 480
"""Two charts stand side by side."""
SERIES_SHOWN = 100
"""Of so many endpoints tokens are told, those that were looked at most."""


def usage_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    """What can be seen of what is used up."""
    router = APIRouter()

    @router.get("/usage")
    async def show(view: Looked) -> Response:
        asker, month = view.asker, month_of(site.now())
        days = DashboardQuery(since=shifted(site.now(), -DAYS_SHOWN), series=SERIES_SHOWN)
        lately = await control.dashboards.show(asker, days)
        of_month = await control.dashboards.show(asker, DashboardQuery(since=month.start_at, series=1))
        standing = await _standing(control, asker)
        runs, tokens = _by_day(lately, [step.runs for step in lately.steps]), _by_day(lately, _tokens(lately))
        return site.page(
            view, "usage.html", standing=standing, month=month, of_month=of_month, lately=lately,
            never=list(never_made(standing).values()) if standing is not None else [],
            jobs=sorted(of_month.jobs, key=lambda job: -job.fared.runs)[:JOBS_SHOWN],
            runs_chart=_chart("Runs a day", runs), tokens_chart=_chart("Tokens a day", tokens),
            runs_by_day=runs, tokens_by_day=tokens, tokens=sum(number for _, number in tokens),
            spenders=sorted(lately.analyses, key=lambda each: -sum(each.tokens))[:JOBS_SHOWN],
            series=SERIES_SHOWN,
        )  # fmt: skip

    return router


async def _standing(control: ControlPlane, asker: Principal) -> QuotaStanding | None:
    """Where the budget stands; None while nobody can say."""
    try:
        return await control.quotas.show(asker)
    except UnavailableError:
        return None


def _tokens(lately: Dashboard) -> Sequence[int]:
    return [sum(each.tokens[place] for each in lately.analyses) for place in range(len(lately.steps))]


def _by_day(lately: Dashboard, values: Sequence[int]) -> Sequence[tuple[datetime, int]]:
    return list(zip(lately.span.steps(), values, strict=True))


def _chart(name: str, days: Sequence[tuple[datetime, int]]) -> str:
    return columns(name, [Column(label=f"{at:%d %b}", value=value) for at, value in days], across=_ACROSS)
