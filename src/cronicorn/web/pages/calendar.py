"""The calendar: what comes in a day or a week, endpoint by endpoint, and when hosts get the most of it."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.responses import Response

from cronicorn.control.forecasts import HOURS_OF_HOSTS, Foreseen
from cronicorn.control.plane import ControlPlane
from cronicorn.domain.durations import show_duration
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.finding.forecast import Forecast
from cronicorn.domain.instant import DAY, HOUR, shifted
from cronicorn.web.addresses import page_in
from cronicorn.web.site import WebSite
from cronicorn.web.timeline.columns import Column, columns
from cronicorn.web.timeline.lane import WIDTH, axis, lane
from cronicorn.web.timeline.svg import TimeScale
from cronicorn.web.view import Looked

LANES_SHOWN = 30
HOSTS_SHOWN = 12
"""On one page."""
_DAY_PARTS, _WEEK_PARTS = 24, 28
_TOLD_MAX = 3
"""So many instants are told one by one."""
_PARTS_OF_HOSTS = 48
LengthQuery = Annotated[str, Query(alias="view")]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarSpan:
    """What a calendar shows."""

    since: datetime
    days: int
    """1 or 7."""
    day: str
    """As the address has it; empty for what comes from now on."""

    @property
    def until(self) -> datetime:
        return shifted(self.since, self.days * DAY)

    def query(self, *, by: int = 0, days: int | None = None, page: int = 1) -> str:
        """The address of another one, so many times its length away, or of another length."""
        day = f"{shifted(self.since, by * self.days * DAY):%Y-%m-%d}" if by else self.day
        named = {"day": day, "view": "week" if (days or self.days) != 1 else "", "page": str(page) if page > 1 else ""}
        return "/calendar?" + urlencode({name: value for name, value in named.items() if value})


def calendar_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    """What can be seen of what comes."""
    router = APIRouter()

    @router.get("/calendar")
    async def show(view: Looked, day: str = "", page: str = "", length: LengthQuery = "") -> Response:
        span = _span(day, length, site.now())
        parts = _DAY_PARTS if span.days == 1 else _WEEK_PARTS
        found = await control.forecasts.show(view.asker, span.since, span.until, parts)
        first = _first(page, len(found.endpoints))
        scale = TimeScale(since=span.since, until=span.until, left=0.0, right=float(WIDTH))
        shown = found.endpoints[first : first + LANES_SHOWN]
        return site.page(
            view, "calendar.html", span=span, found=found, first=first, number=first // LANES_SHOWN + 1,
            axis=axis(scale, 9), chart=columns("Runs", _columns(found, parts)), total=sum(found.counts),
            lanes=[(each, lane(each.forecast, scale), _when(each.forecast, span)) for each in shown],
        )  # fmt: skip

    @router.get("/calendar/hosts")
    async def hosts(view: Looked) -> Response:
        found = await control.forecasts.hosts(view.asker)
        shown = [
            (load, columns("Calls a minute", [Column(label="", value=peak) for peak in load.peaks(_PARTS_OF_HOSTS)],
                           alone=True))
            for load in found.hosts[:HOSTS_SHOWN]
        ]  # fmt: skip
        return site.page(view, "calendar_hosts.html", found=found, shown=shown, hours=HOURS_OF_HOSTS)

    return router


def _span(day: str, length: str, now: datetime) -> CalendarSpan:
    """The day that the address names, or the next hours; of a week all days. Raises InvalidInputError."""
    days = 7 if length == "week" else 1
    if not day.strip():
        return CalendarSpan(since=now.replace(minute=0, second=0, microsecond=0), days=days, day="")
    with suppress(ValueError):
        begins = datetime.strptime(day.strip(), "%Y-%m-%d").replace(tzinfo=UTC)
        return CalendarSpan(since=begins, days=days, day=f"{begins:%Y-%m-%d}")
    raise InvalidInputError(f"The address says day={day[:40]}: write a day such as 2026-01-31.")


def _first(page: str, there: int) -> int:
    """Where the lanes of a page begin."""
    return (min(page_in(page), max(1, -(-there // LANES_SHOWN))) - 1) * LANES_SHOWN


def _columns(found: Foreseen, parts: int) -> Sequence[Column]:
    part = (found.until - found.since) / parts
    shape = "%H:%M" if part <= HOUR else "%a %d %H:%M"
    return [
        Column(label=format(found.since + place * part, shape), value=count) for place, count in enumerate(found.counts)
    ]


def _when(forecast: Forecast, span: CalendarSpan) -> str:
    """When an endpoint calls, in a few words."""
    longest = max(forecast.stretches, key=lambda each: each.number)
    instants = list(islice(forecast.instants(), _TOLD_MAX))
    shape = "%H:%M:%S" if any(at.second for at in instants) else "%H:%M"
    if longest.number > _TOLD_MAX and longest.step == DAY:
        return f"daily at {format(longest.first_at, shape)}"
    if longest.number > _TOLD_MAX:
        return f"every {show_duration(longest.step)}"
    told = ", ".join(format(at, shape if span.days == 1 else f"%a {shape}") for at in instants)
    return f"{told} …" if forecast.count > _TOLD_MAX else told
