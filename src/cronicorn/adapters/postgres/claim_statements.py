# ruff: noqa: S608 - statements are put together from the pieces in this package
"""The statements that claim, hand-written: what has been due longest, or one endpoint by its id.

All claims take the same parameters first: $1 the judged instant (`statement_time`), $2 the shard, $3 how many, $4 and
$12 the watermark (`watermark`), $5 and $6 the share of the tenants, $7 and $8 between which instants leases may be
taken over, $9 the claim's nonce, $10 the worker, $11 for how long. `fair_claim_statements` has those with more.

Whatever a claim depends on stands on the row that it locks.
"""

from cronicorn.adapters.postgres.queries import altered
from cronicorn.adapters.postgres.row_locks import SKIP_LOCKED, WAIT_FOR_LOCKED
from cronicorn.adapters.postgres.statement_time import CLOCK_US, NOW_US, takeover_delay_us

DUE = f"s.shard = $2 AND s.due_us <= {NOW_US} AND s.bucket >= $5 AND s.bucket < $6"
"""Of the shard and the share, and due."""
FREE = f"{DUE} AND s.claim_id IS NULL AND (s.due_us, s.endpoint_number) >= ($4, $12)"
"""Due and held by nobody, from the watermark on."""
LOST = f"{DUE} AND s.claim_id IS NOT NULL AND s.takeover_us <= {NOW_US} AND {NOW_US} BETWEEN $7 AND $8"
"""Due, under a lease that has expired and whose slot has rested."""
EARLIEST = f"ORDER BY s.due_us, s.endpoint_number LIMIT $3 {SKIP_LOCKED}"
PLACE = "s.shard, s.endpoint_id, s.endpoint_number, s.due_us"
"""Where a row is, and its place in the order of claims."""

_LONGEST_DUE = f"""
free AS MATERIALIZED (SELECT {PLACE} FROM cronicorn.schedule AS s WHERE {FREE} {EARLIEST}),
lost AS MATERIALIZED (SELECT {PLACE} FROM cronicorn.schedule AS s WHERE {LOST} {EARLIEST}),
picked AS MATERIALIZED (
       SELECT * FROM free UNION ALL SELECT * FROM lost ORDER BY due_us, endpoint_number LIMIT $3)
"""
"""What has been due longest: of the free by `schedule_due` from a watermark on, of the lost by `schedule_leased`."""

_NAMED = f"""
picked AS MATERIALIZED (
       SELECT {PLACE} FROM cronicorn.schedule AS s
        WHERE {DUE} AND s.endpoint_id = $13 AND (s.due_us, s.endpoint_number) >= ($4, $12)
          AND (s.claim_id IS NULL OR s.takeover_us <= {NOW_US} AND {NOW_US} BETWEEN $7 AND $8)
        LIMIT $3 {SKIP_LOCKED})
"""


def watched_by_siblings(number: str) -> str:
    """Whether rules of other endpoints of the job read siblings; *number* is an endpoint's."""
    return f"""
(SELECT 1 FROM cronicorn.endpoints AS other
  WHERE other.reads = 1 AND other.number <> {number}
    AND other.job_number = (SELECT job_number FROM cronicorn.endpoints WHERE number = {number}) LIMIT 1) AS watched
""".strip()


LEASED = f"""
e.due_us, e.endpoint_number, e.claim_id, e.fence, e.leased_slot, e.leased_attempt, e.leased_manual, e.lost_claims,
e.claimed_us, e.lease_until_us, e.state, e.shard,
(SELECT document FROM cronicorn.endpoints WHERE number = e.endpoint_number) AS document,
{watched_by_siblings("e.endpoint_number")},
(SELECT q.plan_version FROM cronicorn.schedule AS q
  WHERE q.shard = e.shard AND q.endpoint_id = e.endpoint_id) AS plan_version
"""
"""What makes a lease. An edit that ends between the statement's snapshot and its lock shows in the locked row alone, so
the document may be older than the state; the plan version is the snapshot's as well, and the settlement notices."""


