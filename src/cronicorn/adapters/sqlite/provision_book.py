"""What was set for tenants, in a SQLite file."""

from collections.abc import Mapping

from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.writer import Transaction
from cronicorn.domain.errors import NotFoundError
from cronicorn.domain.provision.ports import ProvisionBook
from cronicorn.domain.provision.provision import Provision, provision_of, provision_row

_PROVISIONS = "SELECT tenant_id, document FROM tenant_provisions"
_PROVIDE = """
INSERT INTO tenant_provisions (tenant_id, document)
SELECT id, :document FROM tenants WHERE id = :tenant_id
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
            changed = transaction.connection.execute(_PROVIDE, provision_row(tenant_id, provision)).rowcount
            if not changed:
                raise NotFoundError(f"There is no tenant {tenant_id}.")

        await self._database.write(work)
