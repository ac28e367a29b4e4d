"""What was set for tenants, in PostgreSQL."""

from collections.abc import Callable, Mapping

from cronicorn.adapters.postgres.audit_log import record
from cronicorn.adapters.postgres.database import PostgresDatabase, Transaction
from cronicorn.adapters.postgres.queries import Connection
from cronicorn.adapters.postgres.tenant_rows import lock_tenant
from cronicorn.domain.access.audit_views import provision_entry
from cronicorn.domain.principal import Principal
from cronicorn.domain.provision.ports import ProvisionBook
from cronicorn.domain.provision.provision import NO_PROVISION, Provision, provision_of, provision_row

_PROVISIONS = "SELECT tenant_id, document FROM cronicorn.tenant_provisions"
_PROVISION = "SELECT document FROM cronicorn.tenant_provisions WHERE tenant_id = $1"
_PROVIDE = """
INSERT INTO cronicorn.tenant_provisions (tenant_id, document) VALUES ($1, $2)
ON CONFLICT (tenant_id) DO UPDATE SET document = excluded.document
"""


class PostgresProvisionBook(ProvisionBook):
    """Keeps provisions."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def provisions(self) -> Mapping[str, Provision]:
        async def work(connection: Connection) -> Mapping[str, Provision]:
            rows = await connection.fetch(_PROVISIONS)
            return {row["tenant_id"]: provision_of(row["document"]) for row in rows}

        return await self._database.alone(work)

    async def provide(
        self, tenant_id: str, edit: Callable[[Provision], Provision], by: Principal | None = None
    ) -> Provision:
        async def work(transaction: Transaction) -> Provision:
            connection = transaction.connection
            await lock_tenant(connection, tenant_id)
            document = await connection.fetchval(_PROVISION, tenant_id)
            before = provision_of(document) if document is not None else NO_PROVISION
            after = edit(before)
            await connection.execute(_PROVIDE, tenant_id, provision_row(tenant_id, after)["document"])
            await record(transaction, provision_entry(by, transaction.now, tenant_id, before, after))
            return after

        return await self._database.write(work)
