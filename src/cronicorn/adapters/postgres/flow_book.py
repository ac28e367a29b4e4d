# ruff: noqa: S608 - statements are made of constants
"""What calls began lately and are in progress, in PostgreSQL."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TypeVar

from cronicorn.adapters.postgres.database import PostgresDatabase, Transaction
from cronicorn.adapters.postgres.queries import Connection, rows_touched
from cronicorn.adapters.postgres.statement_time import CLOCK_US, NOW_US
from cronicorn.domain.flow.ports import FlowBook, FlowEdit
from cronicorn.domain.flow.record import FlowKey, FlowRecord, flow_record_of, flow_row
from cronicorn.domain.instant import instant_of, microseconds_of

T = TypeVar("T")

_BLANK = '{"starts":[],"tail":0,"again":0,"places":[],"waiting":[],"slowings":0}'
# Keys come sorted: whoever changes some of the same waits for the first, and holds none that the other waits for.
_MAKE = f"""
INSERT INTO cronicorn.flows (tenant_id, name, kept_until_us, slowed_us, document)
SELECT k.tenant_id, k.name, {NOW_US}, 0, '{_BLANK}'
  FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS k(tenant_id, name, place) ORDER BY k.place
ON CONFLICT DO NOTHING
"""
_LOCK = """
SELECT tenant_id, name, kept_until_us, slowed_us, document FROM cronicorn.flows
 WHERE tenant_id = $1 AND name = $2 FOR UPDATE
"""
_KEEP = """
UPDATE cronicorn.flows SET kept_until_us = $3, slowed_us = $4, document = $5 WHERE tenant_id = $1 AND name = $2
"""
_SLOWED = f"""
SELECT tenant_id, name, slowed_us FROM cronicorn.flows WHERE slowed_us > 0 AND slowed_us > {NOW_US}
"""
_PRUNE = """
DELETE FROM cronicorn.flows WHERE ctid = ANY(ARRAY(
       SELECT ctid FROM cronicorn.flows WHERE kept_until_us < $1 ORDER BY kept_until_us LIMIT $2))
   AND kept_until_us < $1
"""


class PostgresFlowBook(FlowBook):
    """Keeps records of flow."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def change(self, keys: Collection[FlowKey], edit: FlowEdit[T]) -> T:
        ordered = sorted(keys)

        async def work(transaction: Transaction) -> T:
            before = await _locked(transaction, ordered)
            # The transaction may have begun long before it had the locks.
            now_us = await transaction.connection.fetchval(f"SELECT {CLOCK_US}", transaction.judged_us)
            records, answer = edit(before, instant_of(now_us))
            rows = [flow_row(key, record) for key, record in records.items() if record != before[key]]
            columns = ("tenant_id", "name", "kept_until_us", "slowed_us", "document")
            await transaction.connection.executemany(_KEEP, [[row[name] for name in columns] for row in rows])
            return answer

        return await self._database.write(work)

    async def slowed(self) -> Mapping[FlowKey, int]:
        judged_us = self._database.judged_us

        async def work(connection: Connection) -> Mapping[FlowKey, int]:
            rows = await connection.fetch(_SLOWED, judged_us)
            return {FlowKey(row["tenant_id"], row["name"]): row["slowed_us"] for row in rows}

        return await self._database.alone(work)

    async def prune(self, before: datetime, limit: int) -> int:
        async def work(connection: Connection) -> int:
            return rows_touched(await connection.execute(_PRUNE, microseconds_of(before), limit))

        return await self._database.alone(work)


async def _locked(transaction: Transaction, keys: list[FlowKey]) -> dict[FlowKey, FlowRecord]:
    """The records of *keys*, nobody else's until the transaction ends."""
    connection, found = transaction.connection, dict[FlowKey, FlowRecord]()
    tenants, names = [key.tenant_id for key in keys], [key.name for key in keys]
    while len(found) < len(keys):  # One may be pruned in between, and is made again.
        await connection.execute(_MAKE, transaction.judged_us, tenants, names)
        for key in keys:
            row = await connection.fetchrow(_LOCK, key.tenant_id, key.name)
            if row is not None:
                found[key] = flow_record_of(
                    row["document"], kept_until_us=row["kept_until_us"], slowed_us=row["slowed_us"]
                )
    return found
