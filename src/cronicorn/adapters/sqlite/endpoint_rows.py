"""Reading and writing whole endpoints inside a transaction: what settling and editing have in common."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from operator import itemgetter

from sqlalchemy import bindparam, delete, insert, select, tuple_, update
from sqlalchemy.dialects.sqlite import insert as insert_anew

from cronicorn.adapters.sqlite.queries import query
from cronicorn.adapters.sqlite.rollups import count_runs
from cronicorn.adapters.sqlite.schema import endpoints, jobs, runs, schedule, skips, watches
from cronicorn.adapters.sqlite.writer import Transaction
from cronicorn.domain.cells import Cell
from cronicorn.domain.endpoint import EndpointState, JobEndpoint
from cronicorn.domain.errors import ConflictError, NotFoundError
from cronicorn.domain.fields import us
from cronicorn.domain.history import EndpointQuery, place_gone
from cronicorn.domain.rows import endpoint_from, endpoint_row, run_row, skip_row, state_row
from cronicorn.domain.run import Run
from cronicorn.domain.settlement import Change, Sibling, Siblings, Stored
from cronicorn.domain.slot import Skip

_SEEN = (
    select(
        endpoints.c.number,
        endpoints.c.job_number,
        endpoints.c.document,
        schedule.c.state,
        schedule.c.lease_until_us,
        schedule.c.leased_slot,
    )
    .join_from(endpoints, schedule, schedule.c.endpoint_number == endpoints.c.number)
    .order_by(endpoints.c.created_us, endpoints.c.number)
)
_FIND = query(_SEEN.where(endpoints.c.id == bindparam("endpoint_id"), endpoints.c.tenant_id == bindparam("tenant_id")))
_OF_JOB = query(_SEEN.where(endpoints.c.job_number == bindparam("job_number")))
_one = endpoints.alias("one")
_JOB_OF = select(_one.c.job_number).where(_one.c.number == bindparam("number")).scalar_subquery()
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
        endpoints.c.job_number == _JOB_OF,
        endpoints.c.archived_us.is_(None),
        endpoints.c.number != bindparam("number"),
    )
)
_OF_JOB_OF = query(_SEEN.where(endpoints.c.job_number == _JOB_OF))
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
_UPDATE_STATE = query(
    update(schedule)
    .where(schedule.c.endpoint_number == bindparam("number"))
    .values({name: bindparam(f"new_{name}") for name in ("due_us", "slot", "attempt", "manual_slot", "state")})
)
_RUN = tuple(column.name for column in runs.c[2:])
_columns_of_run = itemgetter(*_RUN)
_RUN_ROW = f"(?{', ?' * len(_RUN)})"
_INSERT_SKIP = query(insert(skips).values({column.name: bindparam(column.name) for column in skips.c[1:]}))

_WATCH = query(
    insert_anew(watches)
    .values({name: bindparam(name) for name in ("endpoint_number", "look_us", "cursor_us")})
    .on_conflict_do_nothing()
)
_UNWATCH = query(delete(watches).where(watches.c.endpoint_number == bindparam("number")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An endpoint as stored, and the numbers under which it is."""

    number: int
    job_number: int
    endpoint: JobEndpoint
    leased_slot: int | None

    def seen(self, now: datetime) -> tuple[JobEndpoint, Stored]:
        """The endpoint as a catalog shows it."""
        return self.endpoint, Stored(now=now, leased_slot=self.leased_slot)

    def stored(self, transaction: Transaction) -> Stored:
        """What a decision about it is told."""
        siblings = Siblings(lambda: _siblings(transaction, self.number))
        return Stored(now=transaction.now, leased_slot=self.leased_slot, siblings=siblings)


def find(transaction: Transaction, tenant_id: str, endpoint_id: str) -> Found:
    """The endpoint. Raises NotFoundError."""
    row = _FIND.row(transaction.connection, tenant_id=tenant_id, endpoint_id=endpoint_id)
    if row is None:
        raise NotFoundError(f"There is no endpoint {endpoint_id}.")
    return found(row, transaction.now)


def of_job(transaction: Transaction, job_number: int) -> list[Found]:
    """The endpoints of a job, oldest first."""
    rows = _OF_JOB.rows(transaction.connection, job_number=job_number)
    return [found(row, transaction.now) for row in rows]


def page_of_job(transaction: Transaction, job_number: int, query: EndpointQuery) -> list[Found]:
    """Some endpoints of a job, oldest first. Raises InvalidInputError where the one they are to follow is gone."""
    place: Mapping[str, Cell] | None = _BEGINNING
    if query.after is not None:
        place = _PLACE_OF.row(transaction.connection, endpoint_id=query.after, job_number=job_number)
    if place is None:
        raise place_gone(f"endpoint {query.after}")
    rows = _PAGE_OF_JOB.rows(
        transaction.connection, job_number=job_number, after_us=place["created_us"],
        after_number=place["number"], page_limit=query.limit,
    )  # fmt: skip
    return [found(row, transaction.now) for row in rows]


