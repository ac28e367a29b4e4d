"""How many due rows a second are claimed and settled, without calls, by batch and number of processes.

The bound is asyncpg with two statements of the same shape and nothing else: a claim that skips what is locked, and one
that writes a batch of schedule rows and run rows. Both wait for the disk at every commit; SQLite, beside it, does not.
"""

import json
import time
from dataclasses import dataclass

import asyncpg
import uvloop

from benchmarks.claimers import Pace, a_crowd, claim_and_settle, paced, rate
from benchmarks.crew import begin_together, crew
from benchmarks.planting import due_now, plant
from benchmarks.postgres import SERVER, new_database, postgres_server
from benchmarks.report import Report, Row
from benchmarks.world import opened, sqlite_file
from cronicorn.adapters.postgres.queries import PlainConnection
from cronicorn.adapters.postgres.stores import PostgresStores

_ROWS = 20_000
_ROWS_SQLITE = 4_000
_SECONDS = 6.0
_BATCHES = (10, 50, 200, 500)
_PROCESSES = (1, 2)
_STATE = "x" * 400
_BODY = json.dumps({"status": "ok"}).encode()

_BOUND_TABLES = """
CREATE SCHEMA bound;
CREATE TABLE bound.schedule (number bigint PRIMARY KEY, due_us bigint, fence bigint NOT NULL DEFAULT 0, claim_id text,
    lease_until_us bigint, state text NOT NULL) WITH (fillfactor = 50);
CREATE INDEX ON bound.schedule (due_us, number) WHERE claim_id IS NULL;
CREATE TABLE bound.runs (number bigint GENERATED ALWAYS AS IDENTITY, endpoint bigint, slot bigint, finished_us bigint,
    status text, outcome text, body bytea, UNIQUE (endpoint, slot));
"""
_BOUND_FILL = "INSERT INTO bound.schedule (number, due_us, state) SELECT n, n, $1 FROM generate_series(1, $2) AS n"
_BOUND_CLAIM = """
UPDATE bound.schedule AS e SET claim_id = $1, fence = e.fence + 1, lease_until_us = $2 + 30000000
  FROM (SELECT number FROM bound.schedule WHERE claim_id IS NULL AND due_us <= $2 ORDER BY due_us, number LIMIT $3
           FOR NO KEY UPDATE SKIP LOCKED) AS p
 WHERE e.number = p.number RETURNING e.number, e.fence, e.state
"""
_BOUND_SETTLE = """
WITH settled AS (
       UPDATE bound.schedule AS e SET claim_id = NULL, lease_until_us = NULL, due_us = $3, state = $4
         FROM unnest($1::bigint[], $2::bigint[]) AS d(number, fence)
        WHERE e.number = d.number AND e.fence = d.fence AND e.claim_id = $6 RETURNING e.number, e.fence)
INSERT INTO bound.runs (endpoint, slot, finished_us, status, outcome, body)
SELECT number, fence, $3, 'success', $4, $5 FROM settled
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What one process measures."""

    url: str
    worker_id: str
    batch: int
    seconds: float


def run(*, as_json: bool, quick: bool) -> None:
    """Measure and show."""
    seconds, batches, processes = (0.3, (10,), (1,)) if quick else (_SECONDS, _BATCHES, _PROCESSES)
    rows: list[Row] = []
    with postgres_server() as server:
        for count in processes:
            for batch in batches:
                name = f"b{batch}p{count}"
                url = new_database(server, name)
                uvloop.run(_fill(url, 1_000 if quick else _ROWS))
                orders = [
                    Order(url=url, worker_id=f"w{number}", batch=batch, seconds=seconds) for number in range(count)
                ]
                bound = rate(crew(_bound, orders), seconds)
                product = rate(crew(_product, orders), seconds)
                rows.append(_row(f"bound: asyncpg, {SERVER}", batch, count, bound, bound))
                rows.append(_row(f"cronicorn, {SERVER}", batch, count, product, bound))
                if count == 1:
                    sqlite = uvloop.run(_sqlite(batch, seconds, 200 if quick else _ROWS_SQLITE))
                    rows.append(_row("cronicorn, SQLite, no fsync", batch, count, sqlite, bound))
    about = f"due rows claimed and settled with a run, no calls, {seconds:g} s each after 1 s of warm-up"
    Report(name="claims", about=about, rows=rows).show(as_json=as_json)


def _row(what: str, batch: int, processes: int, rows_per_s: float, bound: float) -> Row:
    return {
        "what": what,
        "batch": batch,
        "processes": processes,
        "rows/s": rows_per_s,
        "of the bound": rows_per_s / bound,
    }


async def _fill(url: str, rows: int) -> None:
    await a_crowd(url, rows)
    connection = await asyncpg.connect(url)
    await connection.execute(_BOUND_TABLES)
    await connection.execute(_BOUND_FILL, _STATE, rows)
    await connection.execute("VACUUM ANALYZE bound.schedule")
    await connection.close()


def _product(order: Order) -> Pace:
    return uvloop.run(_measure_product(order))


async def _measure_product(order: Order) -> Pace:
    stores = await PostgresStores.open(order.url)
    try:
        begin_together()
        return await claim_and_settle(stores.job_store, order.worker_id, batch=order.batch, seconds=order.seconds)
    finally:
        await stores.aclose()


def _bound(order: Order) -> Pace:
    return uvloop.run(_measure_bound(order))


async def _measure_bound(order: Order) -> Pace:
    connection = await asyncpg.connect(order.url)
    try:
        begin_together()
        return await paced(lambda: _bound_turn(connection, order), order.seconds)
    finally:
        await connection.close()


async def _bound_turn(connection: PlainConnection, order: Order) -> tuple[float, int]:
    asked = time.monotonic()
    rows = await connection.fetch(_BOUND_CLAIM, order.worker_id, _now_us(), order.batch)
    took = time.monotonic() - asked
    numbers, fences = [row["number"] for row in rows], [row["fence"] for row in rows]
    await connection.execute(_BOUND_SETTLE, numbers, fences, _now_us(), _STATE, _BODY, order.worker_id)
    return took, len(rows)


async def _sqlite(batch: int, seconds: float, rows: int) -> float:
    with sqlite_file() as file:
        async with opened(file) as world:
            await plant(world.stores, due_now(rows, "http://127.0.0.1:8000"))
            pace = await claim_and_settle(world.stores.job_store, "w", batch=batch, seconds=seconds)
            return rate([pace], seconds)


def _now_us() -> int:
    return time.time_ns() // 1_000
