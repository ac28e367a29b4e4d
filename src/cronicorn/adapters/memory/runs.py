"""Runs in memory: what happened, and what is happening."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice

from cronicorn.adapters.memory.audit_log import record
from cronicorn.adapters.memory.database import MemoryDatabase, without_body
from cronicorn.adapters.memory.job_store import lease_on
from cronicorn.adapters.memory.row import Row
from cronicorn.domain.access.audit_views import cancel_entry
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import NotFoundError
from cronicorn.domain.history import Health, RunPage, RunQuery, SkipPage, SpanQuery, place_of_run
from cronicorn.domain.instant import ZERO, minute_of, shifted
from cronicorn.domain.lease import Lease
from cronicorn.domain.ports import RunControl, RunHistory
from cronicorn.domain.principal import Principal
from cronicorn.domain.rollup.tallies import KEPT_LONGER
from cronicorn.domain.run import Run, RunStatus
from cronicorn.domain.slot import SlotState

_COUNTED = {RunStatus.SUCCESS, RunStatus.FAILED}


class MemoryRunHistory(RunHistory):
    """Keeps runs and skips."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def list(self, tenant_id: str, endpoint_id: str, query: RunQuery) -> RunPage:
        with self._database.lock:
            runs = _newest_first(self._database.row(tenant_id, endpoint_id))
        begun = [run for run in runs if query.since <= run.started_at <= query.until]
        wanted = sorted((run for run in begun if query.status in {None, run.status}), key=place_of_run, reverse=True)
        after = query.after
        page = [run for run in wanted if after is None or place_of_run(run) < after]
        page = page[query.offset : query.offset + query.limit]
        return RunPage(runs=tuple(without_body(run) for run in page), total=len(wanted))

    async def get(self, tenant_id: str, run_id: str) -> Run:
        endpoint_id = run_id.rsplit(":", 2)[0]
        with self._database.lock:
            row = self._database.rows.get(endpoint_id)
            runs = row.runs.values() if row is not None and row.endpoint.tenant_id == tenant_id else ()
            for _, run in runs:
                if run.id == run_id:
                    return run
        raise NotFoundError(f"There is no run {run_id}.")

    async def health(self, tenant_id: str, endpoint_id: str, since: datetime) -> Health:
        with self._database.lock:
            runs = _newest_first(self._database.row(tenant_id, endpoint_id))
        counted = [run for run in runs if run.status in _COUNTED and run.started_at >= since]
        success_count = sum(run.status is RunStatus.SUCCESS for run in counted)
        total = sum((run.outcome.duration for run in counted), ZERO)
        return Health(
            success_count=success_count,
            failure_count=len(counted) - success_count,
            duration_mean=total // len(counted) if counted else None,
            last_run_at=runs[0].started_at if runs else None,
            last_status=runs[0].status if runs else None,
            failure_streak=_failure_streak(runs),
        )

    async def skips(self, tenant_id: str, endpoint_id: str, limit: int, state: SlotState | None = None) -> SkipPage:
        with self._database.lock:
            skips = self._database.row(tenant_id, endpoint_id).skips
            newest = (skip for _, skip in sorted(skips, key=lambda each: (each[1].last_at, each[0]), reverse=True))
            wanted = (skip for skip in newest if state is None or skip.state is state)
            return SkipPage(skips=tuple(islice(wanted, limit)))

    async def recorded(self, tenant_id: str, endpoint_id: str, query: SpanQuery) -> Sequence[Run]:
        with self._database.lock:
            runs = sorted(_newest_first(self._database.row(tenant_id, endpoint_id)), key=place_of_run)
        after = place_of_run(query.after) if query.after is not None else None
        wanted = (run for run in runs if query.since <= run.started_at <= query.until)
        return [run for run in wanted if after is None or place_of_run(run) > after][: query.limit]

    async def begun_by_minute(self, tenant_id: str, endpoint_id: str, span: SpanQuery) -> Mapping[int, int]:
        with self._database.lock:
            begun = [run.started_at for run in _newest_first(self._database.row(tenant_id, endpoint_id))]
        return Counter(minute_of(instant) for instant in begun if span.since <= instant <= span.until)

    async def ended_before(self, tenant_id: str, endpoint_id: str, at: datetime) -> Run | None:
        with self._database.lock:
            runs = _newest_first(self._database.row(tenant_id, endpoint_id))
        return max((run for run in runs if run.finished_at <= at), key=place_of_run, default=None)

    async def prune(self, before: datetime, limit: int) -> int:
        with self._database.lock:
            ended = sorted(
                [
                    (run.finished_at, number, row, key)
                    for row in self._database.rows.values()
                    for key, (number, run) in row.runs.items()
                    if run.finished_at < before
                ]
                + [
                    (skip.last_at, number, row, None)
                    for row in self._database.rows.values()
                    for number, skip in row.skips
                    if skip.last_at < before
                ],
                key=lambda item: item[:2],
            )[:limit]
            for _, number, row, key in ended:
                if key is not None:
                    del row.runs[key]
                else:
                    row.skips = [kept for kept in row.skips if kept[0] != number]
            self._database.forget_endpoints(shifted(before, -KEPT_LONGER))
            return len(ended)


class MemoryRunControl(RunControl):
    """Knows the runs in progress."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def held(self, tenant_id: str, endpoint_id: str) -> Lease | None:
        with self._database.lock:
            row = self._database.row(tenant_id, endpoint_id)
            if row.claim is None or not row.leased(self._database.clock.now()):
                return None
            return lease_on(row, row.claim)

    async def cancel(self, tenant_id: str, endpoint_id: str, slot: int, by: Principal | None = None) -> bool:
        with self._database.lock:
            row = self._database.row(tenant_id, endpoint_id)
            if row.claim is None or not row.leased(self._database.clock.now()) or row.claim.slot != slot:
                return False
            row.claim.cancelled = True
            record(self._database, cancel_entry(by, self._database.clock.now(), f"{endpoint_id}:{slot}"))
            return True

    async def record_test(self, run: Run) -> int:
        with self._database.lock:
            row = self._database.row(run.tenant_id, run.endpoint_id)
            slot = row.endpoint.state.slots_issued + 1
            self._database.record_run(row, replace(run, slot=slot))
            self._database.plan(row, _with_slots_issued(row.endpoint, slot))
            return slot


def _newest_first(row: Row) -> list[Run]:
    numbered = sorted(row.runs.values(), key=lambda item: (item[1].started_at, item[0]), reverse=True)
    return [run for _, run in numbered]


def _failure_streak(newest_first: Iterable[Run]) -> int:
    streak = 0
    for run in newest_first:
        if run.status is RunStatus.SUCCESS:
            break
        streak += run.status is RunStatus.FAILED
    return streak


def _with_slots_issued(endpoint: JobEndpoint, slot: int) -> JobEndpoint:
    return endpoint.standing(replace(endpoint.state, slots_issued=slot))
