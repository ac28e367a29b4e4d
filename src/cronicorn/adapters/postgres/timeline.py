"""What happened, in PostgreSQL: the newest runs and analyses of an hour, and slots."""

from collections.abc import Sequence

from cronicorn.adapters.postgres.database import PostgresDatabase
from cronicorn.adapters.postgres.past_slots import past_slots
from cronicorn.adapters.postgres.rollup_statements import NEWEST_ANALYSES, NEWEST_RUNS
from cronicorn.adapters.postgres.rollups import SPAN, rows_of
from cronicorn.domain.past_slots import SlotPage, SlotQuery
from cronicorn.domain.rollup.ports import Timeline
from cronicorn.domain.rollup.rows import part_row, past_analysis_of, past_run_of, run_part_row
from cronicorn.domain.rollup.tallies import HourPart, PastAnalysis, PastRun


class PostgresTimeline(Timeline):
    """Reads what happened."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def runs(self, tenant_id: str, part: HourPart, limit: int) -> Sequence[PastRun]:
        row = run_part_row(tenant_id, part)
        here = [row[name] for name in SPAN]
        place = [row[name] for name in ("hour_us", "after", "after_slot", "after_attempt")]
        rows = await rows_of(self._database, NEWEST_RUNS, *here, limit, *place)
        return [past_run_of(tenant_id, row) for row in rows]

    async def analyses(self, tenant_id: str, part: HourPart, limit: int) -> Sequence[PastAnalysis]:
        row = part_row(tenant_id, part)
        here = [row[name] for name in SPAN]
        rows = await rows_of(self._database, NEWEST_ANALYSES, *here, limit, row["after"])
        return [past_analysis_of(row) for row in rows]

    async def slots(self, tenant_id: str, endpoint_id: str, query: SlotQuery) -> SlotPage:
        return await self._database.read(lambda transaction: past_slots(transaction, tenant_id, endpoint_id, query))
