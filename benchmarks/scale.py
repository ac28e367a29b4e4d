"""What a run costs as endpoints grow, and as runs that were recorded before do, on both stores.

Due endpoints lie among all the others, and new runs among the recorded ones, which are of today: no index is smaller
than in an installation of that size.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import uvloop

from benchmarks.draining import Drain, drain, left_by_the_product
from benchmarks.planting import due_now, plant, waiting
from benchmarks.report import Report, Row
from benchmarks.rounds import Place, both_stores, costs
from benchmarks.target import target_server
from benchmarks.world import CALLS_MAX, opened
from cronicorn.adapters.sqlite.connection import SqliteFile
from cronicorn.domain.cells import Cell
from cronicorn.domain.endpoint import Baseline, JobEndpoint
from cronicorn.domain.fields import us
from cronicorn.domain.instant import DAY
from cronicorn.wiring.database_url import parse_database_url

_SLOTS_BEFORE = 1_000
"""Recorded runs are of later slots than those that become due."""
_MADE = 100_000
"""So many runs are made in one transaction."""
_DUE, _MEASURED = 5, 2.5
"""Times the slots that warm up: what is due, and what is measured. A scheduler that stops has begun some more."""


@dataclass(frozen=True, slots=True)
class Size:
    """Of an installation."""

    endpoints: int
    runs: int


SIZES = (Size(10_000, 0), Size(100_000, 0), Size(10_000, 1_000_000))
LARGE = (Size(10_000, 0), Size(1_000_000, 0), Size(10_000, 10_000_000))
_QUICK = (Size(1_000, 0), Size(1_000, 2_000))


def run(*, as_json: bool, quick: bool) -> None:
    """Measure and show."""
    show("scale", _QUICK if quick else SIZES, as_json=as_json, quick=quick)


def show(name: str, sizes: Sequence[Size], *, as_json: bool, quick: bool) -> None:
    """Measure at *sizes* and show under *name*."""
    slots = 200 if quick else 2_000
    rows: list[Row] = []
    with target_server() as target, both_stores(quick=quick) as places:
        for store, place in places.items():
            first: Row | None = None
            for size in sizes:
                row: Row = {"what": store, **_measured(place, size, target.url, slots)}
                first = first or row
                rows.append({**row, "times the first": _cpu_us(row) / _cpu_us(first)})
                target.arrivals()
    about = f"{_MEASURED * slots:,.0f} runs, {CALLS_MAX} calls at once, after {slots} to warm up"
    Report(name=name, about=about, rows=rows).show(as_json=as_json)


def _cpu_us(row: Row) -> float:
    return sum(float(row[which] or 0) for which in ("CPU µs/run", "database CPU µs/run"))


def _measured(place: Place, size: Size, target: str, slots: int) -> Row:
    with place() as empty:
        run, _ = left_by_the_product(Drain(database=empty, target=target, slots=1))
    with place() as database:
        uvloop.run(_endpoints(database, size, target, _DUE * slots))
        if size.runs:
            uvloop.run(_runs(database, size, run))
        drain(Drain(database=database, target=target, slots=slots))
        found = drain(Drain(database=database, target=target, slots=int(_MEASURED * slots)))
    return {
        "endpoints": size.endpoints,
        "runs recorded": size.runs,
        "runs/s": found.rate,
        **costs([found]),
    }


async def _endpoints(database: str, size: Size, target: str, due: int) -> None:
    async with opened(database) as world:
        await plant(world.stores, _crowd(size.endpoints, target, due))


def _crowd(endpoints: int, target: str, due: int) -> Iterator[JobEndpoint]:
    """So many endpoints, *due* of them now, picked by chance, all others tomorrow."""
    baseline = Baseline(interval=DAY, anchor_at=datetime.now(UTC))
    chosen, ready = set(random.Random(1).sample(range(endpoints), due)), due_now(due, target)
    for number in range(endpoints):
        yield next(ready) if number in chosen else waiting(endpoints + number, f"{target}/{number}", baseline)


async def _runs(database: str, size: Size, run: Mapping[str, Cell]) -> None:
    """Record runs like *run*, of all endpoints in turn, since the day began."""
    now = datetime.now(UTC)
    begin_us = us(now.replace(hour=0, minute=0, second=0, microsecond=0))
    finished = f"{begin_us} + n * {max((us(now) - begin_us) // size.runs, 1)}"
    varying = {
        "endpoint_number": f"1 + n % {size.endpoints}",
        "slot": f"{_SLOTS_BEFORE} + n / {size.endpoints}",
        "started_us": finished,
        "finished_us": finished,
    }
    await record(database, size.runs, varying, run)


async def record(database: str, count: int, varying: Mapping[str, str], run: Mapping[str, Cell]) -> None:
    """Record *count* runs like *run*, but for what is *varying*: an expression for each column, in which `n` counts."""
    same = {column: cell for column, cell in run.items() if column not in {"number", *varying}}
    url = parse_database_url(database)
    if url.backend == "postgresql":
        await _run_on_server(url.connection, count, varying, same)
    else:
        _run_in_file(url.file, count, varying, same)


def _run_in_file(file: Path, count: int, varying: Mapping[str, str], same: Mapping[str, Cell]) -> None:
    statement = f"""
    INSERT INTO runs ({", ".join([*varying, *same])})
      WITH RECURSIVE numbers(n) AS (SELECT ? UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ?)
    SELECT {", ".join([*varying.values(), *("?" for _ in same)])} FROM numbers
    """
    connection = SqliteFile(path=file).connect()
    for begin in range(0, count, _MADE):
        connection.execute(statement, (begin, min(begin + _MADE, count), *same.values()))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


async def _run_on_server(url: str, count: int, varying: Mapping[str, str], same: Mapping[str, Cell]) -> None:
    kinds = {int: "bigint", str: "text", bytes: "bytea"}
    given = {column: cell for column, cell in same.items() if cell is not None}
    places = [f"${place}::{kinds[type(cell)]}" for place, cell in enumerate(given.values(), 3)]
    statement = f"""
    INSERT INTO cronicorn.runs ({", ".join([*varying, *given])})
    SELECT {", ".join([*varying.values(), *places])} FROM generate_series($1::bigint, $2::bigint - 1) AS n
    """
    connection = await asyncpg.connect(url)
    for begin in range(0, count, _MADE):
        await connection.execute(statement, begin, min(begin + _MADE, count), *given.values())
    await connection.execute("VACUUM ANALYZE cronicorn.runs")
    await connection.execute("CHECKPOINT")
    await connection.close()
