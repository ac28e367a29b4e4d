"""Which workers there are, in PostgreSQL."""

from cronicorn.adapters.postgres.database import PostgresDatabase, Transaction
from cronicorn.adapters.postgres.fleet_view import LEASES_OF_TENANT
from cronicorn.adapters.postgres.place import shard_of
from cronicorn.domain.attendance.ports import WorkerBook
from cronicorn.domain.attendance.worker import FORGOTTEN_AFTER, Attendance, HeldCount, WorkerReport, worker_of
from cronicorn.domain.fields import us
from cronicorn.domain.fleet import Fleet, fleet_from
from cronicorn.domain.instant import shifted

_FORGET = "DELETE FROM cronicorn.workers WHERE seen_us < $1"
_NOTE = """
INSERT INTO cronicorn.workers (worker_id, version, since_us, seen_us) VALUES ($1, $2, $3, $3)
ON CONFLICT (worker_id) DO UPDATE SET version = excluded.version, seen_us = excluded.seen_us
"""
_LEAVE = "DELETE FROM cronicorn.workers WHERE worker_id = $1"
_WORKERS = "SELECT * FROM cronicorn.workers ORDER BY since_us, worker_id"
HELD = """
SELECT coalesce(worker_id, '') AS worker_id, count(*) AS held, count(*) FILTER (WHERE lease_until_us <= $1) AS expired
  FROM cronicorn.schedule WHERE claim_id IS NOT NULL GROUP BY 1
"""


class PostgresWorkerBook(WorkerBook):
    """Keeps one row for each worker."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def note(self, report: WorkerReport) -> None:
        async def work(transaction: Transaction) -> None:
            now = transaction.now
            await transaction.connection.execute(_FORGET, us(shifted(now, -FORGOTTEN_AFTER)))
            await transaction.connection.execute(_NOTE, report.worker_id, report.version, us(now))

        await self._database.write(work)

    async def leave(self, worker_id: str) -> None:
        async def work(transaction: Transaction) -> None:
            await transaction.connection.execute(_LEAVE, worker_id)

        await self._database.write(work)

    async def attendance(self) -> Attendance:
        async def work(transaction: Transaction) -> Attendance:
            workers = [worker_of(dict(record)) for record in await transaction.connection.fetch(_WORKERS)]
            rows = await transaction.connection.fetch(HELD, us(transaction.now))
            held = {row["worker_id"]: HeldCount(held=row["held"], expired=row["expired"]) for row in rows}
            return Attendance(now=transaction.now, workers=workers, held=held)

        return await self._database.read(work)

    async def leases_of(self, tenant_id: str, limit: int) -> Fleet:
        async def work(transaction: Transaction) -> Fleet:
            shard = shard_of(tenant_id, transaction.shards)
            rows = await transaction.connection.fetch(LEASES_OF_TENANT, shard, tenant_id, limit)
            return fleet_from(transaction.now, [dict(record) for record in rows])

        return await self._database.read(work)
