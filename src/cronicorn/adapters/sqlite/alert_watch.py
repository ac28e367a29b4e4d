"""What is looked at for incidents, in a SQLite file."""

import builtins
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.endpoint_rows import found
from cronicorn.adapters.sqlite.queries import dicts
from cronicorn.adapters.sqlite.writer import Transaction
from cronicorn.domain.alert.ports import SUSPECTS_MAX, AlertRound, AlertWatch, Suspect
from cronicorn.domain.cells import Row, readable
from cronicorn.domain.fields import us
from cronicorn.domain.instant import instant_of, shifted
from cronicorn.domain.run import RunStatus

log = logging.getLogger(__name__)

# What lies beyond now was written before the clock was set back.
_BEGIN = """
UPDATE alert_rounds SET claim_id = :claim_id, claimed_until_us = :until_us
 WHERE name = 'incidents' AND look_us NOT BETWEEN :latest_us + 1 AND :now_us
   AND claimed_until_us NOT BETWEEN :now_us + 1 AND :until_us
RETURNING look_us
"""
_END = """
UPDATE alert_rounds SET look_us = :now_us, claim_id = NULL, claimed_until_us = 0
 WHERE name = 'incidents' AND claim_id = :claim_id
"""
# What a text in a document holds can't be taken for it: its quotes are escaped.
_SUSPECTS = """
SELECT e.number, e.job_number, e.document, s.state, s.lease_until_us, s.leased_slot
  FROM (SELECT endpoint_number FROM (
               SELECT DISTINCT endpoint_number FROM runs WHERE status = 'failed' AND finished_us >= :since_us
                ORDER BY random() LIMIT :most)
         UNION
        SELECT endpoint_number FROM (
               SELECT endpoint_number FROM schedule
                WHERE due_us < :latest_us AND (claim_id IS NULL OR lease_until_us <= :now_us)
                ORDER BY due_us LIMIT :most)
         UNION
        SELECT o.number FROM incidents AS i
          JOIN endpoints AS o ON o.id = i.subject AND o.tenant_id = i.tenant_id WHERE i.closed_us IS NULL
         UNION
        SELECT endpoint_number FROM (
               SELECT endpoint_number FROM schedule
                WHERE :marked AND (state LIKE '%"frozen_until_us":%' OR state LIKE '%"unknowns":%')
                ORDER BY random() LIMIT :most)) AS suspects
  JOIN endpoints AS e ON e.number = suspects.endpoint_number
  JOIN schedule AS s ON s.endpoint_number = e.number
 ORDER BY e.number
"""
_RECENT = """
SELECT r.status FROM endpoints AS e JOIN runs AS r ON r.endpoint_number = e.number
 WHERE e.id = :endpoint_id AND e.tenant_id = :tenant_id AND r.source <> 'test'
 ORDER BY r.started_us DESC, r.number DESC LIMIT :most
"""
_WAITING = "SELECT route_id, count(*) FROM alert_messages WHERE settled_us IS NULL GROUP BY route_id"


class SqliteAlertWatch(AlertWatch):
    """Looks at endpoints that failed, are late, are marked or have incidents."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def begin(self, *, claim_id: str, every: timedelta, ttl: timedelta) -> AlertRound | None:
        def work(transaction: Transaction) -> AlertRound | None:
            now = transaction.now
            instants = {"now_us": us(now), "latest_us": us(shifted(now, -every)), "until_us": us(shifted(now, ttl))}
            rows = transaction.connection.execute(_BEGIN, {"claim_id": claim_id, **instants}).fetchall()
            return AlertRound(claim_id=claim_id, since=instant_of(rows[0][0]), now=now) if rows else None

        return await self._database.write(work)

    async def end(self, ended: AlertRound) -> None:
        def work(transaction: Transaction) -> None:
            transaction.connection.execute(_END, {"claim_id": ended.claim_id, "now_us": us(ended.now)})

        await self._database.write(work)

    async def suspects(self, since: datetime, overdue_by: timedelta, *, marked: bool) -> Sequence[Suspect]:
        def work(transaction: Transaction) -> builtins.list[Suspect]:
            now = transaction.now
            which = {
                "since_us": us(since), "now_us": us(now), "latest_us": us(shifted(now, -overdue_by)), "marked": marked,
                "most": SUSPECTS_MAX,
            }  # fmt: skip
            rows = dicts(transaction.connection.execute(_SUSPECTS, which))
            return readable(rows, lambda row: _suspect(row, now), _unreadable)

        return await self._database.read(work)

    async def recent(self, tenant_id: str, endpoint_id: str, limit: int) -> Sequence[RunStatus]:
        which = {"tenant_id": tenant_id, "endpoint_id": endpoint_id, "most": limit}
        return await self._database.read(
            lambda transaction: [RunStatus(row[0]) for row in transaction.connection.execute(_RECENT, which)]
        )

    async def waiting(self) -> Mapping[str, int]:
        return await self._database.read(lambda transaction: dict(transaction.connection.execute(_WAITING).fetchall()))


def _suspect(row: Row, now: datetime) -> Suspect:
    seen = found(row, now)
    return Suspect(endpoint=seen.endpoint, leased=seen.leased_slot is not None)


def _unreadable(row: Row, error: Exception) -> None:
    """Tell of an endpoint; `cronicorn verify` tells more."""
    log.error("endpoint_unreadable", exc_info=error, extra={"number": row["number"]})
