"""How many runs tenants had, by month, in a SQLite file."""

import json
import sqlite3
from collections.abc import Collection, Mapping
from datetime import datetime

from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.writer import Transaction
from cronicorn.domain.execution.limits import Standing
from cronicorn.domain.execution.ports import RunBook
from cronicorn.domain.fields import us

_COUNT = """
INSERT INTO run_counts (tenant_id, month_us, runs) VALUES (:tenant_id, :month_us, 1)
ON CONFLICT (tenant_id, month_us) DO UPDATE SET runs = runs + 1
"""
_STANDING = """
SELECT w.value, t.tier, coalesce(c.runs, 0)
  FROM json_each(:tenant_ids) AS w
  LEFT JOIN tenants AS t ON t.id = w.value
  LEFT JOIN run_counts AS c ON c.tenant_id = w.value AND c.month_us = :month_us
"""


def count_run(connection: sqlite3.Connection, tenant_id: str, month_at: datetime) -> None:
    """Count a run of the month that begins at *month_at*."""
    connection.execute(_COUNT, {"tenant_id": tenant_id, "month_us": us(month_at)})


class SqliteRunBook(RunBook):
    """Counts runs."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def standing(self, tenant_ids: Collection[str], month_at: datetime) -> Mapping[str, Standing]:
        parameters = {"tenant_ids": json.dumps(sorted(tenant_ids)), "month_us": us(month_at)}

        def work(transaction: Transaction) -> Mapping[str, Standing]:
            rows = transaction.connection.execute(_STANDING, parameters).fetchall()
            return {tenant_id: Standing(tier=tier, runs=runs) for tenant_id, tier, runs in rows}

        return await self._database.read(work)
