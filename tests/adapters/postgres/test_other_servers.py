"""What older servers and poolers know less of than the server of the tests does."""

import ast
import re
from pathlib import Path

import asyncpg
import pytest

from cronicorn.adapters.postgres import archive as package
from cronicorn.adapters.postgres.archive import PostgresArchive
from cronicorn.adapters.postgres.database import Feature, PostgresDatabase, PostgresOptions
from cronicorn.adapters.postgres.faults import translated
from cronicorn.domain.archive import Table
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.verification import Findings
from cronicorn.testing.contracts.archives import an_installation, fill

POOLED = PostgresOptions(without=frozenset({Feature.NOTIFY, Feature.PREPARED}))
_SUBQUERY = re.compile(r"\b(?:FROM|JOIN|LATERAL)\s*\((?=\s*(?:SELECT|VALUES|WITH|…))")
_NAMED = re.compile(r"\)\s*(AS\s+\w|TO\s*\()")
"""A name follows; or it was none, but the bounds of a partition."""


async def test_a_whole_database_is_read_and_written_without_statements_that_a_pooler_would_keep(postgres_url):
    archive = PostgresArchive(postgres_url, POOLED)
    kept = []

    async def work(snapshot):
        await snapshot.examine(Findings())
        for table in Table:
            kept.extend([portion async for portion in snapshot.rows(table)])
        return await snapshot._connection.fetchval("SELECT count(*) FROM pg_prepared_statements")

    await fill(archive, an_installation())

    assert await archive.read(work) == 0
    assert kept


async def test_a_pooler_that_mixes_up_statements_is_told_from_a_mistake(postgres_url):
    database = await PostgresDatabase.open(postgres_url, PostgresOptions())

    async with database.connection() as connection:
        await connection.fetchval("SELECT 1 + $1::bigint", 1)
        await connection.execute("DEALLOCATE ALL")  # The statement lies in another session now.
    with pytest.raises(UnavailableError, match="set CRONICORN_POSTGRES_WITHOUT to notify,prepared"):
        await database.alone(lambda connection: connection.fetchval("SELECT 1 + $1::bigint", 1))

    await database.aclose()


def test_a_name_that_is_taken_is_told_without_the_drivers_hint():
    answer = {"S": "ERROR", "C": "42P05", "M": 'prepared statement "__asyncpg_stmt_1__" already exists'}

    said = str(translated(asyncpg.PostgresError.new(answer)))

    assert "set CRONICORN_POSTGRES_WITHOUT to notify,prepared (prepared statement" in said
    assert "HINT" not in said


def test_subqueries_have_names_as_servers_before_16_demand():
    nameless, found = [], 0
    for path in sorted(Path(package.__file__).parent.glob("*.py")):
        for text in _texts(ast.parse(path.read_text())):
            for match in _SUBQUERY.finditer(text):
                found += 1
                if not _NAMED.match(text, _end(text, match.end() - 1)):
                    nameless.append(f"{path.name}: {text[match.start() :][:60]}")

    assert nameless == []
    assert found > 20


def _texts(node):
    """The strings in a module, with … for what is put into them."""
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    else:
        for part in ast.iter_child_nodes(node):
            yield from _texts(part)


def _end(text, start):
    """Where the parenthesis that opens at *start* closes."""
    depth = 0
    for place in range(start, len(text)):
        depth += (text[place] == "(") - (text[place] == ")")
        if depth == 0:
            return place
    return len(text)
