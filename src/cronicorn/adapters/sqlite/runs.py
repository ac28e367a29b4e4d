"""Runs in a SQLite file: what happened, and what is happening."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import bindparam, case, delete, func, select, tuple_, update

from cronicorn.adapters.sqlite.audit_log import record
from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.endpoint_rows import find, number_of, record_run, write_state
from cronicorn.adapters.sqlite.queries import Query, query
from cronicorn.adapters.sqlite.rollups import PRUNE_HOURS
from cronicorn.adapters.sqlite.schema import endpoints, runs, schedule, skips
from cronicorn.adapters.sqlite.writer import Transaction
from cronicorn.domain.access.audit_views import cancel_entry
from cronicorn.domain.cells import Cell, number_at, number_in
from cronicorn.domain.errors import NotFoundError
from cronicorn.domain.fields import us
from cronicorn.domain.history import Health, RunPage, RunQuery, SkipPage, SpanQuery
from cronicorn.domain.history_rows import BEGINNING_US, run_page_row, run_span_row
from cronicorn.domain.instant import MICROSECOND, MINUTE, instant_of, shifted
from cronicorn.domain.lease import Lease, run_parts
from cronicorn.domain.ports import RunControl, RunHistory
from cronicorn.domain.principal import Principal
from cronicorn.domain.rollup.tallies import KEPT_LONGER
from cronicorn.domain.rows import lease_from, mean, run_of, skip_from
from cronicorn.domain.run import Run, RunStatus
from cronicorn.domain.slot import SlotState

_OF_ENDPOINT = runs.c.endpoint_number == bindparam("endpoint")
_IN_STATUS = runs.c.status == bindparam("status")
_LISTED = [column for column in runs.c if column.name != "body"]
_BEGUN = (runs.c.started_us >= bindparam("since_us"), runs.c.started_us <= bindparam("until_us"))
_PAGE = (
    select(*_LISTED)
    .where(
        _OF_ENDPOINT,
        *_BEGUN,
        # The first part says the same, and is what the index knows.
        runs.c.started_us <= bindparam("after_us"),
        tuple_(runs.c.started_us, runs.c.slot, runs.c.attempt)
        < tuple_(bindparam("after_us"), bindparam("after_slot"), bindparam("after_attempt")),
    )
    .order_by(runs.c.started_us.desc(), runs.c.slot.desc(), runs.c.attempt.desc())
    .limit(bindparam("page_limit"))
    .offset(bindparam("page_offset"))
)
_COUNT = select(func.count().label("total")).select_from(runs).where(_OF_ENDPOINT, *_BEGUN)
PAGE, PAGE_IN_STATUS = query(_PAGE), query(_PAGE.where(_IN_STATUS))
COUNT, COUNT_IN_STATUS = query(_COUNT), query(_COUNT.where(_IN_STATUS))
ONE = query(
    select(runs).where(_OF_ENDPOINT, runs.c.slot == bindparam("run_slot"), runs.c.attempt == bindparam("run_attempt"))
)
TALLY = query(
    select(
        func.coalesce(func.sum(case((runs.c.status == RunStatus.SUCCESS.value, 1), else_=0)), 0).label("good"),
        func.coalesce(func.sum(case((runs.c.status == RunStatus.FAILED.value, 1), else_=0)), 0).label("bad"),
        func.coalesce(
            func.sum(case((runs.c.status != RunStatus.CANCELLED.value, runs.c.duration_us), else_=0)), 0
        ).label("total_us"),
    ).where(_OF_ENDPOINT, runs.c.started_us >= bindparam("since_us"))
)
_NEWEST = (
    select(runs.c.started_us, runs.c.number, runs.c.status)
    .where(_OF_ENDPOINT)
    .order_by(runs.c.started_us.desc(), runs.c.number.desc())
    .limit(1)
)
NEWEST, NEWEST_IN_STATUS = query(_NEWEST), query(_NEWEST.where(_IN_STATUS))
STREAK = query(
    select(func.count().label("streak"))
    .select_from(runs)
    .where(
        _OF_ENDPOINT,
        _IN_STATUS,
        runs.c.started_us >= bindparam("from_us"),
        tuple_(runs.c.started_us, runs.c.number) > tuple_(bindparam("from_us"), bindparam("from_number")),
    )
)
_SPAN = (
    select(runs)
    .where(
        _OF_ENDPOINT,
        runs.c.started_us >= bindparam("since_us"),
        runs.c.started_us <= bindparam("until_us"),
        tuple_(runs.c.started_us, runs.c.slot, runs.c.attempt)
        > tuple_(bindparam("after_us"), bindparam("after_slot"), bindparam("after_attempt")),
    )
    .order_by(runs.c.started_us, runs.c.slot, runs.c.attempt)
    .limit(bindparam("page_limit"))
)
SPAN = query(_SPAN)
_MINUTE = (runs.c.started_us // (MINUTE // MICROSECOND)).label("minute")
BY_MINUTE = query(
    select(_MINUTE, func.count().label("begun"))
    .where(_OF_ENDPOINT, runs.c.started_us >= bindparam("since_us"), runs.c.started_us <= bindparam("until_us"))
    .group_by(_MINUTE)
)
ENDED_BEFORE = query(
    select(runs)
    .where(_OF_ENDPOINT, runs.c.started_us <= bindparam("at_us"), runs.c.finished_us <= bindparam("at_us"))
    .order_by(runs.c.started_us.desc(), runs.c.slot.desc(), runs.c.attempt.desc())
    .limit(1)
)
_NEWEST_SKIPS = (
    select(skips)
    .where(skips.c.endpoint_number == bindparam("endpoint"))
    .order_by(skips.c.last_us.desc(), skips.c.number.desc())
    .limit(bindparam("page_limit"))
)
SKIPS = query(_NEWEST_SKIPS)
SKIPS_IN_STATE = query(_NEWEST_SKIPS.where(skips.c.state == bindparam("state")))
OLD_RUNS = query(
    select(runs.c.number, runs.c.finished_us.label("ended_us"))
    .where(runs.c.finished_us < bindparam("before_us"))
    .order_by(runs.c.finished_us, runs.c.number)
    .limit(bindparam("page_limit"))
)
OLD_SKIPS = query(
    select(skips.c.number, skips.c.last_us.label("ended_us"))
    .where(skips.c.last_us < bindparam("before_us"))
    .order_by(skips.c.last_us, skips.c.number)
    .limit(bindparam("page_limit"))
)
_DELETE_RUN = query(delete(runs).where(runs.c.number == bindparam("old")))
_DELETE_SKIP = query(delete(skips).where(skips.c.number == bindparam("old")))
_HELD = query(
    select(schedule, endpoints.c.document)
    .join_from(schedule, endpoints, schedule.c.endpoint_number == endpoints.c.number)
    .where(schedule.c.endpoint_number == bindparam("endpoint"), schedule.c.lease_until_us > bindparam("now_us"))
)
_CANCEL = query(
    update(schedule)
    .where(
        schedule.c.endpoint_number == bindparam("endpoint"),
        schedule.c.lease_until_us > bindparam("now_us"),
        schedule.c.leased_slot == bindparam("run_slot"),
    )
    .values(cancelled=1)
)


class SqliteRunHistory(RunHistory):
    """Keeps runs and skips."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def list(self, tenant_id: str, endpoint_id: str, query: RunQuery) -> RunPage:
        def work(transaction: Transaction) -> RunPage:
            connection = transaction.connection
            which: dict[str, Cell] = {"endpoint": number_of(transaction, tenant_id, endpoint_id)}
            which |= {"since_us": us(query.since), "until_us": us(query.until)}
            if query.status is not None:
                which["status"] = query.status.value
            page, total = (PAGE, COUNT) if query.status is None else (PAGE_IN_STATUS, COUNT_IN_STATUS)
            rows = page.rows(connection, **run_page_row(query), **which)
            found = tuple(run_of(tenant_id, endpoint_id, row) for row in rows)
            return RunPage(runs=found, total=number_at(total.row(connection, **which), "total"))

        return await self._database.read(work)

    async def get(self, tenant_id: str, run_id: str) -> Run:
        endpoint_id, slot, attempt = _parts(run_id)

        def work(transaction: Transaction) -> Run:
            number = number_of(transaction, tenant_id, endpoint_id)
            row = ONE.row(transaction.connection, endpoint=number, run_slot=slot, run_attempt=attempt)
            if row is None:
                raise NotFoundError(f"There is no run {run_id}.")
            return run_of(tenant_id, endpoint_id, row)

        return await self._database.read(work)

    async def health(self, tenant_id: str, endpoint_id: str, since: datetime) -> Health:
        return await self._database.read(
            lambda transaction: _health(transaction, number_of(transaction, tenant_id, endpoint_id), since)
        )

    async def skips(self, tenant_id: str, endpoint_id: str, limit: int, state: SlotState | None = None) -> SkipPage:
        def work(transaction: Transaction) -> SkipPage:
            number = number_of(transaction, tenant_id, endpoint_id)
            chosen, one = (SKIPS, {}) if state is None else (SKIPS_IN_STATE, {"state": state.value})
            rows = chosen.rows(transaction.connection, endpoint=number, page_limit=limit, **one)
            return SkipPage(skips=tuple(skip_from(row) for row in rows))

        return await self._database.read(work)

    async def recorded(self, tenant_id: str, endpoint_id: str, query: SpanQuery) -> Sequence[Run]:
        def work(transaction: Transaction) -> Sequence[Run]:
            number = number_of(transaction, tenant_id, endpoint_id)
            rows = SPAN.rows(transaction.connection, endpoint=number, **run_span_row(query))
            return [run_of(tenant_id, endpoint_id, row) for row in rows]

        return await self._database.read(work)

    async def begun_by_minute(self, tenant_id: str, endpoint_id: str, span: SpanQuery) -> Mapping[int, int]:
        def work(transaction: Transaction) -> Mapping[int, int]:
            number = number_of(transaction, tenant_id, endpoint_id)
            rows = BY_MINUTE.rows(
                transaction.connection, endpoint=number, since_us=us(span.since), until_us=us(span.until)
            )
            return {number_in(row["minute"]): number_in(row["begun"]) for row in rows}

        return await self._database.read(work)

    async def ended_before(self, tenant_id: str, endpoint_id: str, at: datetime) -> Run | None:
        def work(transaction: Transaction) -> Run | None:
            number = number_of(transaction, tenant_id, endpoint_id)
            row = ENDED_BEFORE.row(transaction.connection, endpoint=number, at_us=us(at))
            return run_of(tenant_id, endpoint_id, row) if row is not None else None

        return await self._database.read(work)

    async def prune(self, before: datetime, limit: int) -> int:
        return await self._database.write(lambda transaction: _prune(transaction, before, limit))


