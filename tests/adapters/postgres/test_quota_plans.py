"""What is asked of a quota with every call is answered from an index, however many grants there are."""

import json

import pytest

from cronicorn.adapters.postgres import quota_statements
from cronicorn.adapters.postgres.database import PostgresDatabase
from cronicorn.adapters.postgres.options import PostgresOptions

BOOKS = """
INSERT INTO cronicorn.quota_books (tenant_id, calendar, start_us, end_us)
SELECT 't' || n % 100, 'day UTC', n, n + 1 FROM generate_series(1, 4000) AS n
"""
GRANTS = """
INSERT INTO cronicorn.quota_grants (id, tenant_id, book_number, budget, estimate, expires_us, charged, settled)
SELECT n::text, 't' || n % 100, number, 'analysis', 1, n, 0, CASE WHEN n % 50 = 0 THEN 0 ELSE 1 END
  FROM generate_series(1, 40000) AS n JOIN cronicorn.quota_books ON start_us = 1 + n % 4000
"""
PLACE = "t1", "day UTC", 1
STATEMENTS = {
    "reserve": (
        quota_statements.RESERVE,
        (None, *PLACE, ["new"], [60_000_000], 1, "analysis", 1_000, 800, 500_000, 60_000_000, [1]),
    ),
    "settle": (quota_statements.SETTLE, ("17", 1)),
    "charge expired": (quota_statements.CHARGE_EXPIRED, (None, "t1")),
    "look": (quota_statements.LOOK, (None, *PLACE)),
    "record": (quota_statements.RECORD, (None, *PLACE, 1)),
    "known": (quota_statements.KNOWN, ("17",)),
    "locked book": (quota_statements.LOCKED_BOOK, PLACE),
}  # fmt: skip


@pytest.fixture
async def connection(postgres_url):
    database = await PostgresDatabase.open(postgres_url, PostgresOptions())
    async with database.connection() as connection:
        for statement in (BOOKS, GRANTS, "ANALYZE cronicorn.quota_books", "ANALYZE cronicorn.quota_grants"):
            await connection.execute(statement)
        yield connection
    await database.aclose()


def _steps(plan):
    yield plan
    for part in plan.get("Plans", []):
        yield from _steps(part)


@pytest.mark.parametrize("name", STATEMENTS)
async def test_no_table_is_read_from_end_to_end(connection, name):
    statement, arguments = STATEMENTS[name]

    (row,) = await connection.fetch(f"EXPLAIN (FORMAT JSON) {statement}", *arguments)

    steps = list(_steps(json.loads(row[0])[0]["Plan"]))
    assert [step["Relation Name"] for step in steps if step["Node Type"] == "Seq Scan"] == []


async def test_what_has_expired_is_found_among_what_is_still_open(connection):
    statement, arguments = STATEMENTS["look"]

    (row,) = await connection.fetch(f"EXPLAIN (FORMAT JSON) {statement}", *arguments)

    assert "quota_grants_open" in {step.get("Index Name") for step in _steps(json.loads(row[0])[0]["Plan"])}
