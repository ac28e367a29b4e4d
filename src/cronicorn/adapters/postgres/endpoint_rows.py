"""Reading and writing whole endpoints inside a transaction: what settling and editing have in common.

Whoever writes an endpoint locks its row of `schedule` first and reads it then, in a statement of its own: one that
waits for a lock sees the locked row as it is by then, but the rows beside it as they were before.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from sqlalchemy import bindparam, delete, insert, literal_column, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as insert_anew

from cronicorn.adapters.postgres.database import Transaction
from cronicorn.adapters.postgres.place import shard_of
from cronicorn.adapters.postgres.queries import Connection, query
from cronicorn.adapters.postgres.rollup_statements import COUNT_ONE
from cronicorn.adapters.postgres.schema import endpoints, jobs, runs, schedule, skips, watches
from cronicorn.adapters.postgres.statement_time import CLOCK_US
from cronicorn.domain.cells import Cell, number_at
from cronicorn.domain.endpoint import EndpointState, JobEndpoint
from cronicorn.domain.errors import ConflictError, NotFoundError
from cronicorn.domain.fields import length_us, us
from cronicorn.domain.history import EndpointQuery, place_gone
from cronicorn.domain.instant import instant_of
from cronicorn.domain.rows import endpoint_from, endpoint_row, run_row, skip_row, state_row
from cronicorn.domain.run import Run
from cronicorn.domain.settlement import (
    Change,
    Sibling,
    Siblings,
    SiblingsNotReadError,
    Stored,
    siblings_not_read,
)
from cronicorn.domain.slot import Skip
from cronicorn.domain.target import host_of

_SEEN = (
    select(
        endpoints.c.number,
        endpoints.c.job_number,
        endpoints.c.document,
        schedule.c.shard,
        schedule.c.host,
        schedule.c.state,
        schedule.c.lease_until_us,
        schedule.c.leased_slot,
    )
    .join_from(
        endpoints, schedule, (schedule.c.shard == bindparam("shard")) & (schedule.c.endpoint_id == endpoints.c.id)
    )
    .order_by(endpoints.c.created_us, endpoints.c.number)
)
_FIND = query(_SEEN.where(endpoints.c.id == bindparam("endpoint_id"), endpoints.c.tenant_id == bindparam("tenant_id")))
_OF_JOB = query(_SEEN.where(endpoints.c.job_number == bindparam("job_number")))
_PAGE_OF_JOB = query(
    _SEEN.where(
        endpoints.c.job_number == bindparam("job_number"),
        # The first part says the same, and is what the index knows.
        endpoints.c.created_us >= bindparam("after_us"),
        tuple_(endpoints.c.created_us, endpoints.c.number) > tuple_(bindparam("after_us"), bindparam("after_number")),
    ).limit(bindparam("page_limit"))
)
_PLACE_OF = query(
    select(endpoints.c.created_us, endpoints.c.number).where(
        endpoints.c.id == bindparam("endpoint_id"), endpoints.c.job_number == bindparam("job_number")
    )
)
_BEGINNING: Mapping[str, Cell] = {"created_us": -(1 << 62), "number": 0}
_SIBLINGS = query(
    _SEEN.where(
        endpoints.c.job_number == bindparam("job_number"),
        endpoints.c.archived_us.is_(None),
        endpoints.c.number != bindparam("number"),
    )
)
_LOCKED = select(schedule.c.endpoint_number).with_for_update(key_share=True)
_LOCK = query(_LOCKED.where(schedule.c.shard == bindparam("shard"), schedule.c.endpoint_id == bindparam("endpoint_id")))
_LOCK_OF_JOB = query(
    _LOCKED.where(
        schedule.c.shard == bindparam("shard"),
        schedule.c.endpoint_id.in_(select(endpoints.c.id).where(endpoints.c.job_number == bindparam("job_number"))),
    ).order_by(schedule.c.shard, schedule.c.endpoint_id)
)
_NUMBER = query(
    select(endpoints.c.number).where(
        endpoints.c.id == bindparam("endpoint_id"), endpoints.c.tenant_id == bindparam("tenant_id")
    )
)
_JOB_NUMBER = query(
    select(jobs.c.number).where(jobs.c.id == bindparam("job_id"), jobs.c.tenant_id == bindparam("tenant_id"))
)
_UPDATE_ENDPOINT = query(
    update(endpoints)
    .where(endpoints.c.number == bindparam("endpoint_number"))
    .values({name: bindparam(f"new_{name}") for name in ("version", "archived_us", "reads", "document")})
)
_STATE = ("due_us", "slot", "attempt", "manual_slot", "state", "host")
_UPDATE_STATE = query(
    update(schedule)
    .where(schedule.c.shard == bindparam("old_shard"), schedule.c.endpoint_id == bindparam("old_id"))
    .values(
        {name: bindparam(f"new_{name}") for name in _STATE}
        | {"plan_version": schedule.c.plan_version + literal_column("1")}
    )
)
_RECORDED = query(
    select(runs.c.number).where(
        runs.c.endpoint_number == bindparam("endpoint_number"),
        runs.c.slot == bindparam("slot"),
        runs.c.attempt == bindparam("attempt"),
    )
)
_INSERT_RUN = query(insert(runs).values({column.name: bindparam(column.name) for column in runs.c[1:]}))
_INSERT_SKIP = query(insert(skips).values({column.name: bindparam(column.name) for column in skips.c[1:]}))
_WATCH = query(
    insert_anew(watches)
    .values({name: bindparam(name) for name in ("endpoint_number", "look_us", "cursor_us")})
    .on_conflict_do_nothing()
)
_UNWATCH = query(delete(watches).where(watches.c.endpoint_number == bindparam("number")))

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An endpoint as stored, and where it is."""

    number: int
    job_number: int
    shard: int
    host: str
    now: datetime
    """When it was read, by the store's clock."""
    endpoint: JobEndpoint
    leased_slot: int | None

    def seen(self) -> tuple[JobEndpoint, Stored]:
        """The endpoint as a catalog shows it."""
        return self.endpoint, Stored(now=self.now, leased_slot=self.leased_slot)