class SqliteRunControl(RunControl):
    """Knows the runs in progress."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def held(self, tenant_id: str, endpoint_id: str) -> Lease | None:
        def work(transaction: Transaction) -> Lease | None:
            number = number_of(transaction, tenant_id, endpoint_id)
            row = _HELD.row(transaction.connection, endpoint=number, now_us=us(transaction.now))
            return lease_from(row) if row is not None else None

        return await self._database.read(work)

    async def cancel(self, tenant_id: str, endpoint_id: str, slot: int, by: Principal | None = None) -> bool:
        def work(transaction: Transaction) -> bool:
            number = number_of(transaction, tenant_id, endpoint_id)
            now_us = us(transaction.now)
            if not _CANCEL.change(transaction.connection, endpoint=number, now_us=now_us, run_slot=slot):
                return False
            record(transaction, cancel_entry(by, transaction.now, f"{endpoint_id}:{slot}"))
            return True

        return await self._database.write(work)

    async def record_test(self, run: Run) -> int:
        def work(transaction: Transaction) -> int:
            before = find(transaction, run.tenant_id, run.endpoint_id)
            slot = before.endpoint.state.slots_issued + 1
            record_run(transaction.connection, before.number, replace(run, slot=slot))
            write_state(transaction.connection, before.number, replace(before.endpoint.state, slots_issued=slot))
            return slot

        return await self._database.write(work)


def _health(transaction: Transaction, endpoint: int, since: datetime) -> Health:
    connection = transaction.connection
    tally = TALLY.row(connection, endpoint=endpoint, since_us=us(since))
    newest = NEWEST.row(connection, endpoint=endpoint)
    success = NEWEST_IN_STATUS.row(connection, endpoint=endpoint, status=RunStatus.SUCCESS.value)
    streak = STREAK.row(
        connection,
        endpoint=endpoint,
        status=RunStatus.FAILED.value,
        from_us=number_at(success, "started_us") if success is not None else BEGINNING_US,
        from_number=number_at(success, "number") if success is not None else 0,
    )
    good, bad = number_at(tally, "good"), number_at(tally, "bad")
    return Health(
        success_count=good,
        failure_count=bad,
        duration_mean=mean(number_at(tally, "total_us"), good + bad),
        last_run_at=instant_of(number_at(newest, "started_us")) if newest is not None else None,
        last_status=RunStatus(str(newest["status"])) if newest is not None else None,
        failure_streak=number_at(streak, "streak"),
    )


def _prune(transaction: Transaction, before: datetime, limit: int) -> int:
    connection = transaction.connection
    ended: list[tuple[int, int, Query]] = []
    for old, remove in ((OLD_RUNS, _DELETE_RUN), (OLD_SKIPS, _DELETE_SKIP)):
        rows = old.rows(connection, before_us=us(before), page_limit=limit)
        ended.extend((number_at(row, "ended_us"), number_at(row, "number"), remove) for row in rows)
    ended.sort(key=lambda item: item[0])
    for _, number, remove in ended[:limit]:
        remove.change(connection, old=number)
    connection.execute(PRUNE_HOURS, [us(shifted(before, -KEPT_LONGER))])
    return min(len(ended), limit)


def _parts(run_id: str) -> tuple[str, int, int]:
    """Endpoint, slot and attempt. Raises NotFoundError for what is no id of a run."""
    parts = run_parts(run_id)
    if parts is None:
        raise NotFoundError(f"There is no run {run_id}.")
    return parts
