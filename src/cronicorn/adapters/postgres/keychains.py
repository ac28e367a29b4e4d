"""Keychains in PostgreSQL."""

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import bindparam, func, select
from sqlalchemy.dialects.postgresql import insert

from cronicorn.adapters.postgres.audit_log import record
from cronicorn.adapters.postgres.database import PostgresDatabase, Transaction
from cronicorn.adapters.postgres.queries import Connection, query
from cronicorn.adapters.postgres.schema import keychains
from cronicorn.domain.cells import number_in
from cronicorn.domain.keychain.audited import keychain_entry
from cronicorn.domain.keychain.keychain import Keychain
from cronicorn.domain.keychain.ports import KeychainChanges, KeychainStore
from cronicorn.domain.keychain.rows import CHANGES_READ, changes_of, keychain_of, keychain_row
from cronicorn.domain.principal import Principal

_KEYCHAIN = query(select(keychains).where(keychains.c.tenant_id == bindparam("tenant")))
_NEXT = query(select((func.coalesce(func.max(keychains.c.revision), 0) + 1).label("revision")))
_CHANGED = query(
    select(keychains.c.tenant_id, keychains.c.revision)
    .where(keychains.c.revision > bindparam("since"))
    .order_by(keychains.c.revision.desc())
    .limit(CHANGES_READ)
)
_INSERT = insert(keychains).values({column.name: bindparam(column.name) for column in keychains.c})
_PUT = query(
    _INSERT.on_conflict_do_update(
        index_elements=["tenant_id"],
        set_={"revision": _INSERT.excluded.revision, "document": _INSERT.excluded.document},
    )
)
_ALONE = "LOCK TABLE cronicorn.keychains IN SHARE ROW EXCLUSIVE MODE"
"""Writers come one after the other, so that a revision is never seen before a lower one. Readers don't wait."""


class PostgresKeychains(KeychainStore):
    """Keeps keychains."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def get(self, tenant_id: str) -> Keychain:
        return await self._database.alone(lambda connection: _keychain(connection, tenant_id))

    async def change(
        self, tenant_id: str, edit: Callable[[Keychain], Keychain], by: Principal | None = None
    ) -> Keychain:
        async def work(transaction: Transaction) -> Keychain:
            connection = transaction.connection
            await connection.execute(_ALONE)
            before = await _keychain(connection, tenant_id)
            after = edit(before)
            if after != before:
                (following,) = await _NEXT.rows(connection)
                after = replace(after, revision=number_in(following["revision"]))
                await _PUT.change(connection, **keychain_row(after))
                await record(transaction, keychain_entry(by, transaction.now, before, after))
            return after

        return await self._database.write(work)

    async def changed_since(self, revision: int) -> KeychainChanges:
        rows = await self._database.alone(lambda connection: _CHANGED.rows(connection, since=revision))
        return changes_of(rows, revision)


async def _keychain(connection: Connection, tenant_id: str) -> Keychain:
    row = await _KEYCHAIN.row(connection, tenant=tenant_id)
    return keychain_of(row) if row is not None else Keychain(tenant_id=tenant_id)
