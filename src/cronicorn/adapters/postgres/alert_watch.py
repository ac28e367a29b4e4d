"""What is looked at for incidents, in PostgreSQL."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from cronicorn.adapters.postgres.database import PostgresDatabase, Transaction
from cronicorn.adapters.postgres.endpoint_rows import found
from cronicorn.adapters.postgres.queries import Connection
from cronicorn.domain.alert.ports import SUSPECTS_MAX, AlertRound, AlertWatch, Suspect
from cronicorn.domain.cells import Row, readable
from cronicorn.domain.fields import us
from cronicorn.domain.instant import instant_of, shifted
from cronicorn.domain.run import RunStatus

log = logging.getLogger(__name__)

# What lies beyond now was written before the clock was set back.
_BEGIN = """
UPDATE cronicorn.alert_rounds SET claim_id = $1, claimed_until_us = $4::bigint
 WHERE name = 'incidents' AND look_us NOT BETWEEN $3::bigint + 1 AND $2::bigint
   AND claimed_until_us NOT BETWEEN $2::bigint + 1 AND $4::bigint
RETURNING look_us
"""
_END = """
UPDATE cronicorn.alert_rounds SET look_us = $2, claim_id = NULL, claimed_until_us = 0
 WHERE name = 'incidents' AND claim_id = $1
"""
# What a text in a document holds can't be taken for it: its quotes are escaped.
_SUSPECTS = """
SELECT e.number, e.job_number, e.document, s.state, s.shard, s.host, s.lease_until_us, s.leased_slot
  FROM ((SELECT endpoint_number FROM (
                SELECT DISTINCT endpoint_number FROM cronicorn.runs WHERE status = 'failed' AND finished_us >= $1
                ) AS failed ORDER BY random() LIMIT $5)
         UNION
        (SELECT overdue.endpoint_number FROM generate_series(0, $6::integer - 1) AS parts(shard)
          CROSS JOIN LATERAL (
                (SELECT endpoint_number, due_us FROM cronicorn.schedule AS f
                  WHERE f.shard = parts.shard AND f.claim_id IS NULL AND f.due_us < $3 ORDER BY due_us LIMIT $5)
                 UNION ALL
                (SELECT endpoint_number, due_us FROM cronicorn.schedule AS x
                  WHERE x.shard = parts.shard AND x.claim_id IS NOT NULL AND x.lease_until_us <= $2 AND x.due_us < $3)
                ) AS overdue ORDER BY overdue.due_us LIMIT $5)
         UNION
         SELECT o.number FROM cronicorn.incidents AS i
           JOIN cronicorn.endpoints AS o ON o.id = i.subject AND o.tenant_id = i.tenant_id WHERE i.closed_us IS NULL
         UNION
        (SELECT endpoint_number FROM cronicorn.schedule
          WHERE $4 AND (state LIKE '%"frozen_until_us":%' OR state LIKE '%"unknowns":%')
          ORDER BY random() LIMIT $5)) AS suspects
  JOIN cronicorn.endpoints AS e ON e.number = suspects.endpoint_number
 CROSS JOIN generate_series(0, $6::integer - 1) AS places(shard)
  JOIN cronicorn.schedule AS s ON s.shard = places.shard AND s.endpoint_id = e.id
 ORDER BY e.number
"""
_RECENT = """
SELECT r.status FROM cronicorn.endpoints AS e JOIN cronicorn.runs AS r ON r.endpoint_number = e.number
 WHERE e.id = $2 AND e.tenant_id = $1 AND r.source <> 'test'
 ORDER BY r.started_us DESC, r.number DESC LIMIT $3
"""
_WAITING = """
SELECT route_id, count(*) AS messages FROM cronicorn.alert_messages WHERE settled_us IS NULL GROUP BY route_id
"""


class PostgresAlertWatch(AlertWatch):
    """Looks at endpoints that failed, are late, are marked or have incidents."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def begin(self, *, claim_id: str, every: timedelta, ttl: timedelta) -> AlertRound | None:
        async def work(transaction: Transaction) -> AlertRound | None:
            now = transaction.now
            instants = (us(now), us(shifted(now, -every)), us(shifted(now, ttl)))
            since_us = await transaction.connection.fetchval(_BEGIN, claim_id, *instants)
            return AlertRound(claim_id=claim_id, since=instant_of(since_us), now=now) if since_us is not None else None

        return await self._database.write(work)

    async def end(self, ended: AlertRound) -> None:
        async def work(connection: Connection) -> None:
            await connection.execute(_END, ended.claim_id, us(ended.now))

        await self._database.alone(work)

    async def suspects(self, since: datetime, overdue_by: timedelta, *, marked: bool) -> Sequence[Suspect]:
        async def work(transaction: Transaction) -> Sequence[Suspect]:
            now = transaction.now
            which = (us(since), us(now), us(shifted(now, -overdue_by)), marked, SUSPECTS_MAX, transaction.shards)
            rows = await transaction.connection.fetch(_SUSPECTS, *which)
            return readable(map(dict, rows), lambda row: _suspect(row, now), _unreadable)

        return await self._database.read(work)

    async def recent(self, tenant_id: str, endpoint_id: str, limit: int) -> Sequence[RunStatus]:
        async def work(connection: Connection) -> Sequence[RunStatus]:
            rows = await connection.fetch(_RECENT, tenant_id, endpoint_id, limit)
            return [RunStatus(row["status"]) for row in rows]

        return await self._database.alone(work)

    async def waiting(self) -> Mapping[str, int]:
        async def work(connection: Connection) -> Mapping[str, int]:
            return {row["route_id"]: row["messages"] for row in await connection.fetch(_WAITING)}

        return await self._database.alone(work)


def _suspect(row: Row, now: datetime) -> Suspect:
    seen = found(row, now)
    return Suspect(endpoint=seen.endpoint, leased=seen.leased_slot is not None)


def _unreadable(row: Row, error: Exception) -> None:
    """Tell of an endpoint; `cronicorn verify` tells more."""
    log.error("endpoint_unreadable", exc_info=error, extra={"number": row["number"]})
