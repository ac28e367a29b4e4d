"""What tenants want to be told, in PostgreSQL."""

import logging
from collections.abc import Callable, Mapping

from cronicorn.adapters.postgres.audit_log import record
from cronicorn.adapters.postgres.database import PostgresDatabase, Transaction
from cronicorn.adapters.postgres.queries import Connection
from cronicorn.adapters.postgres.tenant_rows import lock_tenant
from cronicorn.domain.alert.alerting import NO_ALERTING, Alerting
from cronicorn.domain.alert.audited import alerting_entry
from cronicorn.domain.alert.ports import AlertingBook
from cronicorn.domain.alert.rows import alerting_from, alerting_text, tenants_alerting_of
from cronicorn.domain.cells import Row, readable
from cronicorn.domain.principal import Principal

log = logging.getLogger(__name__)

_ALL = "SELECT tenant_id, document FROM cronicorn.alertings"
_GET = "SELECT document FROM cronicorn.alertings WHERE tenant_id = $1"
_PUT = """
INSERT INTO cronicorn.alertings (tenant_id, document) VALUES ($1, $2)
ON CONFLICT (tenant_id) DO UPDATE SET document = excluded.document
"""


class PostgresAlertingBook(AlertingBook):
    """Keeps one document for each tenant."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def all(self) -> Mapping[str, Alerting]:
        async def work(connection: Connection) -> Mapping[str, Alerting]:
            return dict(readable(map(dict, await connection.fetch(_ALL)), tenants_alerting_of, _unreadable))

        return await self._database.alone(work)

    async def get(self, tenant_id: str) -> Alerting:
        return await self._database.alone(lambda connection: _kept(connection, tenant_id))

    async def change(
        self, tenant_id: str, edit: Callable[[Alerting], Alerting], by: Principal | None = None
    ) -> Alerting:
        async def work(transaction: Transaction) -> Alerting:
            await lock_tenant(transaction.connection, tenant_id)
            before = await _kept(transaction.connection, tenant_id)
            after = edit(before)
            await transaction.connection.execute(_PUT, tenant_id, alerting_text(after))
            await record(transaction, alerting_entry(by, transaction.now, tenant_id, before, after))
            return after

        return await self._database.write(work)


async def _kept(connection: Connection, tenant_id: str) -> Alerting:
    document = await connection.fetchval(_GET, tenant_id)
    return alerting_from(document) if document is not None else NO_ALERTING


def _unreadable(row: Row, error: Exception) -> None:
    log.error("alerting_unreadable", exc_info=error, extra={"tenant": row["tenant_id"]})
