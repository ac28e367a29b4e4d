"""Which workers there are, in a SQLite file."""

from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.fleet_view import LEASES_OF_TENANT
from cronicorn.adapters.sqlite.queries import dicts
from cronicorn.adapters.sqlite.writer import Transaction
from cronicorn.domain.attendance.ports import WorkerBook
from cronicorn.domain.attendance.worker import FORGOTTEN_AFTER, Attendance, HeldCount, WorkerReport, worker_of
from cronicorn.domain.fields import us
from cronicorn.domain.fleet import Fleet, fleet_from
from cronicorn.domain.instant import shifted

_FORGET = "DELETE FROM workers WHERE seen_us < ?"
_NOTE = """
INSERT INTO workers (worker_id, version, since_us, seen_us) VALUES (:worker_id, :version, :now_us, :now_us)
ON CONFLICT (worker_id) DO UPDATE SET version = excluded.version, seen_us = excluded.seen_us
"""
_LEAVE = "DELETE FROM workers WHERE worker_id = ?"
_WORKERS = "SELECT * FROM workers ORDER BY since_us, worker_id"
HELD = """
SELECT worker_id, count(*), sum(lease_until_us <= ?) FROM schedule WHERE claim_id IS NOT NULL GROUP BY worker_id
"""


class SqliteWorkerBook(WorkerBook):
    """Keeps one row for each worker."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def note(self, report: WorkerReport) -> None:
        def work(transaction: Transaction) -> None:
            now = transaction.now
            transaction.connection.execute(_FORGET, (us(shifted(now, -FORGOTTEN_AFTER)),))
            row = {"worker_id": report.worker_id, "version": report.version, "now_us": us(now)}
            transaction.connection.execute(_NOTE, row)

        await self._database.write(work)

    async def leave(self, worker_id: str) -> None:
        def work(transaction: Transaction) -> None:
            transaction.connection.execute(_LEAVE, (worker_id,))

        await self._database.write(work)

    async def attendance(self) -> Attendance:
        def work(transaction: Transaction) -> Attendance:
            workers = [worker_of(row) for row in dicts(transaction.connection.execute(_WORKERS))]
            rows = transaction.connection.execute(HELD, (us(transaction.now),))
            held = {worker or "": HeldCount(held=count, expired=expired) for worker, count, expired in rows}
            return Attendance(now=transaction.now, workers=workers, held=held)

        return await self._database.read(work)

    async def leases_of(self, tenant_id: str, limit: int) -> Fleet:
        def work(transaction: Transaction) -> Fleet:
            rows = dicts(transaction.connection.execute(LEASES_OF_TENANT, (tenant_id, limit)))
            return fleet_from(transaction.now, rows)

        return await self._database.read(work)
