"""Tenants and API keys in PostgreSQL."""

from collections.abc import Callable, Sequence

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from cronicorn.adapters.postgres.audit_log import record
from cronicorn.adapters.postgres.database import PostgresDatabase, Transaction
from cronicorn.adapters.postgres.issued_keys import insert_key
from cronicorn.adapters.postgres.member_book import insert_member
from cronicorn.adapters.postgres.queries import Connection, query
from cronicorn.adapters.postgres.tenant_rows import check_tenant, lock_tenant
from cronicorn.adapters.postgres.tenant_schema import api_keys, tenants
from cronicorn.domain.access.audit_views import tenant_entry, terms_entry
from cronicorn.domain.access.member import Member
from cronicorn.domain.access.ports import KeyRing
from cronicorn.domain.access.rows import key_of
from cronicorn.domain.errors import ConflictError
from cronicorn.domain.principal import Principal
from cronicorn.domain.quota.ports import TermsRegister
from cronicorn.domain.quota.terms import Terms
from cronicorn.domain.rows import tenant_of, tenant_row, terms_of, terms_row
from cronicorn.domain.tenant import ApiKey, Tenant

_TENANTS = query(select(tenants).order_by(tenants.c.created_us, tenants.c.number))
_TERMS = query(
    select(tenants.c.tier, tenants.c.token_limit, tenants.c.token_period, tenants.c.token_zone).where(
        tenants.c.id == bindparam("tenant_id")
    )
)
_AGREE = query(
    update(tenants)
    .values({name: bindparam(name) for name in ("tier", "token_limit", "token_period", "token_zone")})
    .where(tenants.c.id == bindparam("tenant_id"))
)
_KEY = query(select(api_keys).where(api_keys.c.hash == bindparam("key_hash")))
_INSERT_TENANT = query(
    insert(tenants)
    .values({column.name: bindparam(column.name) for column in tenants.c if column.name != "number"})
    .on_conflict_do_nothing()
)


class PostgresKeyRing(KeyRing, TermsRegister):
    """Keeps tenants, what was agreed with them, and the hashes of their keys."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def add_tenant(
        self, tenant: Tenant, key: ApiKey, owner: Member | None = None, by: Principal | None = None
    ) -> None:
        assert key.tenant_id == tenant.id

        async def work(transaction: Transaction) -> None:
            connection = transaction.connection
            if not await _INSERT_TENANT.change(connection, **tenant_row(tenant)):
                raise ConflictError(f"There is a tenant {tenant.name} already; choose another name.")
            if not await insert_key(connection, key):
                raise ConflictError("The key is taken; make a new one.")
            if owner is not None:
                await insert_member(transaction, owner)
            await record(transaction, tenant_entry(by, transaction.now, tenant))

        await self._database.write(work)

    async def tenants(self) -> Sequence[Tenant]:
        async def work(transaction: Transaction) -> Sequence[Tenant]:
            return [tenant_of(row) for row in await _TENANTS.rows(transaction.connection)]

        return await self._database.read(work)

    async def add_key(self, key: ApiKey) -> None:
        async def work(transaction: Transaction) -> None:
            connection = transaction.connection
            await check_tenant(connection, key.tenant_id)
            if await insert_key(connection, key):
                return
            known = await _KEY.row(connection, key_hash=key.hash)
            if known is None or known["tenant_id"] != key.tenant_id:
                raise ConflictError("The key belongs to another tenant; make a new one.")

        await self._database.write(work)

    async def find(self, key_hash: str) -> ApiKey | None:
        async def work(transaction: Transaction) -> ApiKey | None:
            row = await _KEY.row(transaction.connection, key_hash=key_hash)
            return key_of(row) if row is not None else None

        return await self._database.read(work)

    async def terms(self, tenant_id: str) -> Terms:
        return await self._database.alone(lambda connection: _terms(connection, tenant_id))

    async def agree(self, tenant_id: str, edit: Callable[[Terms], Terms], by: Principal | None = None) -> Terms:
        async def work(transaction: Transaction) -> Terms:
            await lock_tenant(transaction.connection, tenant_id)
            before = await _terms(transaction.connection, tenant_id)
            terms = edit(before)
            await _AGREE.change(transaction.connection, tenant_id=tenant_id, **terms_row(terms))
            await record(transaction, terms_entry(by, transaction.now, tenant_id, before, terms))
            return terms

        return await self._database.write(work)


async def _terms(connection: Connection, tenant_id: str) -> Terms:
    row = await _TERMS.row(connection, tenant_id=tenant_id)
    return terms_of(row) if row is not None else Terms()
