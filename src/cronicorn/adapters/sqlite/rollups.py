"""Counted runs in a SQLite file: counting those that were just recorded, and reading how many there were."""

import sqlite3
from collections.abc import Sequence

from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.queries import dicts
from cronicorn.adapters.sqlite.writer import Transaction
from cronicorn.domain.archive import COLUMNS, Table
from cronicorn.domain.cells import Cell, Row
from cronicorn.domain.plan import Source
from cronicorn.domain.rollup.ports import Rollups
from cronicorn.domain.rollup.rows import (
    HOUR_US,
    PAUSE_MARK,
    SUSPENDED_MARK,
    analysis_tally_of,
    endpoint_tally_of,
    job_tally_of,
    paused_among,
    span_row,
    step_tally_of,
)
from cronicorn.domain.rollup.tallies import (
    AnalysisTally,
    Census,
    EndpointTally,
    HourSpan,
    JobTally,
    StepTally,
)

# What was just recorded has the highest numbers, and is read from the pages that were just written: the statements take
# two numbers, whatever is counted.
_RECORDED = "FROM runs AS r JOIN endpoints AS e ON e.number = r.endpoint_number WHERE r.number > ? AND r.number <= ?"
_ADD = "DO UPDATE SET runs = runs + excluded.runs, duration_us = duration_us + excluded.duration_us"
COUNT_OF_ENDPOINTS = f"""
INSERT INTO endpoint_hours (job_number, hour_us, endpoint_number, source, status, runs, duration_us)
SELECT e.job_number, r.started_us - r.started_us % {HOUR_US}, r.endpoint_number, r.source, r.status, 1, r.duration_us
  {_RECORDED}
    ON CONFLICT (job_number, hour_us, endpoint_number, source, status) {_ADD}
"""
COUNT_OF_JOBS = f"""
INSERT INTO job_hours (job_number, hour_us, source, status, runs, duration_us)
SELECT e.job_number, r.started_us - r.started_us % {HOUR_US}, r.source, r.status, count(*), sum(r.duration_us)
  {_RECORDED}
 GROUP BY 1, 2, 3, 4
    ON CONFLICT (job_number, hour_us, source, status) {_ADD}
"""
_OF_JOB = "j.tenant_id = :tenant_id AND (:job_id IS NULL OR j.id = :job_id)"
_JOBS = f"SELECT j.number FROM jobs AS j WHERE {_OF_JOB}"  # noqa: S608 (made of constants)
_IN_SPAN = f"h.job_number IN ({_JOBS}) AND h.hour_us >= :since_us AND h.hour_us < :until_us"
_SUMS = "sum(h.runs) AS runs, sum(h.duration_us) AS duration_us"
BY_JOB = f"""
SELECT j.id, j.name, h.source, h.status, {_SUMS}
  FROM jobs AS j JOIN job_hours AS h ON h.job_number = j.number
 WHERE {_OF_JOB} AND h.hour_us >= :since_us AND h.hour_us < :until_us
 GROUP BY j.number, h.source, h.status ORDER BY j.number, h.source, h.status
"""  # noqa: S608 (made of constants)
BY_STEP = f"""
SELECT h.hour_us - h.hour_us % :step_us AS begins_us, h.source, h.status, {_SUMS}
  FROM job_hours AS h WHERE {_IN_SPAN}
 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""  # noqa: S608 (made of constants)
_WANTED = "(:source IS NULL OR h.source = :source)"
# Hours are looked up one by one: of an endpoint that is wanted nobody reads the rows of all the others.
BUSIEST = f"""
WITH hours AS MATERIALIZED (
       SELECT told.job_number, told.hour_us, dense_rank() OVER (ORDER BY told.hour_us DESC) - 1 AS rank
         FROM (SELECT DISTINCT h.job_number, h.hour_us FROM job_hours AS h WHERE {_IN_SPAN}) AS told),
busiest AS MATERIALIZED (
       SELECT h.endpoint_number, sum(h.runs) AS most
         FROM hours AS hour
        CROSS JOIN endpoint_hours AS h ON h.job_number = hour.job_number AND h.hour_us = hour.hour_us
        WHERE hour.rank % :every = 0 AND {_WANTED}
        GROUP BY 1 HAVING EXISTS (SELECT 1 FROM endpoints AS e WHERE e.number = h.endpoint_number)
        ORDER BY 2 DESC, 1 LIMIT :most)
SELECT e.id, e.document AS owner, h.hour_us - h.hour_us % :step_us AS begins_us, h.source, h.status, {_SUMS}
  FROM busiest AS busy CROSS JOIN endpoints AS e ON e.number = busy.endpoint_number
 CROSS JOIN hours AS hour ON hour.job_number = e.job_number
 CROSS JOIN endpoint_hours AS h
    ON h.job_number = hour.job_number AND h.hour_us = hour.hour_us AND h.endpoint_number = busy.endpoint_number
 WHERE {_WANTED}
 GROUP BY busy.endpoint_number, 3, 4, 5 ORDER BY busy.most DESC, busy.endpoint_number, 3, 4, 5