def claim_of(picked: str, seen: str = "") -> str:
    """The claim of what *picked* finds: at least one row, with the clock and how much there was to choose from.

    *seen* are more columns of what was seen on the way, each with a comma behind it.
    """
    return f"""
WITH RECURSIVE {picked.strip()},
taken AS (
       UPDATE cronicorn.schedule AS e
          SET fence = e.fence + 1,
              lost_claims = e.lost_claims + (e.claim_id IS NOT NULL)::int,
              claim_id = $9::text || '-' || e.endpoint_number,
              worker_id = $10,
              mechanism = 'lease',
              claimed_us = {NOW_US},
              leased_slot = coalesce(e.manual_slot, e.slot),
              leased_attempt = CASE WHEN e.manual_slot IS NULL THEN e.attempt ELSE 1 END,
              leased_manual = (e.manual_slot IS NOT NULL)::int,
              lease_until_us = {NOW_US} + $11,
              takeover_us = {NOW_US} + $11 + {takeover_delay_us("e.lost_claims + 1 + (e.claim_id IS NOT NULL)::int")},
              cancelled = 0
         FROM picked AS p
        WHERE e.shard = p.shard AND e.endpoint_id = p.endpoint_id
       RETURNING {LEASED.strip()})
SELECT {CLOCK_US} AS now_us, (SELECT count(*) FROM picked) AS found,{seen} t.*
  FROM (SELECT 1) AS one LEFT JOIN taken AS t ON true
"""


CLAIM = claim_of(_LONGEST_DUE)
CLAIM_NAMED = claim_of(_NAMED)

TENANT_OF = "SELECT tenant_id FROM cronicorn.endpoints WHERE id = $1"
"""Whose an endpoint is, which says in what shard it lies (`shard_of`)."""

FIND_CLAIMED = f"""
SELECT {NOW_US} AS now_us, {LEASED.strip()}
  FROM cronicorn.schedule AS e WHERE e.shard = $2 AND e.claim_id IS NOT NULL AND starts_with(e.claim_id, $3)
"""
"""What a claim took whose answer never came."""

_SWEEP_US = f"{NOW_US} + d.sweep_in_us"
_NONE_BEFORE_SWEEP = f"(d.sweep_in_us IS NULL OR f.due_us IS NULL OR f.due_us > {_SWEEP_US})"
NEXT_DUE = f"""
SELECT min(least(f.due_us, b.us)) AS free_us, min(l.us) AS lost_us, {NOW_US} AS now_us
  FROM unnest($2::smallint[], $3::bigint[], $6::bigint[]) AS d(shard, mark, sweep_in_us)
  LEFT JOIN LATERAL (
       SELECT s.due_us FROM cronicorn.schedule AS s
        WHERE s.shard = d.shard AND s.claim_id IS NULL AND s.due_us IS NOT NULL AND s.due_us >= d.mark
          AND s.bucket >= $4 AND s.bucket < $5
        ORDER BY s.due_us LIMIT 1) AS f ON true
  LEFT JOIN LATERAL (
       SELECT greatest(s.due_us, {_SWEEP_US}) AS us FROM cronicorn.schedule AS s
        WHERE s.shard = d.shard AND s.claim_id IS NULL AND s.due_us IS NOT NULL AND s.due_us < d.mark
          AND s.bucket >= $4 AND s.bucket < $5 AND {_NONE_BEFORE_SWEEP}
        ORDER BY s.due_us LIMIT 1) AS b ON true
  LEFT JOIN LATERAL (
       SELECT min(greatest(s.due_us, s.takeover_us, {_SWEEP_US})) AS us FROM cronicorn.schedule AS s
        WHERE s.shard = d.shard AND s.claim_id IS NOT NULL AND s.due_us IS NOT NULL
          AND s.bucket >= $4 AND s.bucket < $5 AND {_NONE_BEFORE_SWEEP}) AS l ON true
"""
"""The earliest instant at which a claim finds something free, and the earliest at which it finds something lost.

What lies below the mark or was lost is found by a sweep, so not before that; it is looked for where nothing else is due
until then, and costs those nothing who have enough to do. Where the next claim sweeps, `sweep_in_us` is null.
"""

_LOCKED_IN_ORDER = f"""
held AS MATERIALIZED (
       SELECT l.* FROM (SELECT shard, endpoint_id FROM picked ORDER BY shard, endpoint_id) AS p CROSS JOIN LATERAL (
              SELECT s.shard, s.endpoint_id FROM cronicorn.schedule AS s
               WHERE s.shard = p.shard AND s.endpoint_id = p.endpoint_id AND s.due_us <= {NOW_US}
                 AND (s.claim_id IS NULL OR s.takeover_us <= {NOW_US} AND {NOW_US} BETWEEN $7 AND $8)
                 {WAIT_FOR_LOCKED}) AS l)
"""


def without_skip_locked(claim: str) -> str:
    """*claim* for a server without SKIP LOCKED: candidates are chosen without a lock, then locked and looked at again.

    Several claims may choose the same; what one of them does not get it looks for again.
    """
    chosen = altered(claim, SKIP_LOCKED, "")
    locked = altered(chosen, "\ntaken AS (", f"\n{_LOCKED_IN_ORDER.strip()},\ntaken AS (")
    return altered(locked, "FROM picked AS p\n", "FROM held AS p\n")
