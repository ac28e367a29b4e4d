"""The health of a PostgreSQL database."""

from datetime import timedelta

from cronicorn.adapters.postgres.database import PostgresDatabase, Transaction
from cronicorn.domain.fields import us
from cronicorn.domain.instant import shifted
from cronicorn.domain.ports import StoreHealth

# Writes a row without changing anything: only so does a server show that may be read alone, or whose disk is full.
PING = "UPDATE cronicorn.alembic_version SET version_num = version_num"
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
    """Tries the database, and counts what nobody runs."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def ping(self) -> None:
        async def work(transaction: Transaction) -> None:
            await transaction.connection.execute(PING)

        await self._database.write(work)

    async def overdue(self, by: timedelta) -> int:
        async def work(transaction: Transaction) -> int:
            latest_us, now_us = us(shifted(transaction.now, -by)), us(transaction.now)
            slots = await transaction.connection.fetchval(OVERDUE, self._database.shards, latest_us, now_us)
            assert isinstance(slots, int)
            return slots

        return await self._database.read(work)
