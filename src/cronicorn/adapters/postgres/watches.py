"""Watched endpoints and their analyses in PostgreSQL."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from operator import itemgetter

import asyncpg

from cronicorn.adapters.postgres.database import PostgresDatabase, Transaction
from cronicorn.adapters.postgres.endpoint_rows import Found, apply, decided, find, lock, number_of
from cronicorn.adapters.postgres.job_catalog import job_of_endpoint
from cronicorn.adapters.postgres.notify import announce
from cronicorn.adapters.postgres.queries import Connection
from cronicorn.domain.analysis.analysis import Analysis
from cronicorn.domain.analysis.ports import WatchStore
from cronicorn.domain.analysis.rows import ANALYSES_KEPT, analysis_from, analysis_row, follow_up_at, look_row, watch_of
from cronicorn.domain.analysis.watch import AnalysisPage, Look, Watch, analysis_off
from cronicorn.domain.cells import Row, readable
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import NotFoundError
from cronicorn.domain.fields import us
from cronicorn.domain.instant import instant_of, shifted
from cronicorn.domain.ports import EndpointEdit

log = logging.getLogger(__name__)

_CLAIM = """
WITH due AS (
    SELECT endpoint_number FROM cronicorn.watches WHERE look_us <= $2 AND claimed_until_us <= $2
     ORDER BY look_us, endpoint_number LIMIT $4 FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE cronicorn.watches AS w SET claim_id = $1, claimed_until_us = $3
      FROM due WHERE w.endpoint_number = due.endpoint_number
    RETURNING w.*
)
SELECT c.*, e.document, s.state FROM claimed AS c
  JOIN cronicorn.endpoints AS e ON e.number = c.endpoint_number
  JOIN cronicorn.schedule AS s ON s.endpoint_number = c.endpoint_number
 ORDER BY c.look_us, c.endpoint_number
"""
_SETTLE = """
UPDATE cronicorn.watches
   SET look_us = $3, cursor_us = $4, memory = $5, claim_id = CASE WHEN $7 THEN claim_id END,
       claimed_until_us = CASE WHEN $7 THEN claimed_until_us ELSE 0 END,
       requested_by = CASE WHEN $6 THEN NULL ELSE requested_by END
 WHERE endpoint_number = $1 AND claim_id = $2
RETURNING endpoint_number
"""
_ADD = """
INSERT INTO cronicorn.analyses (endpoint_number, id, tenant_id, endpoint_id, at_us, tokens, document)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_FORGET = """
DELETE FROM cronicorn.analyses WHERE number IN (
    SELECT number FROM cronicorn.analyses WHERE endpoint_number = $1 ORDER BY number DESC OFFSET $2)
"""
_REQUEST = """
WITH before AS (
    SELECT endpoint_number, greatest(look_us, claimed_until_us) AS claimable_us FROM cronicorn.watches
     WHERE endpoint_number = $1 FOR UPDATE
)
UPDATE cronicorn.watches AS w SET requested_by = coalesce(w.requested_by, $2), look_us = least(w.look_us, $3)
  FROM before WHERE w.endpoint_number = before.endpoint_number
RETURNING before.claimable_us
"""
_PAGE = "ORDER BY number DESC LIMIT $2 OFFSET $3"
LIST = f"SELECT * FROM cronicorn.analyses WHERE endpoint_number = $1 {_PAGE}"  # noqa: S608 (made of constants)
LIST_AFTER = f"""
SELECT * FROM cronicorn.analyses WHERE endpoint_number = $1
   AND number < (SELECT number FROM cronicorn.analyses WHERE id = $4 AND endpoint_number = $1) {_PAGE}
"""  # noqa: S608 (made of constants)
_COUNT = "SELECT count(*) FROM cronicorn.analyses WHERE endpoint_number = $1"
_MEMORY = "SELECT memory FROM cronicorn.watches WHERE endpoint_number = $1"
_GET = "SELECT * FROM cronicorn.analyses WHERE id = $1 AND tenant_id = $2"
_KEPT = itemgetter("id", "tenant_id", "endpoint_id", "at_us", "tokens", "document")


