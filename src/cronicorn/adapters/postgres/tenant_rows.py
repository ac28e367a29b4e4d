"""The row of a tenant in PostgreSQL, as those ask for it who write what is its own."""

from sqlalchemy import bindparam, select

from cronicorn.adapters.postgres.queries import Connection, query
from cronicorn.adapters.postgres.tenant_schema import tenants
from cronicorn.domain.errors import NotFoundError

_TENANT = select(tenants.c.id).where(tenants.c.id == bindparam("tenant_id"))
_CHECK = query(_TENANT)
_LOCK = query(_TENANT.with_for_update(key_share=True))


async def check_tenant(connection: Connection, tenant_id: str) -> None:
    """Raise NotFoundError unless the tenant is there."""
    if await _CHECK.row(connection, tenant_id=tenant_id) is None:
        raise NotFoundError(f"There is no tenant {tenant_id}.")


async def lock_tenant(connection: Connection, tenant_id: str) -> None:
    """Hold the tenant until the transaction ends: others that call this wait. Raises NotFoundError.

    Its row is always there, so two who write what is not there yet wait for one another, too.
    """
    if await _LOCK.row(connection, tenant_id=tenant_id) is None:
        raise NotFoundError(f"There is no tenant {tenant_id}.")
