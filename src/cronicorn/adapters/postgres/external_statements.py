# ruff: noqa: S608 - statements are put together from the pieces in this file and in `lease_statements`
"""The statements of claims that a lock service arbitrates: choose without a lock, and stamp what the service granted.

A stamp makes a row look leased to everybody, whatever their mechanism. `lease_until_us` is when the service lets the
claim go, as far as the database was told; for as long it counts as held. `takeover_us`, after which any mechanism takes
the row, lies behind the longest the call may last: a holder whom the service keeps alive may have lost the database.
Workers of the same mechanism need not wait so long, since they ask the service.
"""

from dataclasses import dataclass, replace

from cronicorn.adapters.postgres import holding_statements
from cronicorn.adapters.postgres.claim_statements import LEASED
from cronicorn.adapters.postgres.queries import altered
from cronicorn.adapters.postgres.row_locks import SKIP_LOCKED, WAIT_FOR_LOCKED
from cronicorn.adapters.postgres.statement_time import NOW_US, takeover_delay_us
from cronicorn.domain.call import EXECUTION_DEFAULT
from cronicorn.domain.fields import length_us

_EXECUTION_MAX_US = f"""coalesce(
       substring((SELECT document FROM cronicorn.endpoints WHERE number = e.endpoint_number)
                 FROM '"execution_max_us":([0-9]+)')::bigint, {length_us(EXECUTION_DEFAULT)})"""
"""How long a call of the endpoint may last: as is usual where its document says nothing. Nothing else in it reads so:
quotes within a text are escaped."""
_SLACK_US = 10_000_000
"""For the claim before a call and the settlement after it."""

_LET_GO_US = f"s.lease_until_us + {takeover_delay_us('s.lost_claims + 1')}"
_LOST = f"(s.takeover_us <= {NOW_US} OR s.mechanism = $8 AND {_LET_GO_US} <= {NOW_US}) AND {NOW_US} BETWEEN $6 AND $7"
_MINE = "s.bucket >= $4 AND s.bucket < $5"
_DUE = f"{_MINE} AND s.due_us <= {NOW_US} AND s.endpoint_id <> ALL ($9::text[])"
_PLACE = "s.shard, s.endpoint_id, s.endpoint_number, s.due_us"
_SHARDS = "generate_series(0, $2::int - 1) AS d(shard)"


def _earliest(where: str) -> str:
    """The longest due rows of all shards, each read from the left end of its index."""
    return f"""(
       SELECT f.* FROM {_SHARDS} CROSS JOIN LATERAL (
              SELECT {_PLACE} FROM cronicorn.schedule AS s WHERE s.shard = d.shard AND {_DUE} AND {where}
               ORDER BY s.due_us, s.endpoint_number LIMIT $3) AS f
        ORDER BY f.due_us, f.endpoint_number LIMIT $3)"""


_FREE = _earliest("s.claim_id IS NULL")
_TAKEN_OVER = _earliest(f"s.claim_id IS NOT NULL AND {_LOST}")

CANDIDATES = f"""
SELECT {NOW_US} AS now_us, p.*
  FROM (SELECT 1) AS one LEFT JOIN (
       SELECT * FROM {_FREE} AS free UNION ALL SELECT * FROM {_TAKEN_OVER} AS lost
        ORDER BY due_us, endpoint_number LIMIT $3) AS p ON true
"""
"""What has been due longest, and the instant; one row at least."""

CANDIDATE_NAMED = f"""
SELECT {NOW_US} AS now_us, p.*
  FROM (SELECT 1) AS one LEFT JOIN (
       SELECT {_PLACE} FROM {_SHARDS} JOIN cronicorn.schedule AS s ON s.shard = d.shard AND s.endpoint_id = $10
        WHERE {_DUE} AND (s.claim_id IS NULL OR {_LOST}) LIMIT $3) AS p ON true
"""

CANDIDATES_IN_TURN = f"""
WITH RECURSIVE visited AS (
       (SELECT s.shard, s.tenant_id, s.bucket, s.due_us, 1 AS visit FROM cronicorn.schedule AS s
         WHERE s.claim_id IS NULL AND s.due_us IS NOT NULL AND (s.shard, s.tenant_id) > ($10::smallint, $11::text)
         ORDER BY s.shard, s.tenant_id, s.due_us LIMIT 1)
        UNION ALL
       SELECT n.shard, n.tenant_id, n.bucket, n.due_us, v.visit + 1 FROM visited AS v CROSS JOIN LATERAL (
              SELECT s.shard, s.tenant_id, s.bucket, s.due_us FROM cronicorn.schedule AS s
               WHERE s.claim_id IS NULL AND s.due_us IS NOT NULL AND (s.shard, s.tenant_id) > (v.shard, v.tenant_id)
               ORDER BY s.shard, s.tenant_id, s.due_us LIMIT 1) AS n
        WHERE v.visit < $12::int),
turns AS MATERIALIZED (
       SELECT s.shard, s.tenant_id, s.visit FROM visited AS s WHERE s.due_us <= {NOW_US} AND {_MINE}
        ORDER BY s.visit LIMIT $3),
fair AS (
       SELECT f.* FROM turns AS t CROSS JOIN LATERAL (
              SELECT {_PLACE} FROM cronicorn.schedule AS s
               WHERE s.shard = t.shard AND s.tenant_id = t.tenant_id AND s.claim_id IS NULL AND {_DUE}
               ORDER BY s.due_us, s.endpoint_number
               LIMIT (SELECT greatest(1, $3 / nullif(count(*), 0)) FROM turns)) AS f
        LIMIT $3),
picked AS (
       SELECT DISTINCT ON (endpoint_number) * FROM (
              SELECT *, 1 AS turn FROM fair UNION ALL SELECT *, 1 FROM {_TAKEN_OVER} AS lost
               UNION ALL SELECT *, 2 FROM {_FREE} AS fill) AS a
        ORDER BY endpoint_number, turn),
served AS (
       SELECT v.shard, v.tenant_id FROM visited AS v
        WHERE v.visit = CASE WHEN (SELECT count(*) FROM turns) = $3 THEN (SELECT max(visit) FROM turns) ELSE $12 END)
SELECT {NOW_US} AS now_us, p.*, l.shard AS served_shard, l.tenant_id AS served_tenant_id
  FROM (SELECT 1) AS one LEFT JOIN (SELECT * FROM picked ORDER BY turn, due_us, endpoint_number LIMIT $3) AS p ON true
  LEFT JOIN served AS l ON true
"""
"""An equal part for each tenant that has something due, then what has been due longest. See `CLAIM_IN_TURN`.

`served` is the tenant after which the next claim goes on; none when all had their turn.
"""

