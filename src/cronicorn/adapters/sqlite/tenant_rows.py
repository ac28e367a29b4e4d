"""The row of a tenant in a SQLite file, as those ask for it who write what is its own."""

import sqlite3

from sqlalchemy import bindparam, select

from cronicorn.adapters.sqlite.queries import query
from cronicorn.adapters.sqlite.tenant_schema import tenants
from cronicorn.domain.errors import NotFoundError

_TENANT = query(select(tenants.c.id).where(tenants.c.id == bindparam("tenant_id")))


def check_tenant(connection: sqlite3.Connection, tenant_id: str) -> None:
    """Raise NotFoundError unless the tenant is there."""
    if _TENANT.row(connection, tenant_id=tenant_id) is None:
        raise NotFoundError(f"There is no tenant {tenant_id}.")
