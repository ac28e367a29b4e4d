"""What was set for tenants, in a SQLite file."""

from collections.abc import Callable, Mapping

from cronicorn.adapters.sqlite.audit_log import record
from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.tenant_rows import check_tenant
from cronicorn.adapters.sqlite.writer import Transaction
from cronicorn.domain.access.audit_views import provision_entry
from cronicorn.domain.principal import Principal
from cronicorn.domain.provision.ports import ProvisionBook
from cronicorn.domain.provision.provision import NO_PROVISION, Provision, provision_of, provision_row

_PROVISIONS = "SELECT tenant_id, document FROM tenant_provisions"
_PROVISION = "SELECT document FROM tenant_provisions WHERE tenant_id = ?"
_PROVIDE = """
INSERT INTO tenant_provisions (tenant_id, document) VALUES (:tenant_id, :document)
ON CONFLICT (tenant_id) DO UPDATE SET document = excluded.document
"""


class SqliteProvisionBook(ProvisionBook):
    """Keeps provisions."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def provisions(self) -> Mapping[str, Provision]:
        def work(transaction: Transaction) -> Mapping[str, Provision]:
            rows = transaction.connection.execute(_PROVISIONS).fetchall()
            return {tenant_id: provision_of(document) for tenant_id, document in rows}

        return await self._database.read(work)

    async def provide(
        self, tenant_id: str, edit: Callable[[Provision], Provision], by: Principal | None = None
    ) -> Provision:
        def work(transaction: Transaction) -> Provision:
            check_tenant(transaction.connection, tenant_id)
            known = transaction.connection.execute(_PROVISION, (tenant_id,)).fetchone()
            before = provision_of(known[0]) if known is not None else NO_PROVISION
            after = edit(before)
            transaction.connection.execute(_PROVIDE, provision_row(tenant_id, after))
            record(transaction, provision_entry(by, transaction.now, tenant_id, before, after))
            return after

        return await self._database.write(work)
