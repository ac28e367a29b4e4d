"""Keychains in a SQLite file."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import bindparam, func, select
from sqlalchemy.dialects.sqlite import insert

from cronicorn.adapters.sqlite.audit_log import record
from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.queries import query
from cronicorn.adapters.sqlite.schema import keychains
from cronicorn.adapters.sqlite.writer import Transaction
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


class SqliteKeychains(KeychainStore):
    """Keeps keychains."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def get(self, tenant_id: str) -> Keychain:
        return await self._database.read(lambda transaction: _keychain(transaction.connection, tenant_id))

    async def change(
        self, tenant_id: str, edit: Callable[[Keychain], Keychain], by: Principal | None = None
    ) -> Keychain:
        def work(transaction: Transaction) -> Keychain:
            connection = transaction.connection
            before = _keychain(connection, tenant_id)
            after = edit(before)
            if after != before:
                (following,) = _NEXT.rows(connection)
                after = replace(after, revision=number_in(following["revision"]))
                _PUT.change(connection, **keychain_row(after))
                record(transaction, keychain_entry(by, transaction.now, before, after))
            return after

        return await self._database.write(work)

    async def changed_since(self, revision: int) -> KeychainChanges:
        def work(transaction: Transaction) -> KeychainChanges:
            return changes_of(_CHANGED.rows(transaction.connection, since=revision), revision)

        return await self._database.read(work)


def _keychain(connection: sqlite3.Connection, tenant_id: str) -> Keychain:
    row = _KEYCHAIN.row(connection, tenant=tenant_id)
    return keychain_of(row) if row is not None else Keychain(tenant_id=tenant_id)