async def find(transaction: Transaction, tenant_id: str, endpoint_id: str) -> Found:
    """The endpoint. Raises NotFoundError."""
    shard = shard_of(tenant_id, transaction.shards)
    row = await _FIND.row(transaction.connection, shard=shard, tenant_id=tenant_id, endpoint_id=endpoint_id)
    if row is None:
        raise NotFoundError(f"There is no endpoint {endpoint_id}.")
    return found(row, transaction.now)


async def lock(transaction: Transaction, tenant_id: str, endpoint_id: str) -> Found:
    """The endpoint, which nobody else writes until the transaction ends. Raises NotFoundError."""
    shard = shard_of(tenant_id, transaction.shards)
    if not await _LOCK.rows(transaction.connection, shard=shard, endpoint_id=endpoint_id):
        raise NotFoundError(f"There is no endpoint {endpoint_id}.")
    return await find(await _later(transaction), tenant_id, endpoint_id)


async def of_job(transaction: Transaction, tenant_id: str, job_number: int) -> list[Found]:
    """The endpoints of a job, oldest first."""
    shard = shard_of(tenant_id, transaction.shards)
    rows = await _OF_JOB.rows(transaction.connection, shard=shard, job_number=job_number)
    return [found(row, transaction.now) for row in rows]


async def page_of_job(transaction: Transaction, tenant_id: str, job_number: int, query: EndpointQuery) -> list[Found]:
    """Some endpoints of a job, oldest first. Raises InvalidInputError where the one they are to follow is gone."""
    shard = shard_of(tenant_id, transaction.shards)
    place: Mapping[str, Cell] | None = _BEGINNING
    if query.after is not None:
        place = await _PLACE_OF.row(transaction.connection, endpoint_id=query.after, job_number=job_number)
    if place is None:
        raise place_gone(f"endpoint {query.after}")
    rows = await _PAGE_OF_JOB.rows(
        transaction.connection, shard=shard, job_number=job_number, after_us=place["created_us"],
        after_number=place["number"], page_limit=query.limit,
    )  # fmt: skip
    return [found(row, transaction.now) for row in rows]


async def lock_job(transaction: Transaction, tenant_id: str, job_number: int) -> list[Found]:
    """The endpoints of a job, oldest first, which nobody else writes until the transaction ends."""
    shard = shard_of(tenant_id, transaction.shards)
    await _LOCK_OF_JOB.rows(transaction.connection, shard=shard, job_number=job_number)
    return await of_job(await _later(transaction), tenant_id, job_number)


def found(row: dict[str, Cell], now: datetime) -> Found:
    """What a row of the columns above means at *now*."""
    document, state, host = row["document"], row["state"], row["host"]
    assert isinstance(document, str)
    assert isinstance(state, str)
    assert isinstance(host, str)
    until, leased_slot = row["lease_until_us"], row["leased_slot"]
    live = isinstance(until, int) and until > us(now)
    return Found(
        number=number_at(row, "number"),
        job_number=number_at(row, "job_number"),
        shard=number_at(row, "shard"),
        host=host,
        now=now,
        endpoint=endpoint_from(document, state),
        leased_slot=leased_slot if live and isinstance(leased_slot, int) else None,
    )


