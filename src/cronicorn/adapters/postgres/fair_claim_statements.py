# ruff: noqa: S608 - statements are put together from the pieces in this package
"""The statements that claim where tenants wait for one another: in turn, and within caps.

Parameters beyond those of `claim_statements`, in turn: $13 the tenant after which the round begins, $14 how many
tenants to visit. Within caps: $13 and $14 the caps of a tenant and of a host (NULL: none), $15 an endpoint's id or
NULL, $16 the tenant after which the round begins, $17 how many tenants to visit.
"""

from cronicorn.adapters.postgres.claim_statements import EARLIEST, FREE, LOST, PLACE, claim_of
from cronicorn.adapters.postgres.row_locks import SKIP_LOCKED
from cronicorn.adapters.postgres.statement_time import NOW_US

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
              SELECT {PLACE} FROM cronicorn.schedule AS s WHERE {FREE} AND s.tenant_id = t.tenant_id
               ORDER BY s.due_us, s.endpoint_number LIMIT (SELECT greatest(1, $3 / count(*)) FROM turns)
                 {SKIP_LOCKED}) AS f
        LIMIT $3),
fill AS MATERIALIZED (
       SELECT {PLACE} FROM cronicorn.schedule AS s
        WHERE {FREE} AND s.endpoint_number <> ALL (ARRAY(SELECT endpoint_number FROM fair))
        ORDER BY s.due_us, s.endpoint_number LIMIT $3 - (SELECT count(*) FROM fair) {SKIP_LOCKED}),
lost AS MATERIALIZED (SELECT {PLACE} FROM cronicorn.schedule AS s WHERE {LOST} {EARLIEST}),
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
              SELECT {PLACE}, s.tenant_id, s.host FROM cronicorn.schedule AS s
               WHERE {FREE} AND s.tenant_id = t.tenant_id {_OPEN}
               ORDER BY s.due_us, s.endpoint_number LIMIT (SELECT greatest(1, $3 / count(*)) FROM turns)
                 {SKIP_LOCKED}) AS f
        LIMIT $3),
fill AS MATERIALIZED (
       SELECT {PLACE}, s.tenant_id, s.host FROM cronicorn.schedule AS s
        WHERE {FREE} AND s.endpoint_number <> ALL (ARRAY(SELECT endpoint_number FROM fair)) {_OPEN} {EARLIEST}),
lost AS MATERIALIZED (
       SELECT {PLACE}, s.tenant_id, s.host FROM cronicorn.schedule AS s WHERE {LOST} {_OPEN} {EARLIEST}),
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

CLAIM_IN_TURN = claim_of(
    _IN_TURN,
    """
       (SELECT count(*) FROM visited) - 1 AS visited, (SELECT count(*) FROM turns) AS turns,
       (SELECT tenant_id FROM visited ORDER BY visit DESC LIMIT 1) AS last_visited,
       (SELECT tenant_id FROM turns ORDER BY visit DESC LIMIT 1) AS last_turn,""",
)
CLAIM_WITHIN_CAPS = claim_of(
    _WITHIN_CAPS,
    """
       (SELECT count(*) FROM visited) - 1 AS visited,
       (SELECT tenant_id FROM visited ORDER BY visit DESC LIMIT 1) AS last_visited,
       (SELECT t.tenant_id FROM turns AS t, passed_over AS p WHERE t.visit < p.visit
         ORDER BY t.visit DESC LIMIT 1) AS last_turn,""",
)

LOCK_CAPS = "SELECT shards FROM cronicorn.installation FOR UPDATE"
"""Claims within caps go one after the other, so that each counts what all others took."""
