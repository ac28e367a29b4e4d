"""The activity of a tenant: its runs and analyses in one list, newest first."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cronicorn.control.dashboards import Fared, check_order
from cronicorn.control.permissions import operation
from cronicorn.domain.instant import HOUR, MICROSECOND, MINUTE, shifted
from cronicorn.domain.permission import Operation
from cronicorn.domain.ports import Clock
from cronicorn.domain.principal import Principal
from cronicorn.domain.rollup.ports import Rollups, Timeline
from cronicorn.domain.rollup.steps import whole_hours
from cronicorn.domain.rollup.tallies import HourPart, HourSpan, PastAnalysis, PastRun, StepTally

ACTIVITY_MAX = 100
_WIDER = 4
"""How much longer the next look is where the one before found too little."""


class EventType(StrEnum):
    """What is listed."""

    ALL = "all"
    RUNS = "runs"
    SESSIONS = "sessions"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPlace:
    """Where an event stands among all: runs before analyses that began at the same instant."""

    at: datetime
    id: str
    is_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityQuery:
    """Which events are wanted, newest first."""

    since: datetime | None = None
    until: datetime | None = None
    job_id: str | None = None
    kind: EventType = EventType.ALL
    limit: int = 50
    offset: int = 0
    after: EventPlace | None = None
    """The place of the last event of the page before; None begins at the beginning, or at the offset."""


PastEvent = PastRun | PastAnalysis


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityPage:
    """Some events, and how many there are in all, those of deleted endpoints too."""

    events: tuple[PastEvent, ...]
    runs: int
    analyses: int
    success_rate: float
    """Percent of the runs that ended by themselves, in tenths; 0 of nothing."""
    more: bool
    """Whether there are events after these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hour:
    """An hour of events, and how many there are said to be."""

    begins_at: datetime
    job_id: str | None
    runs: int
    analyses: int

    def until(self, end: datetime, length: timedelta, after: str | None = None) -> HourPart:
        """The part of *length* that ends at *end*, no more than the hour has."""
        return HourPart(since=max(self.begins_at, end - length), until=end, job_id=self.job_id, after=after)

    def ends(self, after: EventPlace | None) -> tuple[HourPart, HourPart]:
        """The hour as far as it comes after a place: for runs, and for analyses."""
        end = self.begins_at + HOUR
        if after is None or after.at >= end:
            return self.until(end, HOUR), self.until(end, HOUR)
        there = after.at + MICROSECOND
        if after.is_run:
            return self.until(there, HOUR, after.id), self.until(there, HOUR)
        return self.until(after.at, HOUR), self.until(there, HOUR, after.id)