"""  # noqa: S608 (made of constants)
_ANALYSES = f"""
  FROM analyses AS a JOIN endpoints AS e ON e.number = a.endpoint_number
 WHERE a.tenant_id = :tenant_id AND a.at_us >= :since_us AND a.at_us < :until_us AND e.job_number IN ({_JOBS})
"""
ANALYSES_BY_STEP = f"""
SELECT e.id, e.document AS owner, a.at_us - a.at_us % :step_us AS begins_us, count(*) AS analyses,
       sum(a.tokens) AS tokens
{_ANALYSES} GROUP BY e.number, 3 ORDER BY 3, e.number
"""
NEWEST_ANALYSES = f"""
SELECT a.*, e.document AS owner {_ANALYSES}
   AND (:after IS NULL OR (a.at_us, a.number) < (:until_us - 1, (SELECT number FROM analyses WHERE id = :after)))
 ORDER BY a.at_us DESC, a.number DESC LIMIT :most
"""  # noqa: S608 (made of constants)
_COLUMNS = ", ".join(f"r.{name}" for name in COLUMNS[Table.RUNS] if name != "body")
NEWEST_RUNS = f"""
SELECT {_COLUMNS}, e.id, e.document AS owner
  FROM endpoints AS e JOIN runs AS r ON r.endpoint_number = e.number
 WHERE e.number IN (SELECT h.endpoint_number FROM endpoint_hours AS h
                     WHERE h.job_number IN ({_JOBS}) AND h.hour_us = :hour_us)
   AND r.started_us >= :since_us AND r.started_us < :until_us
   AND (:after IS NULL OR (r.started_us, r.endpoint_number, r.slot, r.attempt)
        < (:until_us - 1, (SELECT number FROM endpoints WHERE id = :after), :after_slot, :after_attempt))
 ORDER BY r.started_us DESC, r.endpoint_number DESC, r.slot DESC, r.attempt DESC LIMIT :most
"""  # noqa: S608 (made of constants)
_ENDPOINTS = "FROM jobs AS j JOIN endpoints AS e ON e.job_number = j.number"
_THERE = f"{_OF_JOB} AND j.status <> 'archived' AND e.archived_us IS NULL"
CENSUS = f"""
SELECT (SELECT count(*) FROM jobs AS j WHERE {_OF_JOB} AND j.status = 'active'), count(*) {_ENDPOINTS} WHERE {_THERE}
"""  # noqa: S608 (made of constants)
MAYBE_PAUSED = f"""
SELECT s.state {_ENDPOINTS} JOIN schedule AS s ON s.endpoint_number = e.number
 WHERE {_THERE} AND (s.state LIKE '{PAUSE_MARK}' OR s.state LIKE '{SUSPENDED_MARK}')
"""
PRUNE_HOURS = "DELETE FROM endpoint_hours WHERE job_number IN (SELECT number FROM jobs) AND hour_us < ?"


def count_runs(connection: sqlite3.Connection, newest: int, recorded: int) -> None:
    """Count the *recorded* runs up to the number *newest*, which one statement of this transaction wrote."""
    for statement in (COUNT_OF_ENDPOINTS, COUNT_OF_JOBS):
        connection.execute(statement, (newest - recorded, newest))


class SqliteRollups(Rollups):
    """Reads counts."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def census(self, tenant_id: str, job_id: str | None = None) -> Census:
        which: Row = {"tenant_id": tenant_id, "job_id": job_id}

        def work(transaction: Transaction) -> Census:
            jobs, endpoints = transaction.connection.execute(CENSUS, which).fetchone()
            states = transaction.connection.execute(MAYBE_PAUSED, which)
            paused = paused_among((state for (state,) in states), transaction.now)
            return Census(jobs=jobs, endpoints=endpoints, paused=paused)

        return await self._database.read(work)

    async def by_job(self, tenant_id: str, span: HourSpan) -> Sequence[JobTally]:
        return [job_tally_of(row) for row in await self._rows(BY_JOB, tenant_id, span)]

    async def by_step(self, tenant_id: str, span: HourSpan) -> Sequence[StepTally]:
        return [step_tally_of(row) for row in await self._rows(BY_STEP, tenant_id, span)]

    async def busiest(
        self, tenant_id: str, span: HourSpan, limit: int, source: Source | None = None, every: int = 1
    ) -> Sequence[EndpointTally]:
        wanted = source.value if source is not None else None
        rows = await self._rows(BUSIEST, tenant_id, span, most=limit, source=wanted, every=every)
        return [endpoint_tally_of(row) for row in rows]

    async def analyses(self, tenant_id: str, span: HourSpan) -> Sequence[AnalysisTally]:
        return [analysis_tally_of(row) for row in await self._rows(ANALYSES_BY_STEP, tenant_id, span)]

    async def _rows(self, statement: str, tenant_id: str, span: HourSpan, **more: Cell) -> list[Row]:
        return await rows_of(self._database, statement, {**span_row(tenant_id, span), **more})


async def rows_of(database: SqliteDatabase, statement: str, parameters: Row) -> list[Row]:
    """What *statement* finds, by column name."""
    return await database.read(lambda transaction: dicts(transaction.connection.execute(statement, parameters)))
