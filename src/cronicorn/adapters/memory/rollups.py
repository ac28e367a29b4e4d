"""Counted runs in memory, and what happened."""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from cronicorn.adapters.memory.database import MemoryDatabase, RollupKey, without_body
from cronicorn.adapters.memory.watches import MemoryWatchStore
from cronicorn.domain.analysis.analysis import Analysis
from cronicorn.domain.endpoint import JobStatus
from cronicorn.domain.instant import EPOCH, MICROSECOND, ZERO, shifted
from cronicorn.domain.past_slots import RanSlot, SkippedSlots, SlotPage, SlotQuery, slot_page
from cronicorn.domain.plan import Source
from cronicorn.domain.rollup.ports import Rollups, Timeline
from cronicorn.domain.rollup.rows import is_paused
from cronicorn.domain.rollup.tallies import (
    AnalysisTally,
    Census,
    EndpointTally,
    HourPart,
    HourSpan,
    JobTally,
    PastAnalysis,
    PastRun,
    RunTally,
    StepTally,
)
from cronicorn.domain.run import Run

Key = TypeVar("Key", bound=Hashable)
Event = TypeVar("Event")


class MemoryRollups(Rollups):
    """Adds up counts."""

    def __init__(self, database: MemoryDatabase, watches: MemoryWatchStore) -> None:
        self._database = database
        self._watches = watches

    async def census(self, tenant_id: str, job_id: str | None = None) -> Census:
        with self._database.lock:
            jobs = {id_: self._database.jobs[id_] for id_ in self._jobs(tenant_id, job_id)}
            there = {id_ for id_, job in jobs.items() if job.status is not JobStatus.ARCHIVED}
            rows = [row.endpoint for row in self._database.rows.values() if row.endpoint.job_id in there]
            endpoints = [endpoint for endpoint in rows if endpoint.archived_at is None]
            now = self._database.clock.now()
            return Census(
                jobs=sum(job.status is JobStatus.ACTIVE for job in jobs.values()),
                endpoints=len(endpoints),
                paused=sum(is_paused(endpoint.state, now) for endpoint in endpoints),
            )

    async def by_job(self, tenant_id: str, span: HourSpan) -> Sequence[JobTally]:
        with self._database.lock:
            jobs = self._jobs(tenant_id, span.job_id)
            added = self._added(tenant_id, span, lambda key: (jobs.index(key.job_id), key.source, key.status))
            names = [(job_id, self._database.jobs[job_id].name) for job_id in jobs]
        return [
            JobTally(job_id=names[place][0], job_name=names[place][1], tally=tally)
            for (place, *_), tally in sorted(added.items())
        ]

    async def by_step(self, tenant_id: str, span: HourSpan) -> Sequence[StepTally]:
        with self._database.lock:
            added = self._added(tenant_id, span, lambda key: (_step_of(key.hour, span), key.source, key.status))
        return [StepTally(begins_at=begins_at, tally=tally) for (begins_at, *_), tally in sorted(added.items())]

    async def busiest(
        self, tenant_id: str, span: HourSpan, limit: int, source: Source | None = None, every: int = 1
    ) -> Sequence[EndpointTally]:
        with self._database.lock:
            hourly = self._added(tenant_id, span, lambda key: (key.endpoint_number, key.hour, key.source, key.status))
            rows = {row.number: row.endpoint for row in self._database.rows.values()}
            added = self._added(
                tenant_id, span, lambda key: (key.endpoint_number, _step_of(key.hour, span), key.source, key.status)
            )
        wanted = {key: tally for key, tally in added.items() if key[0] in rows and source in {None, tally.source}}
        looked_at = set(sorted({hour for _, hour, *_ in hourly}, reverse=True)[::every])
        most: Counter[int] = Counter()
        for (number, hour, *_), tally in hourly.items():
            if hour in looked_at and number in rows and source in {None, tally.source}:
                most[number] += tally.runs
        busiest = sorted(most, key=lambda number: (-most[number], number))[:limit]
        return [
            EndpointTally(
                endpoint_id=rows[number].id, endpoint_name=rows[number].name, begins_at=begins_at, tally=tally
            )
            for number in busiest
            for (of, begins_at, *_), tally in sorted(wanted.items())
            if of == number
        ]

    async def analyses(self, tenant_id: str, span: HourSpan) -> Sequence[AnalysisTally]:
        found = self._watches.made(tenant_id, span.since, span.until, span.job_id)
        steps: dict[tuple[datetime, int], list[Analysis]] = {}
        with self._database.lock:
            for analysis in found:
                number = self._database.rows[analysis.endpoint_id].number
                steps.setdefault((_step_of(analysis.at, span), number), []).append(analysis)
            names = {row.endpoint.id: row.endpoint.name for row in self._database.rows.values()}
        return [
            AnalysisTally(
                endpoint_id=analyses[0].endpoint_id, endpoint_name=names[analyses[0].endpoint_id], begins_at=begins_at,
                analyses=len(analyses), tokens=sum(each.spent.tokens for each in analyses),
            )
            for (begins_at, _), analyses in sorted(steps.items(), key=lambda step: step[0])
        ]  # fmt: skip

    def _jobs(self, tenant_id: str, job_id: str | None) -> list[str]:
        """The ids of the tenant's jobs, or of the one that is asked for, in the order in which they were made."""
        jobs = self._database.jobs.values()
        return [job.id for job in jobs if job.tenant_id == tenant_id and job_id in {None, job.id}]

    def _added(self, tenant_id: str, span: HourSpan, place: Callable[[RollupKey], Key]) -> dict[Key, RunTally]:
        """What was counted in *span*, added up by *place*, which tells apart sources and statuses."""
        jobs = set(self._jobs(tenant_id, span.job_id))
        sums: dict[Key, RunTally] = {}
        for key, (runs, duration) in self._database.rollups.items():
            if key.job_id in jobs and span.since <= key.hour < span.until:
                before = sums.get(place(key), RunTally(source=key.source, status=key.status, runs=0, duration=ZERO))
                after = replace(before, runs=before.runs + runs, duration=before.duration + duration)
                sums[place(key)] = after
        return sums