class Activity:
    """Finds events hour by hour, by how many each is known to have: hours before a page are not looked into."""

    def __init__(self, rollups: Rollups, timeline: Timeline, clock: Clock, kept: timedelta) -> None:
        self._rollups = rollups
        self._timeline = timeline
        self._clock = clock
        self._kept = kept
        """So long runs are kept, and shown."""

    @operation(Operation.ACTIVITY_LIST)
    async def list(self, principal: Principal, query: ActivityQuery) -> ActivityPage:
        """A page of events. Raises InvalidInputError for a span that ends before it begins."""
        tenant_id, span = principal.tenant_id, self._span(query)
        by_step: Sequence[StepTally] = ()
        runs, analyses = Counter[datetime](), Counter[datetime]()
        if query.kind is not EventType.SESSIONS:
            by_step = await self._rollups.by_step(tenant_id, span)
            for step in by_step:
                runs[step.begins_at] += step.tally.runs
        if query.kind is not EventType.RUNS:
            for each in await self._rollups.analyses(tenant_id, span):
                analyses[each.begins_at] += each.analyses
        hours = [
            _Hour(begins_at=hour, job_id=query.job_id, runs=runs[hour], analyses=analyses[hour])
            for hour in sorted({*runs, *analyses}, reverse=True)
        ]
        total = runs.total() + analyses.total()
        if query.after is None:
            events, more = await self._page(tenant_id, query, hours), total > query.offset + query.limit
        else:
            found = await self._rest(tenant_id, query.after, hours, query.limit + 1)
            events, more = found[: query.limit], len(found) > query.limit
        return ActivityPage(
            events=events,
            runs=runs.total(),
            analyses=analyses.total(),
            success_rate=Fared.of(step.tally for step in by_step).rate,
            more=more and bool(events),
        )

    def _span(self, query: ActivityQuery) -> HourSpan:
        now = self._clock.now()
        until = query.until if query.until is not None else shifted(now, MICROSECOND)
        oldest = shifted(now, -self._kept)
        since = query.since if query.since is not None else min(oldest, until)
        check_order(since, until)
        return whole_hours(max(since, oldest), max(until, oldest), now, query.job_id, step=HOUR)

    async def _page(self, tenant_id: str, query: ActivityQuery, hours: Sequence[_Hour]) -> tuple[PastEvent, ...]:
        page: Sequence[PastEvent] = ()
        skip, left = query.offset, query.limit
        for hour in hours:
            there = hour.runs + hour.analyses
            if skip < there and left:
                wanted = min(left, there - skip)
                found = await self._newest(tenant_id, hour, skip + wanted)
                page = (*page, *found[skip : skip + wanted])
                left -= wanted  # What was pruned meanwhile leaves its place empty, so that no event is on two pages.
            skip = max(0, skip - there)
        return tuple(page)

    async def _rest(
        self, tenant_id: str, after: EventPlace, hours: Sequence[_Hour], limit: int
    ) -> tuple[PastEvent, ...]:
        """The newest *limit* events after a place."""
        rest: tuple[PastEvent, ...] = ()
        for hour in hours:
            if hour.begins_at <= after.at and len(rest) < limit:
                rest = (*rest, *await self._newest(tenant_id, hour, limit - len(rest), after))
        return rest

    async def _newest(
        self, tenant_id: str, hour: _Hour, limit: int, after: EventPlace | None = None
    ) -> Sequence[PastEvent]:
        """The newest *limit* events that began in *hour*, *after* a place if one is given."""
        for_runs, for_analyses = hour.ends(after)
        runs: Sequence[PastEvent] = await self._newest_runs(tenant_id, hour, for_runs, limit) if hour.runs else ()
        analyses: Sequence[PastEvent] = ()
        if hour.analyses:
            analyses = await self._timeline.analyses(tenant_id, for_analyses, limit)
        return sorted((*runs, *analyses), key=_place, reverse=True)[:limit]

    async def _newest_runs(self, tenant_id: str, hour: _Hour, whole: HourPart, limit: int) -> Sequence[PastRun]:
        """Looks into the last part of *whole* that should have enough, and into more where it has not."""
        end = min(whole.until, max(shifted(self._clock.now(), MINUTE), hour.begins_at + MINUTE))
        length = (end - hour.begins_at) * min(1.0, 2 * limit / hour.runs)
        while True:
            part = hour.until(end, length, whole.after if end == whole.until else None)
            found = await self._timeline.runs(tenant_id, part, limit)
            if len(found) >= limit or part.since == hour.begins_at:
                return found
            length *= _WIDER


def place_of(event: PastEvent) -> EventPlace:
    """Where *event* stands."""
    if isinstance(event, PastRun):
        return EventPlace(at=began_at(event), id=event.run.id, is_run=True)
    return EventPlace(at=began_at(event), id=event.analysis.id, is_run=False)


def began_at(event: PastEvent) -> datetime:
    """When *event* began."""
    return event.run.started_at if isinstance(event, PastRun) else event.analysis.at


def _place(event: PastEvent) -> tuple[datetime, bool]:
    """What events are sorted by that were found in their order already: the newest first, runs before analyses."""
    return began_at(event), isinstance(event, PastRun)
