# ruff: noqa: S608 - statements are put together from the pieces in this package
"""The statements that settle: many leases at once as they were claimed, or one as it is found.

A settlement proves its lease by claim id and fence, as `holding_statements` says. The parameters of `SETTLE` are lists,
one for each column: of leases with what was decided, of their runs, and of skips. `settling` lays them out.
"""

from cronicorn.adapters.postgres.holding_statements import ENDED
from cronicorn.adapters.postgres.queries import altered
from cronicorn.adapters.postgres.rollup_statements import COUNTING
from cronicorn.adapters.postgres.row_locks import WAIT_FOR_LOCKED

SETTLE = f"""
WITH decided AS MATERIALIZED (
       SELECT * FROM unnest($1::smallint[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[],
                            $7::bigint[], $8::bigint[], $9::bigint[], $10::text[], $11::text[], $12::bigint[],
                            $13::bigint[])
         WITH ORDINALITY
           AS d(shard, endpoint_id, claim_id, fence, plan_version, due_us, slot, attempt, manual_slot, state, done,
                run_slot, run_attempt, number) ORDER BY d.shard, d.endpoint_id),
held AS MATERIALIZED (
       SELECT d.number FROM decided AS d CROSS JOIN LATERAL (
              SELECT e.endpoint_number FROM cronicorn.schedule AS e
               WHERE e.shard = d.shard AND e.endpoint_id = d.endpoint_id
                 AND e.claim_id = d.claim_id AND e.fence = d.fence AND e.plan_version = d.plan_version
                 {WAIT_FOR_LOCKED}) AS l
         LEFT JOIN LATERAL (
              SELECT true AS there FROM cronicorn.runs AS r WHERE r.endpoint_number = l.endpoint_number
                 AND r.slot = d.run_slot AND r.attempt = d.run_attempt AND r.finished_us >= $14 AND r.finished_us <= $15
               LIMIT 1) AS recorded ON true
        WHERE recorded.there IS NULL),
settled AS (
       UPDATE cronicorn.schedule AS e
          SET due_us = d.due_us, slot = d.slot, attempt = d.attempt, manual_slot = d.manual_slot, state = d.state,
              {ENDED}, lost_claims = 0,
              done_claim_id = d.claim_id, done_fence = d.fence, done = d.done
         FROM held AS h JOIN decided AS d ON d.number = h.number
        WHERE e.shard = d.shard AND e.endpoint_id = d.endpoint_id
       RETURNING d.number, e.endpoint_number, d.run_slot, d.run_attempt, d.fence),
recorded AS (
       INSERT INTO cronicorn.runs (endpoint_number, slot, attempt, fence, status, source, trace, due_us, nominal_us,
                                   started_us, finished_us, duration_us, outcome, body, steering)
       SELECT s.endpoint_number, s.run_slot, s.run_attempt, s.fence, r.status, r.source, r.trace, r.due_us,
              r.nominal_us, r.started_us, r.finished_us, r.duration_us, r.outcome, r.body, r.steering
         FROM unnest($16::text[], $17::text[], $18::text[], $19::bigint[], $20::bigint[], $21::bigint[], $22::bigint[],
                     $23::bigint[], $24::text[], $25::bytea[], $26::text[])
           WITH ORDINALITY
           AS r(status, source, trace, due_us, nominal_us, started_us, finished_us, duration_us, outcome, body,
                steering, number)
         JOIN settled AS s ON s.number = r.number
        WHERE s.run_slot IS NOT NULL
       RETURNING endpoint_number, source, status, started_us, duration_us),
{COUNTING},
skipped AS (
       INSERT INTO cronicorn.skips (endpoint_number, state, reason, first_us, last_us, instants, exact)
       SELECT s.endpoint_number, k.state, k.reason, k.first_us, k.last_us, k.instants, k.exact
         FROM unnest($27::int[], $28::text[], $29::text[], $30::bigint[], $31::bigint[], $32::bigint[], $33::smallint[])
           WITH ORDINALITY AS k(number, state, reason, first_us, last_us, instants, exact, place)
         JOIN settled AS s ON s.number = k.number
        ORDER BY k.place)
SELECT array_agg(number) FROM settled
"""
"""Settles what is still as it was claimed, and answers which of the lists' places that are, from 1 on. The rest is left
to a closer look: fenced, settled before, or edited since.

A slot whose attempt is recorded already is left as well. It can only be so when a decision planned it again, and is
looked for from a day before the batch's earliest plan to a day after its latest end, so that few partitions are
searched.
"""

COUNT_RUNS = """
INSERT INTO cronicorn.run_counts AS c (tenant_id, month_us, runs)
SELECT t.tenant_id, t.month_us, count(*)
  FROM unnest($1::text[], $2::bigint[]) AS t(tenant_id, month_us)
 GROUP BY t.tenant_id, t.month_us ORDER BY t.tenant_id, t.month_us
    ON CONFLICT (tenant_id, month_us) DO UPDATE SET runs = c.runs + excluded.runs
"""
"""Counts runs that are recorded in the same transaction. Rows are locked after those of `schedule` and of jobs, by
tenant."""

_ANSWER = "\nSELECT array_agg(number) FROM settled\n"
_COUNTED = """,
counted AS (
       INSERT INTO cronicorn.run_counts AS c (tenant_id, month_us, runs)
       SELECT t.tenant_id, t.month_us, count(*)
         FROM unnest($34::int[], $35::text[], $36::bigint[]) AS t(number, tenant_id, month_us)
         JOIN settled AS s ON s.number = t.number
        CROSS JOIN (SELECT count(*) FROM hours_of_jobs) AS first
        GROUP BY t.tenant_id, t.month_us ORDER BY t.tenant_id, t.month_us
           ON CONFLICT (tenant_id, month_us) DO UPDATE SET runs = c.runs + excluded.runs)"""


def counting(settle: str) -> str:
    """*settle*, which counts runs of tenants with a limit as well: one more row for each of them."""
    return altered(settle, _ANSWER, _COUNTED + _ANSWER)


FIND = """
SELECT e.claim_id IS NOT DISTINCT FROM $3 AND e.fence = $4 AS held,
       e.done_claim_id IS NOT DISTINCT FROM $3 AND e.done_fence = $4 AS settled, e.done
  FROM cronicorn.schedule AS e WHERE e.shard = $1 AND e.endpoint_id = $2
"""
"""What became of a lease, seen when its row is locked."""

SETTLE_ONE = f"""
UPDATE cronicorn.schedule
   SET due_us = $3, slot = $4, attempt = $5, manual_slot = $6, state = $7, {ENDED}, lost_claims = 0,
       done_claim_id = $8, done_fence = $9, done = $10
 WHERE shard = $1 AND endpoint_id = $2
"""
