"""Tenants and API keys in a SQLite file."""

import sqlite3
from collections.abc import Callable, Sequence

from sqlalchemy import bindparam, insert, literal_column, select, update

from cronicorn.adapters.sqlite.audit_log import record
from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.issued_keys import insert_key
from cronicorn.adapters.sqlite.member_book import insert_member
from cronicorn.adapters.sqlite.queries import query
from cronicorn.adapters.sqlite.tenant_rows import check_tenant
from cronicorn.adapters.sqlite.tenant_schema import api_keys, tenants
from cronicorn.adapters.sqlite.writer import Transaction
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

_TENANTS = query(select(tenants).order_by(tenants.c.created_us, literal_column("rowid")))
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
_INSERT_TENANT = query(insert(tenants).values({column.name: bindparam(column.name) for column in tenants.c}))


class SqliteKeyRing(KeyRing, TermsRegister):
    """Keeps tenants, what was agreed with them, and the hashes of their keys."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def add_tenant(
        self, tenant: Tenant, key: ApiKey, owner: Member | None = None, by: Principal | None = None
    ) -> None:
        assert key.tenant_id == tenant.id

        def work(transaction: Transaction) -> None:
            connection = transaction.connection
            try:
                _INSERT_TENANT.change(connection, **tenant_row(tenant))
            except sqlite3.IntegrityError as error:
                raise ConflictError(f"There is a tenant {tenant.name} already; choose another name.") from error
            if not insert_key(connection, key):
                raise ConflictError("The key is taken; make a new one.")
            if owner is not None:
                insert_member(transaction, owner)
            record(transaction, tenant_entry(by, transaction.now, tenant))

        await self._database.write(work)

    async def tenants(self) -> Sequence[Tenant]:
        return await self._database.read(
            lambda transaction: [tenant_of(row) for row in _TENANTS.rows(transaction.connection)]
        )

    async def add_key(self, key: ApiKey) -> None:
        def work(transaction: Transaction) -> None:
            connection = transaction.connection
            check_tenant(connection, key.tenant_id)
            if insert_key(connection, key):
                return
            known = _KEY.row(connection, key_hash=key.hash)
            if known is None or known["tenant_id"] != key.tenant_id:
                raise ConflictError("The key belongs to another tenant; make a new one.")

        await self._database.write(work)

    async def find(self, key_hash: str) -> ApiKey | None:
        def work(transaction: Transaction) -> ApiKey | None:
            row = _KEY.row(transaction.connection, key_hash=key_hash)
            return key_of(row) if row is not None else None

        return await self._database.read(work)

    async def terms(self, tenant_id: str) -> Terms:
        return await self._database.read(lambda transaction: _terms(transaction, tenant_id))

    async def agree(self, tenant_id: str, edit: Callable[[Terms], Terms], by: Principal | None = None) -> Terms:
        def work(transaction: Transaction) -> Terms:
            check_tenant(transaction.connection, tenant_id)
            before = _terms(transaction, tenant_id)
            terms = edit(before)
            _AGREE.change(transaction.connection, tenant_id=tenant_id, **terms_row(terms))
            record(transaction, terms_entry(by, transaction.now, tenant_id, before, terms))
            return terms

        return await self._database.write(work)


def _terms(transaction: Transaction, tenant_id: str) -> Terms:
    row = _TERMS.row(transaction.connection, tenant_id=tenant_id)
    return terms_of(row) if row is not None else Terms()
