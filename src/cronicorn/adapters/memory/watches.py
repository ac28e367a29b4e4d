"""Watched endpoints and their analyses in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.adapters.memory.row import Row
from cronicorn.domain.analysis.analysis import Analysis
from cronicorn.domain.analysis.ports import WatchStore
from cronicorn.domain.analysis.rows import ANALYSES_KEPT
from cronicorn.domain.analysis.watch import AnalysisPage, Look, Watch, analysis_off
from cronicorn.domain.analysis.watching import NOTHING_WATCHED, WatchMemory
from cronicorn.domain.errors import NotFoundError
from cronicorn.domain.instant import FIRST_INSTANT, shifted


@dataclass(slots=True, kw_only=True)
class _Watched:
    """What is kept of a watched endpoint."""

    look_at: datetime
    cursor: datetime
    memory: WatchMemory = field(default=NOTHING_WATCHED)
    requested_by: str | None = None
    claim_id: str | None = None
    claimed_until: datetime = FIRST_INSTANT

    @property
    def claimable_at(self) -> datetime:
        return max(self.look_at, self.claimed_until)


class MemoryWatchStore(WatchStore):
    """Keeps watches and analyses; which endpoints are watched is read off the endpoints themselves."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database
        self._watched: dict[int, _Watched] = {}
        """By the number of the endpoint's row."""
        self._analyses: dict[str, Analysis] = {}

    async def claim_due(self, *, claim_id: str, limit: int, ttl: timedelta) -> Sequence[Watch]:
        with self._database.lock:
            now = self._database.clock.now()
            due = [(row, kept) for row, kept in self._all(now) if kept.claimable_at <= now]
            due.sort(key=lambda each: (each[1].claimable_at, each[0].number))
            return [_claimed(row, kept, claim_id, shifted(now, ttl), now) for row, kept in due[:limit]]

    async def settle(self, watch: Watch, look: Look) -> None:
        with self._database.lock:
            now = self._database.clock.now()
            row = self._database.rows.get(watch.endpoint.id)
            kept = self._watched.get(row.number) if row is not None else None
            watched = row is not None and row.endpoint.is_watched
            if row is None or kept is None or not watched or kept.claim_id != watch.claim_id:
                raise watch.lost()
            before = row.endpoint
            if look.edit is not None:
                job = self._database.jobs[before.job_id]
                self._database.apply(row, look.edit(before, job, self._database.stored(row, now)))
            analysis = look.analysis_after(before, row.endpoint, now)
            if analysis is not None:
                self._keep(analysis)
            kept.memory, kept.cursor, kept.look_at = look.memory, look.cursor, look.look_at
            if not look.claim_stays:
                kept.claim_id, kept.claimed_until = None, FIRST_INSTANT
            if look.answers_request:
                kept.requested_by = None

    async def request(self, tenant_id: str, endpoint_id: str, by: str) -> timedelta:
        with self._database.lock:
            now = self._database.clock.now()
            row = self._database.row(tenant_id, endpoint_id)
            kept = next((kept for each, kept in self._all(now) if each is row), None)
            if kept is None or not row.endpoint.analysis.enabled:
                raise analysis_off(endpoint_id)
            late = now - kept.claimable_at
            kept.requested_by = kept.requested_by or by
            kept.look_at = min(kept.look_at, now)
            return late

    async def list(
        self, tenant_id: str, endpoint_id: str, *, limit: int, offset: int = 0, after: str | None = None
    ) -> AnalysisPage:
        with self._database.lock:
            kept = self._watched.get(self._database.row(tenant_id, endpoint_id).number)
            follow_up = kept.memory.follow_up if kept is not None else None
            found = [each for each in reversed(self._analyses.values()) if each.endpoint_id == endpoint_id]
            ids = [each.id for each in found]
            rest = found if after is None else found[ids.index(after) + 1 :] if after in ids else []
            return AnalysisPage(
                analyses=tuple(rest[offset : offset + limit]),
                total=len(found),
                follow_up_at=follow_up.at if follow_up is not None else None,
            )

    async def get(self, tenant_id: str, analysis_id: str) -> Analysis:
        with self._database.lock:
            analysis = self._analyses.get(analysis_id)
            there = analysis is not None and analysis.endpoint_id in self._database.rows
            if analysis is None or not there or analysis.tenant_id != tenant_id:
                raise NotFoundError(f"There is no session {analysis_id}.")
            return analysis

    def made(self, tenant_id: str, since: datetime, until: datetime, job_id: str | None) -> Sequence[Analysis]:
        """The tenant's analyses that began between *since* and *until*, of one job or of all, as they were kept."""
        with self._database.lock:
            rows = self._database.rows
            return [
                each
                for each in self._analyses.values()
                if each.tenant_id == tenant_id and since <= each.at < until and each.endpoint_id in rows
                if job_id in {None, rows[each.endpoint_id].endpoint.job_id}
            ]

    def _keep(self, analysis: Analysis) -> None:
        self._analyses[analysis.id] = analysis
        older = [each.id for each in self._analyses.values() if each.endpoint_id == analysis.endpoint_id]
        for analysis_id in older[:-ANALYSES_KEPT]:
            del self._analyses[analysis_id]

    def _all(self, now: datetime) -> Sequence[tuple[Row, _Watched]]:
        """The watched endpoints; one that just became so is watched from now on."""
        rows = [row for row in self._database.rows.values() if row.endpoint.is_watched]
        numbers = {row.number for row in rows}
        self._watched = {number: kept for number, kept in self._watched.items() if number in numbers}
        return [(row, self._watched.setdefault(row.number, _Watched(look_at=now, cursor=now))) for row in rows]


def _claimed(row: Row, kept: _Watched, claim_id: str, until: datetime, now: datetime) -> Watch:
    kept.claim_id, kept.claimed_until = claim_id, until
    return Watch(
        endpoint=row.endpoint,
        claim_id=claim_id,
        claimed_at=now,
        claimed_until=kept.claimed_until,
        cursor=kept.cursor,
        memory=kept.memory,
        requested_by=kept.requested_by,
    )
