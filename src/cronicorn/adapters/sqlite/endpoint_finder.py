# ruff: noqa: S608 - statements are put together from the pieces in this file
"""Finding endpoints in a SQLite file."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.queries import dicts
from cronicorn.adapters.sqlite.writer import Transaction
from cronicorn.domain.cells import Cell, text_in
from cronicorn.domain.endpoint import Job, JobEndpoint
from cronicorn.domain.fields import us
from cronicorn.domain.finding.ports import EndpointFinder
from cronicorn.domain.finding.search import FoundEndpoints, SearchQuery
from cronicorn.domain.rows import endpoint_from, job_of

_JOBS = """
SELECT * FROM (SELECT *, name || ' ' || coalesce(description, '') || ' ' || id AS told FROM jobs WHERE tenant_id = ?)
 WHERE {found} ORDER BY created_us, number LIMIT ?
"""
_OF_TENANT = """
  FROM jobs AS j JOIN endpoints AS e ON e.job_number = j.number WHERE j.tenant_id = ?
"""
_ENDPOINTS = f"""
SELECT j.*, e.document, s.state
  FROM (SELECT e.number, j.name || ' ' || json_extract(e.document, '$.name') || ' '
               || json_extract(e.document, '$.request.url') || ' ' || e.id AS told
          {_OF_TENANT}
         ORDER BY j.created_us, j.number, e.created_us, e.number LIMIT ?) AS f
  JOIN endpoints AS e ON e.number = f.number
  JOIN jobs AS j ON j.number = e.job_number
  JOIN schedule AS s ON s.endpoint_number = e.number
 WHERE {{found}} ORDER BY j.created_us, j.number, e.created_us, e.number LIMIT ?
"""
_THERE = f"SELECT count(*) FROM (SELECT 1 {_OF_TENANT} LIMIT ?)"
PLANNED = """
SELECT j.*, e.document, s.state
  FROM schedule AS s JOIN endpoints AS e ON e.number = s.endpoint_number JOIN jobs AS j ON j.number = e.job_number
 WHERE s.tenant_id = ? AND s.due_us <= ? ORDER BY s.due_us, s.endpoint_number LIMIT ?
"""


class SqliteEndpointFinder(EndpointFinder):
    """Looks through the endpoints of one tenant, in a thread that reads."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def jobs(self, tenant_id: str, query: SearchQuery) -> Sequence[Job]:
        def work(transaction: Transaction) -> Sequence[Job]:
            found, spellings = _found(query)
            cursor = transaction.connection.execute(_JOBS.format(found=found), (tenant_id, *spellings, query.limit))
            return [job_of(row) for row in dicts(cursor)]

        return await self._database.read(work)

    async def endpoints(self, tenant_id: str, query: SearchQuery) -> FoundEndpoints:
        def work(transaction: Transaction) -> FoundEndpoints:
            connection, (found, spellings) = transaction.connection, _found(query)
            cells = (tenant_id, query.searched_max, *spellings, query.limit)
            cursor = connection.execute(_ENDPOINTS.format(found=found), cells)
            endpoints = tuple(_placed(row) for row in dicts(cursor))
            ((there,),) = connection.execute(_THERE, (tenant_id, query.searched_max + 1))
            return FoundEndpoints(endpoints=endpoints, complete=there <= query.searched_max)

        return await self._database.read(work)

    async def planned(self, tenant_id: str, until: datetime, limit: int) -> Sequence[tuple[Job, JobEndpoint]]:
        def work(transaction: Transaction) -> Sequence[tuple[Job, JobEndpoint]]:
            cursor = transaction.connection.execute(PLANNED, (tenant_id, us(until), limit))
            return [_placed(row) for row in dicts(cursor)]

        return await self._database.read(work)


def _found(query: SearchQuery) -> tuple[str, Sequence[str]]:
    """The condition that says the same as `SearchQuery.finds`, and its parameters."""
    spelt = " AND ".join(f"({' OR '.join(['instr(lower(told), ?) > 0'] * len(word))})" for word in query.words)
    return spelt, [spelling for word in query.words for spelling in word]


def _placed(row: Mapping[str, Cell]) -> tuple[Job, JobEndpoint]:
    return job_of(row), endpoint_from(text_in(row["document"]), text_in(row["state"]))
