"""The health of a PostgreSQL database."""

from datetime import timedelta

import asyncpg

from cronicorn.adapters.postgres.database import PostgresDatabase, Transaction
from cronicorn.adapters.postgres.queries import Connection
from cronicorn.domain.fields import us
from cronicorn.domain.instant import shifted
from cronicorn.domain.ports import StoreHealth

# Every process asks this every few seconds, so it writes nothing: one row written by all would make them wait for one
# another and leave the server a dead row for each look. In recovery a transaction is read-only as well.
PING = """
SELECT current_setting('transaction_read_only') = 'on', has_table_privilege('cronicorn.schedule', 'UPDATE'),
       (SELECT shards FROM cronicorn.installation)
"""
OVERDUE = """
SELECT coalesce(sum(free.slots + expired.slots), 0)::bigint
  FROM generate_series(0, $1::integer - 1) AS parts(shard)
 CROSS JOIN LATERAL (
       SELECT count(*) AS slots FROM cronicorn.schedule AS s
        WHERE s.shard = parts.shard AND s.claim_id IS NULL AND s.due_us < $2) AS free
 CROSS JOIN LATERAL (
       SELECT count(*) AS slots FROM cronicorn.schedule AS s
        WHERE s.shard = parts.shard AND s.claim_id IS NOT NULL AND s.lease_until_us <= $3 AND s.due_us < $2) AS expired
"""


class PostgresStoreHealth(StoreHealth):
    """Asks the database, and counts what nobody runs. That the server's disk is full shows only where it is written."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def ping(self) -> None:
        async def work(connection: Connection) -> None:
            found = await connection.fetchrow(PING)
            assert found is not None
            read_only, allowed, _ = found
            if read_only:
                raise asyncpg.ReadOnlySQLTransactionError("transaction_read_only is on")
            if not allowed:
                raise asyncpg.InsufficientPrivilegeError("no UPDATE on cronicorn.schedule")

        await self._database.alone(work)

    async def overdue(self, by: timedelta) -> int:
        async def work(transaction: Transaction) -> int:
            latest_us, now_us = us(shifted(transaction.now, -by)), us(transaction.now)
            slots = await transaction.connection.fetchval(OVERDUE, self._database.shards, latest_us, now_us)
            assert isinstance(slots, int)
            return slots

        return await self._database.read(work)