class PostgresWatchStore(WatchStore):
    """Keeps watches and analyses. Whoever edits an endpoint keeps its row of `watches` (`endpoint_rows`)."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def claim_due(self, *, claim_id: str, limit: int, ttl: timedelta) -> Sequence[Watch]:
        async def work(transaction: Transaction) -> Sequence[Watch]:
            now = transaction.now
            until = shifted(now, ttl)
            rows = await transaction.connection.fetch(_CLAIM, claim_id, us(now), us(until), limit)
            return readable(map(dict, rows), lambda row: watch_of(row, claim_id, now, until), _unreadable)

        return await self._database.write(work)

    async def settle(self, watch: Watch, look: Look) -> None:
        async def work(transaction: Transaction) -> None:
            try:  # The endpoint first, as whoever else writes it: two that lock in another order would wait for ever.
                before = await lock(transaction, watch.endpoint.tenant_id, watch.endpoint.id)
            except NotFoundError as error:
                raise watch.lost() from error
            await _write(transaction.connection, before.number, watch, look)
            after = before.endpoint
            if look.edit is not None:
                after = await self._edit(transaction, before, look.edit)
            analysis = look.analysis_after(before.endpoint, after, transaction.now)
            if analysis is not None:
                await _keep(transaction.connection, before.number, analysis)

        await self._database.write(work)

    async def request(self, tenant_id: str, endpoint_id: str, by: str) -> timedelta:
        async def work(transaction: Transaction) -> timedelta:
            found = await find(transaction, tenant_id, endpoint_id)
            asked = (found.number, by, us(transaction.now))
            enabled = found.endpoint.analysis.enabled
            claimable_us: int | None = await transaction.connection.fetchval(_REQUEST, *asked) if enabled else None
            if claimable_us is None:
                raise analysis_off(endpoint_id)
            return transaction.now - instant_of(claimable_us)

        return await self._database.write(work)

    async def list(
        self, tenant_id: str, endpoint_id: str, *, limit: int, offset: int = 0, after: str | None = None
    ) -> AnalysisPage:
        async def work(transaction: Transaction) -> AnalysisPage:
            number = await number_of(transaction, tenant_id, endpoint_id)
            page = (LIST, number, limit, offset) if after is None else (LIST_AFTER, number, limit, offset, after)
            rows = await transaction.connection.fetch(*page)
            total = await transaction.connection.fetchval(_COUNT, number)
            memory: str | None = await transaction.connection.fetchval(_MEMORY, number)
            analyses = tuple(analysis_from(dict(row)) for row in rows)
            return AnalysisPage(analyses=analyses, total=total, follow_up_at=follow_up_at(memory))

        return await self._database.read(work)

    async def get(self, tenant_id: str, analysis_id: str) -> Analysis:
        async def work(transaction: Transaction) -> Analysis:
            row: asyncpg.Record | None = await transaction.connection.fetchrow(_GET, analysis_id, tenant_id)
            if row is None:
                raise NotFoundError(f"There is no session {analysis_id}.")
            return analysis_from(dict(row))

        return await self._database.read(work)

    async def _edit(self, transaction: Transaction, before: Found, edit: EndpointEdit) -> JobEndpoint:
        job = await job_of_endpoint(transaction, before.endpoint.tenant_id, before.endpoint.id)
        change = await decided(transaction, before, lambda stored: edit(before.endpoint, job, stored))
        await apply(transaction, before, change)
        due = {"before": before.endpoint.state.due_at, "after": change.endpoint.state.due_at}
        await announce(self._database.options, transaction, **due)
        return change.endpoint


async def _write(connection: Connection, number: int, watch: Watch, look: Look) -> None:
    row = look_row(look)
    written = (row["look_us"], row["cursor_us"], row["memory"], look.answers_request, look.claim_stays)
    if await connection.fetchrow(_SETTLE, number, watch.claim_id, *written) is None:
        raise watch.lost()


async def _keep(connection: Connection, number: int, analysis: Analysis) -> None:
    kept = analysis_row(analysis)
    await connection.execute(_ADD, number, *_KEPT(kept))
    await connection.execute(_FORGET, number, ANALYSES_KEPT)


def _unreadable(row: Row, error: Exception) -> None:
    """Tell of an endpoint, whose watch rests until its claim ends."""
    log.error("endpoint_unreadable", exc_info=error, extra={"number": row["endpoint_number"]})