class MemoryTimeline(Timeline):
    """Looks through what is kept."""

    def __init__(self, database: MemoryDatabase, watches: MemoryWatchStore) -> None:
        self._database = database
        self._watches = watches

    async def runs(self, tenant_id: str, part: HourPart, limit: int) -> Sequence[PastRun]:
        with self._database.lock:
            found = [
                ((run.started_at, row.number, run.slot, run.attempt), run, row.endpoint.name)
                for row in self._database.rows.values()
                if row.endpoint.tenant_id == tenant_id and part.job_id in {None, row.endpoint.job_id}
                for _, run in row.runs.values()
                if part.since <= run.started_at < part.until
            ]
        found.sort(key=lambda each: each[0], reverse=True)
        rest = _rest(part, found, [(run.started_at, run.id) for _, run, _ in found])
        return [PastRun(run=without_body(run), endpoint_name=name) for _, run, name in rest[:limit]]

    async def analyses(self, tenant_id: str, part: HourPart, limit: int) -> Sequence[PastAnalysis]:
        found = self._watches.made(tenant_id, part.since, part.until, part.job_id)
        with self._database.lock:
            names = {row.endpoint.id: row.endpoint.name for row in self._database.rows.values()}
        newest = sorted(found, key=lambda analysis: analysis.at)[::-1]
        rest = _rest(part, newest, [(each.at, each.id) for each in newest])
        return [PastAnalysis(analysis=each, endpoint_name=names[each.endpoint_id]) for each in rest[:limit]]

    async def slots(self, tenant_id: str, endpoint_id: str, query: SlotQuery) -> SlotPage:
        with self._database.lock:
            row = self._database.row(tenant_id, endpoint_id)
            attempts: dict[int, list[Run]] = {}
            for slot, attempt in sorted(row.runs):
                attempts.setdefault(slot, []).append(without_body(row.runs[slot, attempt][1]))
            skipped = [SkippedSlots(number=number, skip=skip) for number, skip in row.skips]
        return slot_page(query, [RanSlot(runs=tuple(runs)) for runs in attempts.values()], skipped)


def _rest(part: HourPart, newest: Sequence[Event], places: Sequence[tuple[datetime, str]]) -> Sequence[Event]:
    """What of *newest*, whose instants and ids are *places*, comes after what *part* says."""
    if part.after is None:
        return newest
    last = shifted(part.until, -MICROSECOND)
    if (last, part.after) in places:
        return newest[places.index((last, part.after)) + 1 :]
    return [event for event, (at, _) in zip(newest, places, strict=True) if at < last]


def _step_of(instant: datetime, span: HourSpan) -> datetime:
    return instant - (instant - EPOCH) % span.step