STAMP = f"""
WITH granted AS MATERIALIZED (
       SELECT * FROM unnest($2::smallint[], $3::text[], $4::text[], $5::bigint[])
           AS d(shard, endpoint_id, claim_id, token) ORDER BY d.shard, d.endpoint_id),
held AS MATERIALIZED (
       SELECT l.shard, l.endpoint_id, d.claim_id, d.token FROM granted AS d CROSS JOIN LATERAL (
              SELECT s.shard, s.endpoint_id FROM cronicorn.schedule AS s
               WHERE s.shard = d.shard AND s.endpoint_id = d.endpoint_id AND s.due_us <= $9::bigint
                 AND (s.claim_id IS NULL OR {_LOST})
                 {SKIP_LOCKED}) AS l
        WHERE {NOW_US} < $9 + $10::bigint)
UPDATE cronicorn.schedule AS e
   SET fence = greatest(e.fence + 1, h.token),
       lost_claims = e.lost_claims + (e.claim_id IS NOT NULL)::int,
       claim_id = h.claim_id,
       worker_id = $11,
       mechanism = $8,
       claimed_us = $9,
       leased_slot = coalesce(e.manual_slot, e.slot),
       leased_attempt = CASE WHEN e.manual_slot IS NULL THEN e.attempt ELSE 1 END,
       leased_manual = (e.manual_slot IS NOT NULL)::int,
       lease_until_us = $9 + $10,
       takeover_us = $9 + greatest($10, {_EXECUTION_MAX_US} + {_SLACK_US})
                     + {takeover_delay_us("e.lost_claims + 1 + (e.claim_id IS NOT NULL)::int")},
       cancelled = 0
  FROM held AS h
 WHERE e.shard = h.shard AND e.endpoint_id = h.endpoint_id
RETURNING {LEASED.strip()}
"""
"""Marks what the service granted as leased since $9, when it was chosen, for $10, unless that is over already.

A worker that froze after the service granted it something finds here that its time is up, or that the row is another's.
"""

FIND_STAMPED = f"""
SELECT {LEASED.strip()}
  FROM unnest($1::smallint[], $2::text[], $3::text[]) AS d(shard, endpoint_id, claim_id)
  JOIN cronicorn.schedule AS e ON e.shard = d.shard AND e.endpoint_id = d.endpoint_id AND e.claim_id = d.claim_id
"""
"""What was stamped although the answer never came."""

RENEW = altered(
    altered(holding_statements.RENEW, "takeover_us = ", "takeover_us = greatest(e.takeover_us, "),
    "\n  FROM held",
    ")\n  FROM held",
)
"""Tells the database of a renewal that the service granted. What keeps other mechanisms away is never shortened."""

NEXT_DUE = f"""
SELECT min(f.due_us) AS free_us, min(l.us) AS lost_us, {NOW_US} AS now_us
  FROM {_SHARDS}
  LEFT JOIN LATERAL (
       SELECT s.due_us FROM cronicorn.schedule AS s
        WHERE s.shard = d.shard AND s.claim_id IS NULL AND s.due_us IS NOT NULL AND s.bucket >= $3 AND s.bucket < $4
        ORDER BY s.due_us LIMIT 1) AS f ON true
  LEFT JOIN LATERAL (
       SELECT min(greatest(s.due_us, CASE WHEN s.mechanism = $5 THEN {_LET_GO_US} ELSE s.takeover_us END)) AS us
         FROM cronicorn.schedule AS s
        WHERE s.shard = d.shard AND s.claim_id IS NOT NULL AND s.due_us IS NOT NULL
          AND s.bucket >= $3 AND s.bucket < $4) AS l ON true
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalStatements:
    """The statements that such a claim depends on, so that a test can show what a weaker one would let through."""

    candidates: str = CANDIDATES
    candidates_in_turn: str = CANDIDATES_IN_TURN
    candidate_named: str = CANDIDATE_NAMED
    stamp: str = STAMP
    renew: str = RENEW

    def without_skip_locked(self) -> "ExternalStatements":
        """The same for a server that has no SKIP LOCKED: all wait for rows in the order that all others keep."""
        return replace(
            self,
            stamp=altered(self.stamp, SKIP_LOCKED, WAIT_FOR_LOCKED),
            renew=altered(self.renew, SKIP_LOCKED, WAIT_FOR_LOCKED),
        )
