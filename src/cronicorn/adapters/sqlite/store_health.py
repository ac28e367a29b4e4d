"""The health of a SQLite file."""

from datetime import timedelta

from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.writer import Transaction
from cronicorn.domain.fields import us
from cronicorn.domain.instant import shifted
from cronicorn.domain.ports import StoreHealth

# Writes a page without changing anything: only so does a full disk show.
PING = "UPDATE alembic_version SET version_num = version_num"
OVERDUE = """
SELECT (SELECT count(*) FROM schedule WHERE claim_id IS NULL AND due_us < :latest_us)
     + (SELECT count(*) FROM schedule
         WHERE claim_id IS NOT NULL AND lease_until_us <= :now_us AND due_us < :latest_us)
"""


class SqliteStoreHealth(StoreHealth):
    """Tries the file, and counts what nobody runs."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def ping(self) -> None:
        def work(transaction: Transaction) -> None:
            transaction.connection.execute(PING)

        await self._database.write(work)
        await self._database.read(lambda transaction: transaction.connection.execute("SELECT 1").fetchone())

    async def overdue(self, by: timedelta) -> int:
        def work(transaction: Transaction) -> int:
            instants = {"now_us": us(transaction.now), "latest_us": us(shifted(transaction.now, -by))}
            row = transaction.connection.execute(OVERDUE, instants).fetchone()
            return row[0]  # type: ignore[no-any-return]

        return await self._database.read(work)
