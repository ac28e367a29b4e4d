"""The health of the stores in memory."""

from datetime import timedelta

from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.domain.instant import shifted
from cronicorn.domain.ports import StoreHealth


class MemoryStoreHealth(StoreHealth):
    """Always well; counts what nobody runs."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def ping(self) -> None:
        return

    async def overdue(self, by: timedelta) -> int:
        with self._database.lock:
            now = self._database.clock.now()
            waiting = (row for row in self._database.rows.values() if not row.leased(now))
            instants = (row.endpoint.state.due_at for row in waiting)
            return sum(due_at is not None and due_at < shifted(now, -by) for due_at in instants)
