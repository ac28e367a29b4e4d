"""How many runs tenants had, by month, in PostgreSQL."""

from collections.abc import Collection, Mapping
from datetime import datetime

from cronicorn.adapters.postgres.database import PostgresDatabase
from cronicorn.domain.execution.limits import Standing
from cronicorn.domain.execution.ports import RunBook
from cronicorn.domain.fields import us

_STANDING = """
SELECT w.id, t.tier, coalesce(c.runs, 0) AS runs
  FROM unnest($1::text[]) AS w(id)
  LEFT JOIN cronicorn.tenants AS t ON t.id = w.id
  LEFT JOIN cronicorn.run_counts AS c ON c.tenant_id = w.id AND c.month_us = $2
"""


class PostgresRunBook(RunBook):
    """Counts runs."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def standing(self, tenant_ids: Collection[str], month_at: datetime) -> Mapping[str, Standing]:
        wanted, month_us = sorted(tenant_ids), us(month_at)
        records = await self._database.alone(lambda connection: connection.fetch(_STANDING, wanted, month_us))
        return {record["id"]: Standing(tier=record["tier"], runs=record["runs"]) for record in records}
