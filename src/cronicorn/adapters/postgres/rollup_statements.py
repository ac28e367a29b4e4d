# ruff: noqa: S608 - statements are put together from the pieces here
"""The statements of counted runs. Those that read take `$1` tenant, `$2` job or NULL, `$3` since, `$4` until."""

from cronicorn.domain.archive import COLUMNS, Table
from cronicorn.domain.rollup.rows import HOUR_US, PAUSE_MARK, SUSPENDED_MARK

_PARTS = 64
"""Connections that count runs of one job at once seldom share a row: each would wait for the other's commit."""
_ADD = "DO UPDATE SET runs = c.runs + excluded.runs, duration_us = c.duration_us + excluded.duration_us"
COUNTING = f"""begun AS MATERIALIZED (
       SELECT e.job_number, r.started_us - r.started_us % {HOUR_US} AS hour_us, r.endpoint_number, r.source, r.status,
              r.duration_us
         FROM recorded AS r JOIN cronicorn.endpoints AS e ON e.number = r.endpoint_number),
hours_of_jobs AS (
       INSERT INTO cronicorn.job_hours AS c (job_number, hour_us, source, status, part, runs, duration_us)
       SELECT job_number, hour_us, source, status, pg_backend_pid() % {_PARTS}, count(*), sum(duration_us) FROM begun
        GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
           ON CONFLICT (job_number, hour_us, source, status, part) {_ADD}
       RETURNING 1),
hours_of_endpoints AS (
       INSERT INTO cronicorn.endpoint_hours AS c
              (job_number, hour_us, endpoint_number, source, status, runs, duration_us)
       SELECT job_number, hour_us, endpoint_number, source, status, 1, duration_us FROM begun
           ON CONFLICT (job_number, hour_us, endpoint_number, source, status) {_ADD})"""
"""Counts what `recorded` returns, no endpoint twice. Rows of jobs are locked after those of `schedule`, by their key;
those of an endpoint belong to whoever has locked its schedule."""

COUNT_ONE = f"""
WITH recorded AS (
       SELECT $1::bigint AS endpoint_number, $2::text AS source, $3::text AS status, $4::bigint AS started_us,
              $5::bigint AS duration_us),
{COUNTING}
SELECT 1
"""

_OF_JOB = "j.tenant_id = $1 AND ($2::text IS NULL OR j.id = $2)"
_JOBS = f"SELECT j.number FROM cronicorn.jobs AS j WHERE {_OF_JOB}"
_IN_SPAN = f"h.job_number IN ({_JOBS}) AND h.hour_us >= $3 AND h.hour_us < $4"
_SUMS = "sum(h.runs)::bigint AS runs, sum(h.duration_us)::bigint AS duration_us"
BY_JOB = f"""
SELECT j.id, j.name, h.source, h.status, {_SUMS}
  FROM cronicorn.jobs AS j JOIN cronicorn.job_hours AS h ON h.job_number = j.number
 WHERE {_OF_JOB} AND h.hour_us >= $3 AND h.hour_us < $4
 GROUP BY j.number, h.source, h.status ORDER BY j.number, h.source, h.status
"""
BY_STEP = f"""
SELECT h.hour_us - h.hour_us % $5::bigint AS begins_us, h.source, h.status, {_SUMS}
  FROM cronicorn.job_hours AS h WHERE {_IN_SPAN}
 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_WANTED = "($7::text IS NULL OR h.source = $7)"
# Hours are looked up one by one: of an endpoint that is wanted nobody reads the rows of all the others.
BUSIEST = f"""
WITH hours AS MATERIALIZED (
       SELECT h.job_number, h.hour_us, dense_rank() OVER (ORDER BY h.hour_us DESC) - 1 AS rank
         FROM (SELECT DISTINCT h.job_number, h.hour_us FROM cronicorn.job_hours AS h WHERE {_IN_SPAN}) AS h),
busiest AS MATERIALIZED (
       SELECT h.endpoint_number, sum(h.runs) AS most
         FROM hours AS k
         JOIN cronicorn.endpoint_hours AS h ON h.job_number = k.job_number AND h.hour_us = k.hour_us
        WHERE k.rank % $8::bigint = 0 AND {_WANTED}
        GROUP BY 1 HAVING EXISTS (SELECT FROM cronicorn.endpoints AS e WHERE e.number = h.endpoint_number)
        ORDER BY 2 DESC, 1 LIMIT $6)
