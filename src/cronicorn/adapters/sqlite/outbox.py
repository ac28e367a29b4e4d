"""Messages to be delivered, in a SQLite file."""

import builtins
import logging
import sqlite3
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import bindparam, insert, null, select, update

from cronicorn.adapters.sqlite.alert_schema import alert_messages
from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.queries import query
from cronicorn.adapters.sqlite.writer import Transaction
from cronicorn.domain.alert.incident import AlertMessage
from cronicorn.domain.alert.ports import Outbox
from cronicorn.domain.alert.rows import message_of, message_row
from cronicorn.domain.cells import Cell, Row, readable
from cronicorn.domain.fields import us
from cronicorn.domain.instant import shifted

log = logging.getLogger(__name__)

_COLUMNS = ("id", "tenant_id", "incident_id", "route_id", "state", "due_us", "settled_us", "document")
_ADD = query(insert(alert_messages).values({name: bindparam(name) for name in _COLUMNS}))
# The first of each route that nobody is busy with; tenants take turns, and what is sent already counts.
_DUE = """
WITH waiting AS (
    SELECT number, tenant_id, route_id, due_us, claimed_until_us,
           row_number() OVER (PARTITION BY route_id, coalesce(incident_id, id) ORDER BY number) AS nth,
           max(claimed_until_us) OVER (PARTITION BY route_id) AS busy_until_us
      FROM alert_messages WHERE settled_us IS NULL
), first AS (
    SELECT *, row_number() OVER (PARTITION BY route_id ORDER BY number) AS place
      FROM waiting WHERE nth = 1 AND due_us <= :now_us AND busy_until_us <= :now_us
), sent AS (
    SELECT tenant_id, count(*) AS messages FROM waiting WHERE claimed_until_us > :now_us GROUP BY tenant_id
), ordered AS (
    SELECT number, due_us, coalesce(messages, 0)
           + row_number() OVER (PARTITION BY first.tenant_id ORDER BY due_us, number) AS turn
      FROM first LEFT JOIN sent ON sent.tenant_id = first.tenant_id WHERE place = 1
)
SELECT number FROM ordered ORDER BY turn, due_us, number LIMIT :limit
"""
# Another process may have claimed or settled meanwhile.
_CLAIM = """
UPDATE alert_messages SET claim_id = :claim_id, claimed_until_us = :until_us
 WHERE number = :number AND settled_us IS NULL AND due_us <= :now_us
   AND NOT EXISTS (SELECT 1 FROM alert_messages AS other
                    WHERE other.settled_us IS NULL AND other.route_id = alert_messages.route_id
                      AND other.claimed_until_us > :now_us)
"""
_CLAIMED = query(
    select(alert_messages)
    .where(alert_messages.c.claim_id == bindparam("claim_id"), alert_messages.c.settled_us.is_(None))
    .order_by(alert_messages.c.due_us, alert_messages.c.number)
)
_SETTLE = query(
    update(alert_messages)
    .values(
        {
            **{name: bindparam(f"new_{name}") for name in ("state", "due_us", "settled_us", "document")},
            "claim_id": null(),
            "claimed_until_us": 0,
        }
    )
    .where(alert_messages.c.id == bindparam("message_id"), alert_messages.c.claim_id == bindparam("claim"))
)
_ALL = (
    select(alert_messages)
    .where(alert_messages.c.tenant_id == bindparam("tenant_id"))
    .order_by(alert_messages.c.number.desc())
    .limit(bindparam("most"))
)
_LIST = query(_ALL)
_LIST_ROUTE = query(_ALL.where(alert_messages.c.route_id == bindparam("route")))
_LIST_INCIDENT = query(_ALL.where(alert_messages.c.incident_id == bindparam("incident")))


class SqliteOutbox(Outbox):
    """Keeps messages and the claims on them."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def add(self, message: AlertMessage) -> None:
        await self._database.write(lambda transaction: add_message(transaction.connection, message))

    async def claim_due(self, *, claim_id: str, limit: int, ttl: timedelta) -> Sequence[AlertMessage]:
        def look(transaction: Transaction) -> builtins.list[int]:
            rows = transaction.connection.execute(_DUE, {"now_us": us(transaction.now), "limit": limit})
            return [number for (number,) in rows]

        # Beside the writer, whom all runs wait for: very many messages may wait.
        numbers = await self._database.read(look)
        if not numbers:
            return []

        def work(transaction: Transaction) -> builtins.list[AlertMessage]:
            connection, now = transaction.connection, transaction.now
            claim: dict[str, Cell] = {"claim_id": claim_id, "now_us": us(now), "until_us": us(shifted(now, ttl))}
            connection.executemany(_CLAIM, ({**claim, "number": number} for number in numbers))
            return readable(_CLAIMED.rows(connection, claim_id=claim_id), message_of, _unreadable)

        return await self._database.write(work)

    async def settle(self, message: AlertMessage) -> None:
        def work(transaction: Transaction) -> None:
            row = message_row(message)
            written = {f"new_{name}": row[name] for name in ("state", "due_us", "settled_us", "document")}
            if not _SETTLE.change(transaction.connection, message_id=message.id, claim=message.claim_id, **written):
                raise message.lost()

        await self._database.write(work)

    async def list(
        self, tenant_id: str, *, route_id: str | None = None, incident_id: str | None = None, limit: int = 100
    ) -> Sequence[AlertMessage]:
        which: dict[str, Cell] = {"tenant_id": tenant_id, "most": limit}
        listed = _LIST
        if incident_id is not None:
            listed, which = _LIST_INCIDENT, {**which, "incident": incident_id}
        elif route_id is not None:
            listed, which = _LIST_ROUTE, {**which, "route": route_id}
        return await self._database.read(
            lambda transaction: [message_of(row) for row in listed.rows(transaction.connection, **which)]
        )


def add_message(connection: sqlite3.Connection, message: AlertMessage) -> None:
    """Write *message* in the transaction of its incident."""
    _ADD.change(connection, **message_row(message))


def _unreadable(row: Row, error: Exception) -> None:
    """Tell of a message, which rests until its claim ends."""
    log.error("alert_message_unreadable", exc_info=error, extra={"message_id": row["id"]})
