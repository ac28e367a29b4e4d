"""Runs in PostgreSQL: what happened, and what is happening."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import BigInteger, bindparam, case, cast, func, select, tuple_, update

from cronicorn.adapters.postgres.audit_log import record
from cronicorn.adapters.postgres.database import PostgresDatabase, Transaction
from cronicorn.adapters.postgres.endpoint_rows import lock, number_of, record_run, write_state
from cronicorn.adapters.postgres.notify import CANCELLED, wake_all
from cronicorn.adapters.postgres.partitions import Partitions
from cronicorn.adapters.postgres.place import shard_of
from cronicorn.adapters.postgres.pruning import prune_rows
from cronicorn.adapters.postgres.queries import query
from cronicorn.adapters.postgres.rollup_statements import PRUNE_HOURS
from cronicorn.adapters.postgres.schema import endpoints, runs, schedule, skips
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
_TIME = case((runs.c.status != RunStatus.CANCELLED.value, runs.c.duration_us), else_=0)
TALLY = query(
    select(
        func.count().filter(runs.c.status == RunStatus.SUCCESS.value).label("good"),
        func.count().filter(runs.c.status == RunStatus.FAILED.value).label("bad"),
        cast(func.coalesce(func.sum(_TIME), 0), BigInteger).label("total_us"),
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
_HERE = (schedule.c.shard == bindparam("shard")) & (schedule.c.endpoint_id == bindparam("endpoint_id"))
_LIVE = schedule.c.lease_until_us > bindparam("now_us")
_HELD = query(
    select(schedule, endpoints.c.document)
    .join_from(schedule, endpoints, schedule.c.endpoint_number == endpoints.c.number)
    .where(_HERE, _LIVE)
)
_CANCEL = query(
    update(schedule).where(_HERE, _LIVE, schedule.c.leased_slot == bindparam("run_slot")).values(cancelled=1)
)


class PostgresRunHistory(RunHistory):
    """Keeps runs and skips."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database
        self._partitions = Partitions(database)

    async def list(self, tenant_id: str, endpoint_id: str, query: RunQuery) -> RunPage:
        async def work(transaction: Transaction) -> RunPage:
            connection = transaction.connection
            which: dict[str, Cell] = {"endpoint": await number_of(transaction, tenant_id, endpoint_id)}
            which |= {"since_us": us(query.since), "until_us": us(query.until)}
            if query.status is not None:
                which["status"] = query.status.value
            page, total = (PAGE, COUNT) if query.status is None else (PAGE_IN_STATUS, COUNT_IN_STATUS)
            rows = await page.rows(connection, **run_page_row(query), **which)
            found = tuple(run_of(tenant_id, endpoint_id, row) for row in rows)
            return RunPage(runs=found, total=number_at(await total.row(connection, **which), "total"))

        return await self._database.read(work)

    async def get(self, tenant_id: str, run_id: str) -> Run:
        endpoint_id, slot, attempt = _parts(run_id)

        async def work(transaction: Transaction) -> Run:
            endpoint = await number_of(transaction, tenant_id, endpoint_id)
            row = await ONE.row(transaction.connection, endpoint=endpoint, run_slot=slot, run_attempt=attempt)
            if row is None:
                raise NotFoundError(f"There is no run {run_id}.")
            return run_of(tenant_id, endpoint_id, row)

        return await self._database.read(work)

    async def health(self, tenant_id: str, endpoint_id: str, since: datetime) -> Health:
        async def work(transaction: Transaction) -> Health:
            return await _health(transaction, await number_of(transaction, tenant_id, endpoint_id), since)

        return await self._database.read(work)

    async def skips(self, tenant_id: str, endpoint_id: str, limit: int, state: SlotState | None = None) -> SkipPage:
        async def work(transaction: Transaction) -> SkipPage:
            endpoint = await number_of(transaction, tenant_id, endpoint_id)
            chosen, one = (SKIPS, {}) if state is None else (SKIPS_IN_STATE, {"state": state.value})
            rows = await chosen.rows(transaction.connection, endpoint=endpoint, page_limit=limit, **one)
            return SkipPage(skips=tuple(skip_from(row) for row in rows))

        return await self._database.read(work)

    async def recorded(self, tenant_id: str, endpoint_id: str, query: SpanQuery) -> Sequence[Run]:
        async def work(transaction: Transaction) -> Sequence[Run]:
            endpoint = await number_of(transaction, tenant_id, endpoint_id)
            rows = await SPAN.rows(transaction.connection, endpoint=endpoint, **run_span_row(query))
            return [run_of(tenant_id, endpoint_id, row) for row in rows]

        return await self._database.read(work)

    async def begun_by_minute(self, tenant_id: str, endpoint_id: str, span: SpanQuery) -> Mapping[int, int]:
        async def work(transaction: Transaction) -> Mapping[int, int]:
            endpoint = await number_of(transaction, tenant_id, endpoint_id)
            rows = await BY_MINUTE.rows(
                transaction.connection, endpoint=endpoint, since_us=us(span.since), until_us=us(span.until)
            )
            return {number_in(row["minute"]): number_in(row["begun"]) for row in rows}

        return await self._database.read(work)

    async def ended_before(self, tenant_id: str, endpoint_id: str, at: datetime) -> Run | None:
        async def work(transaction: Transaction) -> Run | None:
            endpoint = await number_of(transaction, tenant_id, endpoint_id)
            row = await ENDED_BEFORE.row(transaction.connection, endpoint=endpoint, at_us=us(at))
            return run_of(tenant_id, endpoint_id, row) if row is not None else None

        return await self._database.read(work)

    async def prune(self, before: datetime, limit: int) -> int:
        await self._partitions.make_ahead()
        await self._database.alone(lambda each: each.execute(PRUNE_HOURS, us(shifted(before, -KEPT_LONGER))))
        dropped = await self._partitions.drop(before)
        if dropped >= limit:
            return dropped
        return dropped + await self._database.write(lambda each: prune_rows(each.connection, before, limit - dropped))