def of_job_of(transaction: Transaction, number: int) -> list[Found]:
    """The endpoints of the job of an endpoint, that one too, oldest first."""
    return [found(row, transaction.now) for row in _OF_JOB_OF.rows(transaction.connection, number=number)]


def found(row: dict[str, Cell], now: datetime) -> Found:
    """What a row of the columns above means at *now*."""
    number, job_number, document, state = row["number"], row["job_number"], row["document"], row["state"]
    assert isinstance(number, int)
    assert isinstance(job_number, int)
    assert isinstance(document, str)
    assert isinstance(state, str)
    until, leased_slot = row["lease_until_us"], row["leased_slot"]
    live = isinstance(until, int) and until > us(now)
    return Found(
        number=number,
        job_number=job_number,
        endpoint=endpoint_from(document, state),
        leased_slot=leased_slot if live and isinstance(leased_slot, int) else None,
    )


def number_of(transaction: Transaction, tenant_id: str, endpoint_id: str) -> int:
    """The number of an endpoint. Raises NotFoundError."""
    row = _NUMBER.row(transaction.connection, tenant_id=tenant_id, endpoint_id=endpoint_id)
    if row is None:
        raise NotFoundError(f"There is no endpoint {endpoint_id}.")
    assert isinstance(row["number"], int)
    return row["number"]


def job_number_of(transaction: Transaction, tenant_id: str, job_id: str) -> int:
    """The number of a job. Raises NotFoundError."""
    row = _JOB_NUMBER.row(transaction.connection, tenant_id=tenant_id, job_id=job_id)
    if row is None:
        raise NotFoundError(f"There is no job {job_id}.")
    assert isinstance(row["number"], int)
    return row["number"]


def apply(transaction: Transaction, before: Found, change: Change) -> None:
    """Write an edit."""
    assert change.endpoint.id == before.endpoint.id
    row = endpoint_row(change.endpoint)
    _UPDATE_ENDPOINT.change(
        transaction.connection,
        endpoint_number=before.number,
        new_version=row["version"],
        new_archived_us=row["archived_us"],
        new_reads=row["reads"],
        new_document=row["document"],
    )
    if change.endpoint.is_watched != before.endpoint.is_watched:
        keep_watch(transaction, before.number, change.endpoint)
    write_state(transaction.connection, before.number, change.endpoint.state)
    record_skips(transaction.connection, before.number, change.skips)


def keep_watch(transaction: Transaction, number: int, endpoint: JobEndpoint) -> None:
    """Watch an endpoint from now on, or no more: as its owner would have it."""
    if endpoint.is_watched:
        now_us = us(transaction.now)
        _WATCH.change(transaction.connection, endpoint_number=number, look_us=now_us, cursor_us=now_us)
    else:
        _UNWATCH.change(transaction.connection, number=number)


def write_state(connection: sqlite3.Connection, number: int, state: EndpointState) -> None:
    """Write where the schedule of an endpoint stands; its lease stays."""
    row = {f"new_{name}": cell for name, cell in state_row(state).items()}
    _UPDATE_STATE.change(connection, number=number, **row)


@lru_cache(256)
def insert_runs(count: int) -> str:
    """A statement that records *count* runs, each by its `run_cells`."""
    return f"INSERT INTO runs (endpoint_number, {', '.join(_RUN)}) VALUES {', '.join([_RUN_ROW] * count)}"  # noqa: S608 (made of constants)


def run_cells(number: int, run: Run, steering: str | None = None) -> tuple[Cell, ...]:
    """What `record_runs` takes of a run, with what was made of its answer."""
    return (number, *_columns_of_run(run_row(run, steering)))


def record_runs(connection: sqlite3.Connection, runs_cells: Sequence[tuple[Cell, ...]]) -> None:
    """Write runs, each by its `run_cells`, and count them."""
    cells = [cell for run in runs_cells for cell in run]
    newest = connection.execute(insert_runs(len(runs_cells)), cells).lastrowid
    assert newest is not None
    count_runs(connection, newest, len(runs_cells))


def record_run(connection: sqlite3.Connection, number: int, run: Run, steering: str | None = None) -> None:
    """Write a run, with what was made of its answer. Raises ConflictError when its slot and attempt have one."""
    try:
        record_runs(connection, [run_cells(number, run, steering)])
    except sqlite3.IntegrityError as error:
        raise ConflictError(f"Run {run.id} is already recorded.") from error


def record_skips(connection: sqlite3.Connection, number: int, ranges: Iterable[Skip]) -> None:
    """Write skips."""
    for skip in ranges:
        _INSERT_SKIP.change(connection, endpoint_number=number, **skip_row(skip))


def _siblings(transaction: Transaction, number: int) -> dict[str, Sibling]:
    rows = _SIBLINGS.rows(transaction.connection, number=number)
    siblings = (found(row, transaction.now) for row in rows)
    return {each.endpoint.name: Sibling(each.endpoint, each.leased_slot) for each in siblings}