async def decided(transaction: Transaction, before: Found, decide: Callable[[Stored], T]) -> T:
    """What *decide* makes of what is stored besides *before*.

    It can't wait for its siblings to be read: if it looks at them it is stopped, they are read, and it begins again.
    """
    stored = Stored(now=before.now, leased_slot=before.leased_slot, siblings=Siblings(siblings_not_read))
    try:
        return decide(stored)
    except SiblingsNotReadError:
        siblings = await _siblings(transaction, before)
    return decide(replace(stored, siblings=siblings))


async def number_of(transaction: Transaction, tenant_id: str, endpoint_id: str) -> int:
    """The number of an endpoint. Raises NotFoundError."""
    row = await _NUMBER.row(transaction.connection, tenant_id=tenant_id, endpoint_id=endpoint_id)
    if row is None:
        raise NotFoundError(f"There is no endpoint {endpoint_id}.")
    return number_at(row, "number")


async def job_number_of(transaction: Transaction, tenant_id: str, job_id: str) -> int:
    """The number of a job. Raises NotFoundError."""
    row = await _JOB_NUMBER.row(transaction.connection, tenant_id=tenant_id, job_id=job_id)
    if row is None:
        raise NotFoundError(f"There is no job {job_id}.")
    return number_at(row, "number")


async def apply(transaction: Transaction, before: Found, change: Change) -> None:
    """Write an edit of an endpoint that is locked."""
    assert change.endpoint.id == before.endpoint.id
    row = endpoint_row(change.endpoint)
    await _UPDATE_ENDPOINT.change(
        transaction.connection,
        endpoint_number=before.number,
        new_version=row["version"],
        new_archived_us=row["archived_us"],
        new_reads=row["reads"],
        new_document=row["document"],
    )
    if change.endpoint.is_watched != before.endpoint.is_watched:
        await keep_watch(transaction, before.number, change.endpoint)
    await _write(transaction.connection, before, change.endpoint.state, host_of(change.endpoint.request.url))
    await record_skips(transaction.connection, before.number, change.skips)


async def keep_watch(transaction: Transaction, number: int, endpoint: JobEndpoint) -> None:
    """Watch an endpoint from now on, or no more: as its owner would have it."""
    if endpoint.is_watched:
        now_us = us(transaction.now)
        await _WATCH.change(transaction.connection, endpoint_number=number, look_us=now_us, cursor_us=now_us)
    else:
        await _UNWATCH.change(transaction.connection, number=number)


async def write_state(connection: Connection, before: Found, state: EndpointState) -> None:
    """Write where the schedule of an endpoint stands; its lease stays, and whoever holds it notices when it settles."""
    await _write(connection, before, state, before.host)


async def record_run(connection: Connection, endpoint_number: int, run: Run) -> None:
    """Write a run of an endpoint that is locked. Raises ConflictError when its slot and attempt have one already.

    It is looked for: no constraint reaches over all the partitions, which are by the day on which a run ended.
    """
    if await _RECORDED.row(connection, endpoint_number=endpoint_number, slot=run.slot, attempt=run.attempt):
        raise ConflictError(f"Run {run.id} is already recorded.")
    await _INSERT_RUN.change(connection, endpoint_number=endpoint_number, **run_row(run))
    await connection.execute(
        COUNT_ONE, endpoint_number, run.source, run.status, us(run.started_at), length_us(run.outcome.duration)
    )


async def record_skips(connection: Connection, endpoint_number: int, ranges: Iterable[Skip]) -> None:
    """Write skips."""
    for skip in ranges:
        await _INSERT_SKIP.change(connection, endpoint_number=endpoint_number, **skip_row(skip))


async def _later(transaction: Transaction) -> Transaction:
    """The transaction at the instant when it has its locks: nothing it now reads is of a later one."""
    now_us = await transaction.connection.fetchval(f"SELECT {CLOCK_US}", transaction.judged_us)
    return replace(transaction, now=instant_of(now_us))


async def _siblings(transaction: Transaction, of: Found) -> dict[str, Sibling]:
    rows = await _SIBLINGS.rows(transaction.connection, shard=of.shard, job_number=of.job_number, number=of.number)
    siblings = (found(row, of.now) for row in rows)
    return {each.endpoint.name: Sibling(each.endpoint, each.leased_slot) for each in siblings}


async def _write(connection: Connection, before: Found, state: EndpointState, host: str) -> None:
    row = {f"new_{name}": cell for name, cell in state_row(state).items()}
    await _UPDATE_STATE.change(connection, old_shard=before.shard, old_id=before.endpoint.id, new_host=host, **row)