class PostgresRunControl(RunControl):
    """Knows the runs in progress."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def held(self, tenant_id: str, endpoint_id: str) -> Lease | None:
        async def work(transaction: Transaction) -> Lease | None:
            await number_of(transaction, tenant_id, endpoint_id)
            row = await _HELD.row(transaction.connection, **_place(transaction, tenant_id, endpoint_id))
            return lease_from(row) if row is not None else None

        return await self._database.read(work)

    async def cancel(self, tenant_id: str, endpoint_id: str, slot: int, by: Principal | None = None) -> bool:
        async def work(transaction: Transaction) -> bool:
            await number_of(transaction, tenant_id, endpoint_id)
            place = _place(transaction, tenant_id, endpoint_id)
            if not await _CANCEL.change(transaction.connection, run_slot=slot, **place):
                return False
            await wake_all(self._database.options, transaction, CANCELLED)
            await record(transaction, cancel_entry(by, transaction.now, f"{endpoint_id}:{slot}"))
            return True

        return await self._database.write(work)

    async def record_test(self, run: Run) -> int:
        async def work(transaction: Transaction) -> int:
            before = await lock(transaction, run.tenant_id, run.endpoint_id)
            slot = before.endpoint.state.slots_issued + 1
            await record_run(transaction.connection, before.number, replace(run, slot=slot))
            await write_state(transaction.connection, before, replace(before.endpoint.state, slots_issued=slot))
            return slot

        return await self._database.write(work)


async def _health(transaction: Transaction, endpoint: int, since: datetime) -> Health:
    connection = transaction.connection
    tally = await TALLY.row(connection, endpoint=endpoint, since_us=us(since))
    newest = await NEWEST.row(connection, endpoint=endpoint)
    success = await NEWEST_IN_STATUS.row(connection, endpoint=endpoint, status=RunStatus.SUCCESS.value)
    streak = await STREAK.row(
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


def _place(transaction: Transaction, tenant_id: str, endpoint_id: str) -> dict[str, Cell]:
    return {
        "shard": shard_of(tenant_id, transaction.shards),
        "endpoint_id": endpoint_id,
        "now_us": us(transaction.now),
    }


def _parts(run_id: str) -> tuple[str, int, int]:
    """Endpoint, slot and attempt. Raises NotFoundError for what is no id of a run."""
    parts = run_parts(run_id)
    if parts is None:
        raise NotFoundError(f"There is no run {run_id}.")
    return parts
