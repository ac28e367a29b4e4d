"""Messages to be delivered, in PostgreSQL."""

import logging
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import bindparam, insert, null, select, update

from cronicorn.adapters.postgres.alert_schema import alert_messages
from cronicorn.adapters.postgres.database import PostgresDatabase, Transaction
from cronicorn.adapters.postgres.queries import Connection, query
from cronicorn.domain.alert.incident import AlertMessage
from cronicorn.domain.alert.ports import Outbox
from cronicorn.domain.alert.rows import message_of, message_row
from cronicorn.domain.cells import Cell, Row, readable
from cronicorn.domain.fields import us
from cronicorn.domain.instant import shifted

log = logging.getLogger(__name__)

_COLUMNS = ("id", "tenant_id", "incident_id", "route_id", "state", "due_us", "settled_us", "document")
_ADD = query(insert(alert_messages).values({name: bindparam(name) for name in _COLUMNS}))
# The first of each route that nobody is busy with; tenants take turns, and what is sent already counts. What another
# process claimed meanwhile is looked at again, and passed over.
_CLAIM = """
WITH waiting AS (
    SELECT number, tenant_id, route_id, due_us, claimed_until_us,
           row_number() OVER (PARTITION BY route_id, coalesce(incident_id, id) ORDER BY number) AS nth,
           max(claimed_until_us) OVER (PARTITION BY route_id) AS busy_until_us
      FROM cronicorn.alert_messages WHERE settled_us IS NULL
), first AS (
    SELECT *, row_number() OVER (PARTITION BY route_id ORDER BY number) AS place
      FROM waiting WHERE nth = 1 AND due_us <= $2 AND busy_until_us <= $2
), sent AS (
    SELECT tenant_id, count(*) AS messages FROM waiting WHERE claimed_until_us > $2 GROUP BY tenant_id
), ordered AS (
    SELECT number, due_us, coalesce(messages, 0)
           + row_number() OVER (PARTITION BY first.tenant_id ORDER BY due_us, number) AS turn
      FROM first LEFT JOIN sent ON sent.tenant_id = first.tenant_id WHERE place = 1
), claimed AS (
    UPDATE cronicorn.alert_messages SET claim_id = $1, claimed_until_us = $3
     WHERE number IN (SELECT number FROM ordered ORDER BY turn, due_us, number LIMIT $4)
       AND settled_us IS NULL AND claimed_until_us <= $2
    RETURNING *
)
SELECT * FROM claimed ORDER BY due_us, number
"""
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


class PostgresOutbox(Outbox):
    """Keeps messages and the claims on them."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def add(self, message: AlertMessage) -> None:
        await self._database.write(lambda transaction: add_message(transaction.connection, message))

    async def claim_due(self, *, claim_id: str, limit: int, ttl: timedelta) -> Sequence[AlertMessage]:
        async def work(transaction: Transaction) -> Sequence[AlertMessage]:
            now = transaction.now
            rows = await transaction.connection.fetch(_CLAIM, claim_id, us(now), us(shifted(now, ttl)), limit)
            return readable(map(dict, rows), message_of, _unreadable)

        return await self._database.write(work)

    async def settle(self, message: AlertMessage) -> None:
        async def work(transaction: Transaction) -> None:
            row = message_row(message)
            written = {f"new_{name}": row[name] for name in ("state", "due_us", "settled_us", "document")}
            claim = {"message_id": message.id, "claim": message.claim_id}
            if not await _SETTLE.change(transaction.connection, **claim, **written):
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

        async def work(transaction: Transaction) -> Sequence[AlertMessage]:
            return [message_of(row) for row in await listed.rows(transaction.connection, **which)]

        return await self._database.read(work)


async def add_message(connection: Connection, message: AlertMessage) -> None:
    """Write *message* in the transaction of its incident."""
    await _ADD.change(connection, **message_row(message))


def _unreadable(row: Row, error: Exception) -> None:
    """Tell of a message, which rests until its claim ends."""
    log.error("alert_message_unreadable", exc_info=error, extra={"message_id": row["id"]})
