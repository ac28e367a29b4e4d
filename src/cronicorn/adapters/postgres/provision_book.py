"""What was set for tenants, in PostgreSQL."""

from collections.abc import Mapping

from cronicorn.adapters.postgres.database import PostgresDatabase
from cronicorn.adapters.postgres.queries import Connection
from cronicorn.domain.errors import NotFoundError
from cronicorn.domain.provision.ports import ProvisionBook
from cronicorn.domain.provision.provision import Provision, provision_of, provision_row

_PROVISIONS = "SELECT tenant_id, document FROM cronicorn.tenant_provisions"
_PROVIDE = """
INSERT INTO cronicorn.tenant_provisions (tenant_id, document)
SELECT id, $2 FROM cronicorn.tenants WHERE id = $1
ON CONFLICT (tenant_id) DO UPDATE SET document = excluded.document
RETURNING 1
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

    async def provide(self, tenant_id: str, provision: Provision) -> None:
        document = provision_row(tenant_id, provision)["document"]

        async def work(connection: Connection) -> None:
            if await connection.fetchval(_PROVIDE, tenant_id, document) is None:
                raise NotFoundError(f"There is no tenant {tenant_id}.")

        await self._database.alone(work)