SELECT e.id, e.document AS owner, t.begins_us, t.source, t.status, t.runs, t.duration_us
  FROM busiest AS b JOIN cronicorn.endpoints AS e ON e.number = b.endpoint_number
 CROSS JOIN LATERAL (
       SELECT h.hour_us - h.hour_us % $5::bigint AS begins_us, h.source, h.status, {_SUMS}
         FROM hours AS k
         JOIN cronicorn.endpoint_hours AS h
           ON h.job_number = k.job_number AND h.hour_us = k.hour_us AND h.endpoint_number = b.endpoint_number
        WHERE k.job_number = e.job_number AND {_WANTED}
        GROUP BY 1, 2, 3) AS t
 ORDER BY b.most DESC, b.endpoint_number, t.begins_us, t.source, t.status
"""
_ANALYSES = f"""
  FROM cronicorn.analyses AS a JOIN cronicorn.endpoints AS e ON e.number = a.endpoint_number
 WHERE a.tenant_id = $1 AND a.at_us >= $3 AND a.at_us < $4 AND e.job_number IN ({_JOBS})
"""
ANALYSES_BY_STEP = f"""
SELECT e.id, e.document AS owner, t.begins_us, t.analyses, t.tokens
  FROM (SELECT e.number, a.at_us - a.at_us % $5::bigint AS begins_us, count(*) AS analyses,
               sum(a.tokens)::bigint AS tokens {_ANALYSES} GROUP BY 1, 2) AS t
  JOIN cronicorn.endpoints AS e ON e.number = t.number ORDER BY t.begins_us, t.number
"""
NEWEST_ANALYSES = f"""
SELECT a.*, e.document AS owner {_ANALYSES}
   AND ($6::text IS NULL OR (a.at_us, a.number) < ($4 - 1, (SELECT number FROM cronicorn.analyses WHERE id = $6)))
 ORDER BY a.at_us DESC, a.number DESC LIMIT $5
"""
_COLUMNS = ", ".join(f"r.{name}" for name in COLUMNS[Table.RUNS] if name != "body")
# No run ends before it begins: partitions of earlier days are not looked into.
NEWEST_RUNS = f"""
SELECT r.*, e.id, e.document AS owner
  FROM (SELECT DISTINCT h.endpoint_number FROM cronicorn.endpoint_hours AS h
         WHERE h.job_number IN ({_JOBS}) AND h.hour_us = $6) AS h
  JOIN cronicorn.endpoints AS e ON e.number = h.endpoint_number
 CROSS JOIN LATERAL (
       SELECT {_COLUMNS} FROM cronicorn.runs AS r
        WHERE r.endpoint_number = e.number AND r.started_us >= $3 AND r.started_us < $4 AND r.finished_us >= $3
          AND ($7::text IS NULL OR (r.started_us, r.endpoint_number, r.slot, r.attempt)
               < ($4 - 1, (SELECT number FROM cronicorn.endpoints WHERE id = $7), $8::bigint, $9::bigint))
        ORDER BY r.started_us DESC, r.slot DESC, r.attempt DESC LIMIT $5) AS r
 ORDER BY r.started_us DESC, r.endpoint_number DESC, r.slot DESC, r.attempt DESC LIMIT $5
"""
_ENDPOINTS = "FROM cronicorn.jobs AS j JOIN cronicorn.endpoints AS e ON e.job_number = j.number"
_THERE = f"{_OF_JOB} AND j.status <> 'archived' AND e.archived_us IS NULL"
JOBS = f"SELECT count(*) FROM cronicorn.jobs AS j WHERE {_OF_JOB} AND j.status = 'active'"
ENDPOINTS = f"SELECT count(*) {_ENDPOINTS} WHERE {_THERE}"
MAYBE_PAUSED = f"""
SELECT s.state {_ENDPOINTS}
  JOIN cronicorn.schedule AS s ON s.endpoint_id = e.id AND s.endpoint_number = e.number AND s.shard = $3
 WHERE {_THERE} AND (s.state LIKE '{PAUSE_MARK}' OR s.state LIKE '{SUSPENDED_MARK}')
"""
PRUNE_HOURS = """
DELETE FROM cronicorn.endpoint_hours WHERE job_number IN (SELECT number FROM cronicorn.jobs) AND hour_us < $1
"""
