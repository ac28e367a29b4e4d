"""What calls began lately and are in progress, in a SQLite file."""

import sqlite3
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import TypeVar

from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.writer import Transaction
from cronicorn.domain.flow.ports import FlowBook, FlowEdit
from cronicorn.domain.flow.record import BLANK, FlowKey, FlowRecord, flow_record_of, flow_row
from cronicorn.domain.instant import microseconds_of

T = TypeVar("T")

_RECORD = "SELECT document, kept_until_us, slowed_us FROM flows WHERE tenant_id = ? AND name = ?"
_KEEP = """
INSERT INTO flows (tenant_id, name, kept_until_us, slowed_us, document)
VALUES (:tenant_id, :name, :kept_until_us, :slowed_us, :document)
ON CONFLICT (tenant_id, name) DO UPDATE
   SET kept_until_us = excluded.kept_until_us, slowed_us = excluded.slowed_us, document = excluded.document
"""
_SLOWED = "SELECT tenant_id, name, slowed_us FROM flows WHERE slowed_us > 0 AND slowed_us > ?"
_PRUNE = "DELETE FROM flows WHERE rowid IN (SELECT rowid FROM flows WHERE kept_until_us < ? LIMIT ?)"


class SqliteFlowBook(FlowBook):
    """Keeps records of flow."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def change(self, keys: Collection[FlowKey], edit: FlowEdit[T]) -> T:
        def work(transaction: Transaction) -> T:
            connection = transaction.connection
            before = dict(_records(connection, keys))
            records, answer = edit(before, transaction.now)
            changed = (flow_row(key, record) for key, record in records.items() if record != before[key])
            connection.executemany(_KEEP, changed)
            return answer

        return await self._database.write(work)

    async def slowed(self) -> Mapping[FlowKey, int]:
        def work(transaction: Transaction) -> Mapping[FlowKey, int]:
            rows = transaction.connection.execute(_SLOWED, [microseconds_of(transaction.now)])
            return {FlowKey(tenant_id, name): slowed_us for tenant_id, name, slowed_us in rows}

        return await self._database.read(work)

    async def prune(self, before: datetime, limit: int) -> int:
        def work(transaction: Transaction) -> int:
            return transaction.connection.execute(_PRUNE, [microseconds_of(before), limit]).rowcount

        return await self._database.write(work)


def _records(connection: sqlite3.Connection, keys: Collection[FlowKey]) -> Iterator[tuple[FlowKey, FlowRecord]]:
    for key in keys:
        row = connection.execute(_RECORD, key).fetchone()
        yield key, BLANK if row is None else flow_record_of(row[0], kept_until_us=row[1], slowed_us=row[2])
