"""What tenants want to be told, in a SQLite file."""

import logging
from collections.abc import Callable, Mapping

from cronicorn.adapters.sqlite.audit_log import record
from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.queries import dicts
from cronicorn.adapters.sqlite.tenant_rows import check_tenant
from cronicorn.adapters.sqlite.writer import Transaction
from cronicorn.domain.alert.alerting import NO_ALERTING, Alerting
from cronicorn.domain.alert.audited import alerting_entry
from cronicorn.domain.alert.ports import AlertingBook
from cronicorn.domain.alert.rows import alerting_from, alerting_text, tenants_alerting_of
from cronicorn.domain.cells import Row, readable
from cronicorn.domain.principal import Principal

log = logging.getLogger(__name__)

_ALL = "SELECT tenant_id, document FROM alertings"
_GET = "SELECT document FROM alertings WHERE tenant_id = :tenant_id"
_PUT = """
INSERT INTO alertings (tenant_id, document) VALUES (:tenant_id, :document)
ON CONFLICT (tenant_id) DO UPDATE SET document = excluded.document
"""


class SqliteAlertingBook(AlertingBook):
    """Keeps one document for each tenant."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def all(self) -> Mapping[str, Alerting]:
        def work(transaction: Transaction) -> Mapping[str, Alerting]:
            return dict(readable(dicts(transaction.connection.execute(_ALL)), tenants_alerting_of, _unreadable))

        return await self._database.read(work)

    async def get(self, tenant_id: str) -> Alerting:
        return await self._database.read(lambda transaction: _kept(transaction, tenant_id))

    async def change(
        self, tenant_id: str, edit: Callable[[Alerting], Alerting], by: Principal | None = None
    ) -> Alerting:
        def work(transaction: Transaction) -> Alerting:
            check_tenant(transaction.connection, tenant_id)
            before = _kept(transaction, tenant_id)
            after = edit(before)
            transaction.connection.execute(_PUT, {"tenant_id": tenant_id, "document": alerting_text(after)})
            record(transaction, alerting_entry(by, transaction.now, tenant_id, before, after))
            return after

        return await self._database.write(work)


def _kept(transaction: Transaction, tenant_id: str) -> Alerting:
    row = transaction.connection.execute(_GET, {"tenant_id": tenant_id}).fetchone()
    return alerting_from(row[0]) if row is not None else NO_ALERTING


def _unreadable(row: Row, error: Exception) -> None:
    log.error("alerting_unreadable", exc_info=error, extra={"tenant": row["tenant_id"]})
