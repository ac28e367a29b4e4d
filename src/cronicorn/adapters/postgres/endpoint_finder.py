# ruff: noqa: S608 - statements are put together from the pieces in this file
"""Finding endpoints in PostgreSQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import count

from cronicorn.adapters.postgres.database import PostgresDatabase, Transaction
from cronicorn.adapters.postgres.place import shard_of
from cronicorn.domain.cells import Cell, text_in
from cronicorn.domain.endpoint import Job, JobEndpoint
from cronicorn.domain.fields import us
from cronicorn.domain.finding.ports import EndpointFinder
from cronicorn.domain.finding.search import FoundEndpoints, SearchQuery
from cronicorn.domain.rows import endpoint_from, job_of

_JOBS = """
SELECT *
  FROM (SELECT *, name || ' ' || coalesce(description, '') || ' ' || id AS told
          FROM cronicorn.jobs WHERE tenant_id = $1) AS f
 WHERE {found} ORDER BY created_us, number LIMIT $2
"""
_OF_TENANT = """
  FROM cronicorn.jobs AS j JOIN cronicorn.endpoints AS e ON e.job_number = j.number WHERE j.tenant_id = $1
"""
# JSON may hold what a text of the database can't: NUL, and halves of surrogate pairs. Of such a document all is told.
_UNTOLD = r"""
position('\u0000' IN e.document) > 0 OR position('\ud' IN e.document) > 0
AND regexp_replace(e.document, '\\ud[89ab][0-9a-f]{{2}}\\ud[c-f][0-9a-f]{{2}}', '', 'g') ~ '\\ud[89a-f]'
"""
_TOLD = f"""
j.name || ' ' || CASE WHEN {_UNTOLD} THEN e.document
                      ELSE (e.document::json ->> 'name') || ' ' || (e.document::json #>> '{{{{request,url}}}}') END
       || ' ' || e.id
"""
_THERE = f"SELECT count(*) FROM (SELECT 1 {_OF_TENANT} LIMIT $2) AS f"
_ENDPOINTS = f"""
SELECT j.*, e.document, s.state
  FROM (SELECT e.number, {_TOLD} AS told {_OF_TENANT} LIMIT $4) AS f
  JOIN cronicorn.endpoints AS e ON e.number = f.number
  JOIN cronicorn.jobs AS j ON j.number = e.job_number
  JOIN cronicorn.schedule AS s ON s.shard = $3 AND s.endpoint_id = e.id
 WHERE {{found}} ORDER BY j.created_us, j.number, e.created_us, e.number LIMIT $2
"""
_DUE = """
SELECT endpoint_number, due_us, state FROM cronicorn.schedule
 WHERE shard = $1 AND tenant_id = $2 AND due_us <= $3 AND claim_id IS {held} ORDER BY due_us, endpoint_number LIMIT $4
"""
PLANNED = f"""
SELECT j.*, e.document, s.state
  FROM (({_DUE.format(held="NULL")}) UNION ALL ({_DUE.format(held="NOT NULL")})) AS s
  JOIN cronicorn.endpoints AS e ON e.number = s.endpoint_number
  JOIN cronicorn.jobs AS j ON j.number = e.job_number
 ORDER BY s.due_us, s.endpoint_number LIMIT $4
"""
"""Each half has an index of its own."""


class PostgresEndpointFinder(EndpointFinder):
    """Looks through the endpoints of one tenant."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def jobs(self, tenant_id: str, query: SearchQuery) -> Sequence[Job]:
        async def work(transaction: Transaction) -> Sequence[Job]:
            found, spellings = _found(query, first=3)
            statement = _JOBS.format(found=found)
            rows = await transaction.connection.fetch(statement, tenant_id, query.limit, *spellings)
            return [job_of(dict(row)) for row in rows]

        return await self._database.read(work)

    async def endpoints(self, tenant_id: str, query: SearchQuery) -> FoundEndpoints:
        async def work(transaction: Transaction) -> FoundEndpoints:
            connection, shard = transaction.connection, shard_of(tenant_id, transaction.shards)
            found, spellings = _found(query, first=5)
            statement = _ENDPOINTS.format(found=found)
            rows = await connection.fetch(statement, tenant_id, query.limit, shard, query.searched_max, *spellings)
            there = await connection.fetchval(_THERE, tenant_id, query.searched_max + 1)
            return FoundEndpoints(
                endpoints=tuple(_placed(dict(row)) for row in rows), complete=there <= query.searched_max
            )

        return await self._database.read(work)

    async def planned(self, tenant_id: str, until: datetime, limit: int) -> Sequence[tuple[Job, JobEndpoint]]:
        async def work(transaction: Transaction) -> Sequence[tuple[Job, JobEndpoint]]:
            shard = shard_of(tenant_id, transaction.shards)
            rows = await transaction.connection.fetch(PLANNED, shard, tenant_id, us(until), limit)
            return [_placed(dict(row)) for row in rows]

        return await self._database.read(work)


def _found(query: SearchQuery, first: int) -> tuple[str, Sequence[str]]:
    """The condition that says the same as `SearchQuery.finds`, and its parameters, of which one is numbered *first*."""
    numbers = count(first)
    spelt = [
        " OR ".join(f"""position(${next(numbers)}::text IN lower(told COLLATE "C")) > 0""" for _ in word)
        for word in query.words
    ]
    return " AND ".join(f"({each})" for each in spelt), [spelling for word in query.words for spelling in word]


def _placed(row: Mapping[str, Cell]) -> tuple[Job, JobEndpoint]:
    return job_of(row), endpoint_from(text_in(row["document"]), text_in(row["state"]))
