"""The API keys of tenants in PostgreSQL, as their owners see them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import and_, bindparam, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from cronicorn.adapters.postgres.audit_log import record
from cronicorn.adapters.postgres.database import PostgresDatabase, Transaction
from cronicorn.adapters.postgres.queries import Connection, query
from cronicorn.adapters.postgres.tenant_rows import lock_tenant
from cronicorn.adapters.postgres.tenant_schema import api_keys
from cronicorn.domain.access.audit_views import key_entry
from cronicorn.domain.access.issuing import check_keys
from cronicorn.domain.access.ports import IssuedKeys
from cronicorn.domain.access.rows import key_of, key_row
from cronicorn.domain.cells import number_at
from cronicorn.domain.errors import ConflictError, NotFoundError
from cronicorn.domain.fields import us
from cronicorn.domain.principal import Principal
from cronicorn.domain.tenant import ApiKey

_OF_TENANT = api_keys.c.tenant_id == bindparam("tenant_id")
_ONE = and_(_OF_TENANT, api_keys.c.id == bindparam("key_id"))
_COUNT = query(select(func.count().label("count")).where(_OF_TENANT, api_keys.c.revoked_us.is_(None)))
_INSERT = query(
    insert(api_keys).values({column.name: bindparam(column.name) for column in api_keys.c}).on_conflict_do_nothing()
)
_FIND = query(select(api_keys).where(_ONE).with_for_update())
_REVOKE = query(update(api_keys).values(revoked_us=bindparam("now_us")).where(_ONE, api_keys.c.revoked_us.is_(None)))
_LIST = query(
    select(api_keys)
    .where(_OF_TENANT)
    .order_by(api_keys.c.created_us.desc(), api_keys.c.hash.desc())
    .limit(bindparam("most"))
    .offset(bindparam("skipped"))
)
_USED = query(
    update(api_keys)
    .values(used_us=bindparam("at_us"))
    .where(
        api_keys.c.hash == bindparam("key_hash"),
        or_(api_keys.c.used_us.is_(None), api_keys.c.used_us < bindparam("at_us")),
    )
)


class PostgresIssuedKeys(IssuedKeys):
    """Keeps the keys that were issued."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def issue(self, key: ApiKey, keys_max: int, by: Principal | None = None) -> None:
        async def work(transaction: Transaction) -> None:
            connection = transaction.connection
            await lock_tenant(connection, key.tenant_id)
            check_keys(number_at(await _COUNT.row(connection, tenant_id=key.tenant_id), "count"), keys_max)
            if not await insert_key(connection, key):
                raise ConflictError("The key is taken; make a new one.")
            await record(transaction, key_entry(by, transaction.now, None, key))

        await self._database.write(work)

    async def list(self, tenant_id: str, *, limit: int, offset: int = 0) -> Sequence[ApiKey]:
        async def work(transaction: Transaction) -> Sequence[ApiKey]:
            rows = await _LIST.rows(transaction.connection, tenant_id=tenant_id, most=limit, skipped=offset)
            return [key_of(row) for row in rows]

        return await self._database.read(work)

    async def revoke(self, tenant_id: str, key_id: str, by: Principal | None = None) -> ApiKey:
        async def work(transaction: Transaction) -> ApiKey:
            which = {"tenant_id": tenant_id, "key_id": key_id}
            row = await _FIND.row(transaction.connection, **which)
            if row is None:
                raise NotFoundError(f"There is no key {key_id}.")
            before = key_of(row)
            if before.revoked_at is not None:
                return before
            revoked = replace(before, revoked_at=transaction.now)
            await _REVOKE.change(transaction.connection, now_us=us(transaction.now), **which)
            await record(transaction, key_entry(by, transaction.now, before, revoked))
            return revoked

        return await self._database.write(work)

    async def used(self, key_hash: str, at: datetime) -> None:
        async def work(transaction: Transaction) -> None:
            await _USED.change(transaction.connection, key_hash=key_hash, at_us=us(at))

        await self._database.write(work)


async def insert_key(connection: Connection, key: ApiKey) -> bool:
    """Write a new key; whether its hash and its id were free."""
    return bool(await _INSERT.change(connection, **key_row(key)))
