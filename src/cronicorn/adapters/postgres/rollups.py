"""How many runs there were, and the newest of them, in PostgreSQL."""

from collections.abc import Sequence

from cronicorn.adapters.postgres import rollup_statements as statements
from cronicorn.adapters.postgres.database import PostgresDatabase, Transaction
from cronicorn.adapters.postgres.place import shard_of
from cronicorn.domain.cells import Cell, Row
from cronicorn.domain.plan import Source
from cronicorn.domain.rollup.ports import Rollups
from cronicorn.domain.rollup.rows import (
    analysis_tally_of,
    endpoint_tally_of,
    job_tally_of,
    paused_among,
    span_row,
    step_tally_of,
)
from cronicorn.domain.rollup.tallies import (
    AnalysisTally,
    Census,
    EndpointTally,
    HourSpan,
    JobTally,
    StepTally,
)

SPAN = ("tenant_id", "job_id", "since_us", "until_us")


class PostgresRollups(Rollups):
    """Reads counts."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def census(self, tenant_id: str, job_id: str | None = None) -> Census:
        async def work(transaction: Transaction) -> Census:
            connection, here = transaction.connection, (tenant_id, job_id, shard_of(tenant_id, transaction.shards))
            states = [record["state"] for record in await connection.fetch(statements.MAYBE_PAUSED, *here)]
            return Census(
                jobs=await connection.fetchval(statements.JOBS, tenant_id, job_id),
                endpoints=await connection.fetchval(statements.ENDPOINTS, tenant_id, job_id),
                paused=paused_among(states, transaction.now),
            )

        return await self._database.read(work)

    async def by_job(self, tenant_id: str, span: HourSpan) -> Sequence[JobTally]:
        return [job_tally_of(row) for row in await self._rows(statements.BY_JOB, tenant_id, span)]

    async def by_step(self, tenant_id: str, span: HourSpan) -> Sequence[StepTally]:
        rows = await self._rows(statements.BY_STEP, tenant_id, span, "step_us")
        return [step_tally_of(row) for row in rows]

    async def busiest(
        self, tenant_id: str, span: HourSpan, limit: int, source: Source | None = None, every: int = 1
    ) -> Sequence[EndpointTally]:
        wanted = source.value if source is not None else None
        rows = await self._rows(statements.BUSIEST, tenant_id, span, "step_us", limit, wanted, every)
        return [endpoint_tally_of(row) for row in rows]

    async def analyses(self, tenant_id: str, span: HourSpan) -> Sequence[AnalysisTally]:
        rows = await self._rows(statements.ANALYSES_BY_STEP, tenant_id, span, "step_us")
        return [analysis_tally_of(row) for row in rows]

    async def _rows(
        self, statement: str, tenant_id: str, span: HourSpan, step: str | None = None, *more: Cell
    ) -> list[Row]:
        parameters = span_row(tenant_id, span)
        names = (*SPAN, step) if step is not None else SPAN
        return await rows_of(self._database, statement, *(parameters[name] for name in names), *more)


async def rows_of(database: PostgresDatabase, statement: str, *parameters: Cell) -> list[Row]:
    """What *statement* finds, by column name."""

    async def work(transaction: Transaction) -> list[Row]:
        return [dict(record) for record in await transaction.connection.fetch(statement, *parameters)]

    return await database.read(work)
