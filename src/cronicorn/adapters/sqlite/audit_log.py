"""The audit log in a SQLite file. Nothing here changes or removes an entry, and a trigger refuses it to everybody."""

from collections.abc import Sequence
from functools import cache

from sqlalchemy import and_, bindparam, insert, select

from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.queries import Query, query
from cronicorn.adapters.sqlite.tenant_schema import audit_log
from cronicorn.adapters.sqlite.writer import Transaction
from cronicorn.domain.access.audit_entry import AuditEntry, AuditQuery
from cronicorn.domain.access.ports import AuditLog
from cronicorn.domain.access.rows import audit_entry_of, audit_row

_INSERT = query(
    insert(audit_log).values({column.name: bindparam(column.name) for column in audit_log.c if column.name != "number"})
)
_CONFINED = {
    "before": audit_log.c.number < bindparam("below"),
    "actor_id": audit_log.c.actor_id == bindparam("actor"),
    "action": audit_log.c.action == bindparam("done"),
    "object_id": audit_log.c.object_id == bindparam("thing"),
}
_NAMES = {"before": "below", "actor_id": "actor", "action": "done", "object_id": "thing"}


class SqliteAuditLog(AuditLog):
    """Reads what `record` wrote."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def list(self, tenant_id: str, wanted: AuditQuery) -> Sequence[AuditEntry]:
        given = {name: value for name in _CONFINED if (value := getattr(wanted, name)) is not None}
        statement = _statement(frozenset(given))
        parameters = {_NAMES[name]: value for name, value in given.items()}

        def work(transaction: Transaction) -> Sequence[AuditEntry]:
            rows = statement.rows(transaction.connection, tenant=tenant_id, most=wanted.limit, **parameters)
            return [audit_entry_of(row) for row in rows]

        return await self._database.read(work)


def record(transaction: Transaction, entry: AuditEntry | None) -> None:
    """Keep *entry*, if there is one, with whatever else the transaction writes."""
    if entry is not None:
        _INSERT.change(transaction.connection, **audit_row(entry))


@cache
def _statement(given: frozenset[str]) -> Query:
    confined = [_CONFINED[name] for name in sorted(given)]
    listing = (
        select(audit_log)
        .where(and_(audit_log.c.tenant_id == bindparam("tenant"), *confined))
        .order_by(audit_log.c.number.desc())
        .limit(bindparam("most"))
    )
    return query(listing)
