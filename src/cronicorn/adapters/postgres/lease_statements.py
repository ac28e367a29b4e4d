# ruff: noqa: S608 - statements are put together from the pieces in this file
"""The hand-written statements of the hot path.

`claim_id` and `fence` together say who holds a lease: the fence alone could come twice after a fail-over that lost the
last commits, the id alone says nothing of order. Whatever a statement depends on stands on the row that it locks.

Two rules keep statements from waiting for one another in a circle. One that waits for locks takes them in the order
(shard, endpoint_id): a nested loop over a sorted list. All others skip what is locked.
"""

from dataclasses import dataclass, replace

from cronicorn.adapters.postgres.database import NOW_US
from cronicorn.adapters.postgres.queries import altered
from cronicorn.domain.instant import MICROSECOND
from cronicorn.domain.takeover import TAKEOVER_DELAY_MAX, takeover_delay

SKIP_LOCKED = "FOR NO KEY UPDATE SKIP LOCKED"
CLOCK_US = altered(NOW_US, "now()", "clock_timestamp()")
"""The instant at which the statement answers, wherever its transaction began."""


def takeover_delay_us(losses: str) -> str:
    """`takeover_delay` of the whole number above 0 that the SQL *losses* means, in microseconds."""
    delays = [takeover_delay(1)]
    while delays[-1] < TAKEOVER_DELAY_MAX:
        delays.append(takeover_delay(len(delays) + 1))
    listed = ", ".join(str(delay // MICROSECOND) for delay in delays)
    return f"('{{{listed}}}'::bigint[])[least({losses}, {len(delays)})]"


_DUE = f"s.shard = $2 AND s.due_us <= {NOW_US} AND s.bucket >= $5 AND s.bucket < $6"
_FREE = f"{_DUE} AND s.claim_id IS NULL AND (s.due_us, s.endpoint_number) >= ($4, $12)"
_LOST = f"{_DUE} AND s.claim_id IS NOT NULL AND s.takeover_us <= {NOW_US} AND {NOW_US} BETWEEN $7 AND $8"
_EARLIEST = f"ORDER BY s.due_us, s.endpoint_number LIMIT $3 {SKIP_LOCKED}"
_PLACE = "s.shard, s.endpoint_id, s.endpoint_number, s.due_us"

_LONGEST_DUE = f"""
free AS MATERIALIZED (SELECT {_PLACE} FROM cronicorn.schedule AS s WHERE {_FREE} {_EARLIEST}),
lost AS MATERIALIZED (SELECT {_PLACE} FROM cronicorn.schedule AS s WHERE {_LOST} {_EARLIEST}),
picked AS MATERIALIZED (
       SELECT * FROM free UNION ALL SELECT * FROM lost ORDER BY due_us, endpoint_number LIMIT $3)
"""
"""What has been due longest: of the free by `schedule_due` from a watermark on, of the lost by `schedule_leased`."""

_NEXT_TENANT = """
SELECT s.tenant_id, s.bucket, s.due_us FROM cronicorn.schedule AS s
 WHERE s.shard = $2 AND s.claim_id IS NULL AND s.due_us >= $4 AND {}
 ORDER BY s.tenant_id, s.due_us, s.endpoint_number LIMIT 1
"""


def _visited(last: str, visits: str) -> str:
    """The tenants with something planned, once round from the one after *last* on; at most *visits* of them."""
    ahead = _NEXT_TENANT.format(f"s.tenant_id > v.tenant_id AND (s.tenant_id <= {last} OR NOT v.round)").strip()
    behind = _NEXT_TENANT.format(f"s.tenant_id <= {last} AND NOT v.round").strip()
    return f"""
visited AS (
       SELECT {last}::text AS tenant_id, NULL::smallint AS bucket, NULL::bigint AS due_us, 0 AS visit, false AS round
        UNION ALL
       SELECT n.tenant_id, n.bucket, n.due_us, v.visit + 1, n.round FROM visited AS v CROSS JOIN LATERAL (
              SELECT *, v.round AS round FROM ({ahead}) AS ahead UNION ALL SELECT *, true FROM ({behind}) AS behind
               ORDER BY round LIMIT 1) AS n
        WHERE v.visit < {visits})
"""


_IN_TURN = f"""
{_visited("$13", "$14").strip()},
turns AS MATERIALIZED (
       SELECT tenant_id, visit FROM visited WHERE due_us <= {NOW_US} AND bucket >= $5 AND bucket < $6
        ORDER BY visit LIMIT $3),
fair AS MATERIALIZED (
       SELECT f.* FROM turns AS t CROSS JOIN LATERAL (
              SELECT {_PLACE} FROM cronicorn.schedule AS s WHERE {_FREE} AND s.tenant_id = t.tenant_id
               ORDER BY s.due_us, s.endpoint_number LIMIT (SELECT greatest(1, $3 / count(*)) FROM turns)
                 {SKIP_LOCKED}) AS f
        LIMIT $3),
fill AS MATERIALIZED (
       SELECT {_PLACE} FROM cronicorn.schedule AS s
        WHERE {_FREE} AND s.endpoint_number <> ALL (ARRAY(SELECT endpoint_number FROM fair))
        ORDER BY s.due_us, s.endpoint_number LIMIT $3 - (SELECT count(*) FROM fair) {SKIP_LOCKED}),
lost AS MATERIALIZED (SELECT {_PLACE} FROM cronicorn.schedule AS s WHERE {_LOST} {_EARLIEST}),
picked AS MATERIALIZED (
       SELECT shard, endpoint_id, endpoint_number, due_us
         FROM (SELECT *, 1 AS turn FROM fair UNION ALL SELECT *, 1 FROM lost UNION ALL SELECT *, 2 FROM fill) AS a
        ORDER BY turn, due_us, endpoint_number LIMIT $3)
"""
"""An equal part for each tenant that has something due, then what has been due longest.

`visited` hops from tenant to tenant along `schedule_fair`, on from where the last claim ended and once round: a long
backlog costs one hop.
"""

_OPEN = """
   AND CASE WHEN s.tenant_id = ANY (ARRAY(SELECT tenant_id FROM tenants_busy WHERE calls >= $13)) THEN false
            WHEN s.host = ANY (ARRAY(SELECT host FROM hosts_busy WHERE calls >= $14)) THEN false ELSE true END
   AND ($15::text IS NULL OR s.endpoint_id = $15)
"""
"""The planner can't look into a CASE: what it thought of hosts would keep it from the index."""
_WITHIN_CAPS = f"""
busy AS MATERIALIZED (
       SELECT s.tenant_id, s.host FROM cronicorn.schedule AS s
        WHERE s.claim_id IS NOT NULL AND s.lease_until_us > {NOW_US}),
tenants_busy AS MATERIALIZED (SELECT tenant_id, count(*) AS calls FROM busy GROUP BY tenant_id),
hosts_busy AS MATERIALIZED (SELECT host, count(*) AS calls FROM busy GROUP BY host),
{_visited("$16", "$17::int").strip()},
turns AS MATERIALIZED (
       SELECT tenant_id, visit FROM visited WHERE due_us <= {NOW_US} AND bucket >= $5 AND bucket < $6 ORDER BY visit),
fair AS MATERIALIZED (
       SELECT f.* FROM turns AS t CROSS JOIN LATERAL (
              SELECT {_PLACE}, s.tenant_id, s.host FROM cronicorn.schedule AS s
               WHERE {_FREE} AND s.tenant_id = t.tenant_id {_OPEN}
               ORDER BY s.due_us, s.endpoint_number LIMIT (SELECT greatest(1, $3 / count(*)) FROM turns)
                 {SKIP_LOCKED}) AS f
        LIMIT $3),
fill AS MATERIALIZED (
       SELECT {_PLACE}, s.tenant_id, s.host FROM cronicorn.schedule AS s
        WHERE {_FREE} AND s.endpoint_number <> ALL (ARRAY(SELECT endpoint_number FROM fair)) {_OPEN} {_EARLIEST}),
lost AS MATERIALIZED (
       SELECT {_PLACE}, s.tenant_id, s.host FROM cronicorn.schedule AS s WHERE {_LOST} {_OPEN} {_EARLIEST}),
ranked AS (
       SELECT a.*, coalesce(t.visit, 0) AS visit,
              row_number() OVER (PARTITION BY a.tenant_id ORDER BY a.due_us, a.endpoint_number) AS of_tenant
         FROM (SELECT * FROM fair UNION ALL SELECT * FROM fill UNION ALL SELECT * FROM lost) AS a
         LEFT JOIN turns AS t ON t.tenant_id = a.tenant_id),
numbered AS (
       SELECT *, row_number() OVER (PARTITION BY host ORDER BY of_tenant, visit, due_us, endpoint_number) AS of_host
         FROM ranked),
picked AS MATERIALIZED (
       SELECT n.shard, n.endpoint_id, n.endpoint_number, n.due_us, n.tenant_id FROM numbered AS n
         LEFT JOIN tenants_busy AS b ON b.tenant_id = n.tenant_id LEFT JOIN hosts_busy AS h ON h.host = n.host
        WHERE (n.of_tenant + coalesce(b.calls, 0) <= $13) IS NOT FALSE
          AND (n.of_host + coalesce(h.calls, 0) <= $14) IS NOT FALSE
        ORDER BY n.of_tenant, n.visit, n.due_us, n.endpoint_number LIMIT $3),
passed_over AS (
       SELECT min(visit) AS visit FROM turns
        WHERE tenant_id NOT IN (SELECT tenant_id FROM picked)
          AND (tenant_id IN (SELECT tenant_id FROM fair)
               OR (SELECT count(*) FROM fair) = $3
                  AND visit > (SELECT max(t.visit) FROM turns AS t JOIN fair AS f ON f.tenant_id = t.tenant_id)))
"""
"""Tenant by tenant, the longest due of each, where tenant and host have fewer calls in progress than they may.

Exact only while no other claim is made meanwhile: see `LOCK_CAPS`. The next claim begins with the first tenant that
might have had something and got nothing: whoever shares a host with others takes turns with them.
"""

_NAMED = f"""
picked AS MATERIALIZED (
       SELECT {_PLACE} FROM cronicorn.schedule AS s
        WHERE {_DUE} AND s.endpoint_id = $13 AND (s.due_us, s.endpoint_number) >= ($4, $12)
          AND (s.claim_id IS NULL OR s.takeover_us <= {NOW_US} AND {NOW_US} BETWEEN $7 AND $8)
        LIMIT $3 {SKIP_LOCKED})
"""

_LOCKED_IN_ORDER = f"""
held AS MATERIALIZED (
       SELECT l.* FROM (SELECT shard, endpoint_id FROM picked ORDER BY shard, endpoint_id) AS p CROSS JOIN LATERAL (
              SELECT s.shard, s.endpoint_id FROM cronicorn.schedule AS s
               WHERE s.shard = p.shard AND s.endpoint_id = p.endpoint_id AND s.due_us <= {NOW_US}
                 AND (s.claim_id IS NULL OR s.takeover_us <= {NOW_US} AND {NOW_US} BETWEEN $7 AND $8)
                 FOR NO KEY UPDATE) AS l)
"""

LEASED = """
e.due_us, e.endpoint_number, e.claim_id, e.fence, e.leased_slot, e.leased_attempt, e.leased_manual, e.lost_claims,
e.claimed_us, e.lease_until_us, e.state, e.shard,
(SELECT document FROM cronicorn.endpoints WHERE number = e.endpoint_number) AS document,
(SELECT q.plan_version FROM cronicorn.schedule AS q
  WHERE q.shard = e.shard AND q.endpoint_id = e.endpoint_id) AS plan_version
"""
"""What makes a lease. An edit that ends between the statement's snapshot and its lock shows in the locked row alone, so
the document may be older than the state; the plan version is the snapshot's as well, and the settlement notices."""


def _taking(picked: str) -> str:
    """The claim of what *picked* finds: at least one row, with the clock and what there was to choose from."""
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
SELECT {CLOCK_US} AS now_us, (SELECT count(*) FROM picked) AS found, t.*
  FROM (SELECT 1) AS one LEFT JOIN taken AS t ON true
"""


CLAIM = _taking(_LONGEST_DUE)
CLAIM_IN_TURN = altered(
    _taking(_IN_TURN),
    " AS found,",
    """ AS found,
       (SELECT count(*) FROM visited) - 1 AS visited, (SELECT count(*) FROM turns) AS turns,
       (SELECT tenant_id FROM visited ORDER BY visit DESC LIMIT 1) AS last_visited,
       (SELECT tenant_id FROM turns ORDER BY visit DESC LIMIT 1) AS last_turn,""",
)
CLAIM_WITHIN_CAPS = altered(
    _taking(_WITHIN_CAPS),
    " AS found,",
    """ AS found,
       (SELECT count(*) FROM visited) - 1 AS visited,
       (SELECT tenant_id FROM visited ORDER BY visit DESC LIMIT 1) AS last_visited,
       (SELECT t.tenant_id FROM turns AS t, passed_over AS p WHERE t.visit < p.visit
         ORDER BY t.visit DESC LIMIT 1) AS last_turn,""",
)
CLAIM_NAMED = _taking(_NAMED)

LOCK_CAPS = "SELECT shards FROM cronicorn.installation FOR UPDATE"
"""Claims within caps go one after the other, so that each counts what all others took."""

TENANT_OF = "SELECT tenant_id FROM cronicorn.endpoints WHERE id = $1"

FIND_CLAIMED = f"""
SELECT {NOW_US} AS now_us, {LEASED.strip()}
  FROM cronicorn.schedule AS e WHERE e.shard = $2 AND e.claim_id IS NOT NULL AND starts_with(e.claim_id, $3)
"""
"""What a claim took whose answer never came."""


def proofs(first: int) -> str:
    """Leases as four lists, the parameters from number *first* on: shards, endpoint ids, claim ids, fences."""
    types = ("smallint", "text", "text", "bigint")
    lists = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(types, first))
    return f"SELECT * FROM unnest({lists}) AS d(shard, endpoint_id, claim_id, fence)"


def proven(first: int, lock: str = SKIP_LOCKED) -> str:
    """The rows of `proofs` that are still under their lease, locked in order."""
    return f"""
proofs AS MATERIALIZED ({proofs(first)} ORDER BY d.shard, d.endpoint_id),
held AS MATERIALIZED (
       SELECT l.shard, l.endpoint_id FROM proofs AS d CROSS JOIN LATERAL (
              SELECT e.shard, e.endpoint_id FROM cronicorn.schedule AS e
               WHERE e.shard = d.shard AND e.endpoint_id = d.endpoint_id
                 AND e.claim_id = d.claim_id AND e.fence = d.fence
                 {lock}) AS l)
"""


PROVEN = proven(2)
RENEW = f"""
WITH {PROVEN.strip()}
UPDATE cronicorn.schedule AS e
   SET lease_until_us = {NOW_US} + $6,
       takeover_us = {NOW_US} + $6 + {takeover_delay_us("e.lost_claims + 1")}
  FROM held AS h WHERE e.shard = h.shard AND e.endpoint_id = h.endpoint_id
RETURNING e.claim_id, e.cancelled, e.lease_until_us
"""

STILL_HELD = f"""
SELECT e.claim_id FROM ({proofs(1)}) AS d
  JOIN cronicorn.schedule AS e ON e.shard = d.shard AND e.endpoint_id = d.endpoint_id
 WHERE e.claim_id = d.claim_id AND e.fence = d.fence
"""
"""Those that a renewal passed over because somebody else had just locked their row."""

_ENDED = """claim_id = NULL, worker_id = NULL, mechanism = NULL, claimed_us = NULL, leased_slot = NULL,
       leased_attempt = NULL, leased_manual = NULL, lease_until_us = NULL, takeover_us = NULL, cancelled = 0"""

ABANDON = f"""
WITH {proven(1, "FOR NO KEY UPDATE").strip()}
UPDATE cronicorn.schedule AS e
   SET {_ENDED}
  FROM held AS h WHERE e.shard = h.shard AND e.endpoint_id = h.endpoint_id
RETURNING e.shard
"""

SETTLE = f"""
WITH decided AS MATERIALIZED (
       SELECT * FROM unnest($1::int[], $2::smallint[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[],
                            $8::bigint[], $9::bigint[], $10::bigint[], $11::text[], $12::text[], $13::bigint[],
                            $14::bigint[])
           AS d(number, shard, endpoint_id, claim_id, fence, plan_version, due_us, slot, attempt, manual_slot, state,
                done, run_slot, run_attempt) ORDER BY d.shard, d.endpoint_id),
held AS MATERIALIZED (
       SELECT d.number FROM decided AS d CROSS JOIN LATERAL (
              SELECT e.endpoint_number FROM cronicorn.schedule AS e
               WHERE e.shard = d.shard AND e.endpoint_id = d.endpoint_id
                 AND e.claim_id = d.claim_id AND e.fence = d.fence AND e.plan_version = d.plan_version
                 FOR NO KEY UPDATE) AS l
         LEFT JOIN LATERAL (
              SELECT true AS there FROM cronicorn.runs AS r WHERE r.endpoint_number = l.endpoint_number
                 AND r.slot = d.run_slot AND r.attempt = d.run_attempt AND r.finished_us >= $15 LIMIT 1) AS recorded
           ON true
        WHERE recorded.there IS NULL),
settled AS (
       UPDATE cronicorn.schedule AS e
          SET due_us = d.due_us, slot = d.slot, attempt = d.attempt, manual_slot = d.manual_slot, state = d.state,
              {_ENDED}, lost_claims = 0,
              done_claim_id = d.claim_id, done_fence = d.fence, done = d.done
         FROM held AS h JOIN decided AS d ON d.number = h.number
        WHERE e.shard = d.shard AND e.endpoint_id = d.endpoint_id
       RETURNING d.number, e.endpoint_number),
recorded AS (
       INSERT INTO cronicorn.runs (endpoint_number, slot, attempt, fence, status, source, trace, due_us, nominal_us,
                                   started_us, finished_us, duration_us, outcome, body)
       SELECT s.endpoint_number, r.slot, r.attempt, r.fence, r.status, r.source, r.trace, r.due_us, r.nominal_us,
              r.started_us, r.finished_us, r.duration_us, r.outcome, r.body
         FROM unnest($16::int[], $17::bigint[], $18::bigint[], $19::bigint[], $20::text[], $21::text[], $22::text[],
                     $23::bigint[], $24::bigint[], $25::bigint[], $26::bigint[], $27::bigint[], $28::text[],
                     $29::bytea[])
           AS r(number, slot, attempt, fence, status, source, trace, due_us, nominal_us, started_us, finished_us,
                duration_us, outcome, body)
         JOIN settled AS s ON s.number = r.number),
skipped AS (
       INSERT INTO cronicorn.skips (endpoint_number, state, reason, first_us, last_us, instants, exact)
       SELECT s.endpoint_number, k.state, k.reason, k.first_us, k.last_us, k.instants, k.exact
         FROM unnest($30::int[], $31::text[], $32::text[], $33::bigint[], $34::bigint[], $35::bigint[], $36::smallint[])
           WITH ORDINALITY AS k(number, state, reason, first_us, last_us, instants, exact, place)
         JOIN settled AS s ON s.number = k.number
        ORDER BY k.place)
SELECT number FROM settled
"""
"""Settles what is still as it was claimed. The rest is left to a closer look: fenced, settled before, or edited since.

A slot whose attempt is recorded already is left as well. It can only be so when a decision planned it again, and is
looked for from a day before the batch's earliest plan on, so that hardly more than one partition is searched.
"""

FIND = """
SELECT e.claim_id IS NOT DISTINCT FROM $3 AND e.fence = $4 AS held,
       e.done_claim_id IS NOT DISTINCT FROM $3 AND e.done_fence = $4 AS settled, e.done
  FROM cronicorn.schedule AS e WHERE e.shard = $1 AND e.endpoint_id = $2
"""
"""What became of a lease, seen when its row is locked."""

RECORDED = "SELECT 1 FROM cronicorn.runs WHERE endpoint_number = $1 AND slot = $2 AND attempt = $3"

SETTLE_ONE = f"""
UPDATE cronicorn.schedule
   SET due_us = $3, slot = $4, attempt = $5, manual_slot = $6, state = $7, {_ENDED}, lost_claims = 0,
       done_claim_id = $8, done_fence = $9, done = $10
 WHERE shard = $1 AND endpoint_id = $2
"""

NEXT_DUE = f"""
SELECT min(f.due_us) AS free_us, min(l.us) AS lost_us, {NOW_US} AS now_us
  FROM unnest($2::smallint[], $3::bigint[]) AS d(shard, mark)
  LEFT JOIN LATERAL (
       SELECT s.due_us FROM cronicorn.schedule AS s
        WHERE s.shard = d.shard AND s.claim_id IS NULL AND s.due_us IS NOT NULL AND s.due_us >= d.mark
          AND s.bucket >= $4 AND s.bucket < $5
        ORDER BY s.due_us LIMIT 1) AS f ON true
  LEFT JOIN LATERAL (
       SELECT min(greatest(s.due_us, s.takeover_us)) AS us FROM cronicorn.schedule AS s
        WHERE s.shard = d.shard AND s.claim_id IS NOT NULL AND s.due_us IS NOT NULL
          AND s.bucket >= $4 AND s.bucket < $5 AND $6) AS l ON true
"""


def without_skip_locked(claim: str) -> str:
    """*claim* for a server without SKIP LOCKED: candidates are chosen without a lock, then locked and looked at again.

    Several claims may choose the same; what one of them does not get it looks for again.
    """
    chosen = altered(claim, SKIP_LOCKED, "")
    locked = altered(chosen, "\ntaken AS (", f"\n{_LOCKED_IN_ORDER.strip()},\ntaken AS (")
    return altered(locked, "FROM picked AS p\n", "FROM held AS p\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseStatements:
    """The statements that a lease depends on, so that a test can show what a weaker one would let through."""

    claim: str = CLAIM
    claim_in_turn: str = CLAIM_IN_TURN
    claim_within_caps: str = CLAIM_WITHIN_CAPS
    claim_named: str = CLAIM_NAMED
    renew: str = RENEW
    settle: str = SETTLE
    find: str = FIND
    settle_one: str = SETTLE_ONE
    abandon: str = ABANDON

    def without_skip_locked(self) -> "LeaseStatements":
        """The same for a server that has no SKIP LOCKED."""
        return replace(
            self,
            claim=without_skip_locked(self.claim),
            claim_in_turn=without_skip_locked(self.claim_in_turn),
            claim_within_caps=without_skip_locked(self.claim_within_caps),
            claim_named=without_skip_locked(self.claim_named),
            renew=altered(self.renew, SKIP_LOCKED, "FOR NO KEY UPDATE"),
        )
