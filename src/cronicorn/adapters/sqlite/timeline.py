"""What happened, in a SQLite file: the newest runs and analyses of an hour, and slots."""

from collections.abc import Sequence

from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.past_slots import past_slots
from cronicorn.adapters.sqlite.rollups import NEWEST_ANALYSES, NEWEST_RUNS, rows_of
from cronicorn.domain.past_slots import SlotPage, SlotQuery
from cronicorn.domain.rollup.ports import Timeline
from cronicorn.domain.rollup.rows import part_row, past_analysis_of, past_run_of, run_part_row
from cronicorn.domain.rollup.tallies import HourPart, PastAnalysis, PastRun


class SqliteTimeline(Timeline):
    """Reads what happened."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def runs(self, tenant_id: str, part: HourPart, limit: int) -> Sequence[PastRun]:
        rows = await rows_of(self._database, NEWEST_RUNS, {**run_part_row(tenant_id, part), "most": limit})
        return [past_run_of(tenant_id, row) for row in rows]

    async def analyses(self, tenant_id: str, part: HourPart, limit: int) -> Sequence[PastAnalysis]:
        rows = await rows_of(self._database, NEWEST_ANALYSES, {**part_row(tenant_id, part), "most": limit})
        return [past_analysis_of(row) for row in rows]

    async def slots(self, tenant_id: str, endpoint_id: str, query: SlotQuery) -> SlotPage:
        return await self._database.read(lambda transaction: past_slots(transaction, tenant_id, endpoint_id, query))
