"""What was set for tenants, in a SQLite file."""

from collections.abc import Mapping

from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.tenant_rows import check_tenant
from cronicorn.adapters.sqlite.writer import Transaction
from cronicorn.domain.provision.ports import ProvisionBook
from cronicorn.domain.provision.provision import Provision, provision_of, provision_row

_PROVISIONS = "SELECT tenant_id, document FROM tenant_provisions"
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

    async def provide(self, tenant_id: str, provision: Provision) -> None:
        def work(transaction: Transaction) -> None:
            check_tenant(transaction.connection, tenant_id)
            transaction.connection.execute(_PROVIDE, provision_row(tenant_id, provision))

        await self._database.write(work)
