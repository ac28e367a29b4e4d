"""Watched endpoints and their analyses in a SQLite file."""

import builtins
import logging
from collections.abc import Sequence
from datetime import timedelta

from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.endpoint_rows import apply, find, number_of
from cronicorn.adapters.sqlite.job_catalog import find_job
from cronicorn.adapters.sqlite.queries import dicts
from cronicorn.adapters.sqlite.writer import Transaction
from cronicorn.domain.analysis.analysis import Analysis
from cronicorn.domain.analysis.ports import WatchStore
from cronicorn.domain.analysis.rows import ANALYSES_KEPT, analysis_from, analysis_row, follow_up_at, look_row, watch_of
from cronicorn.domain.analysis.watch import AnalysisPage, Look, Watch, analysis_off
from cronicorn.domain.cells import Row, number_in, readable
from cronicorn.domain.errors import NotFoundError
from cronicorn.domain.fields import us
from cronicorn.domain.instant import instant_of, shifted
from cronicorn.domain.rows import job_of

log = logging.getLogger(__name__)

_CLAIM = """
UPDATE watches SET claim_id = :claim_id, claimed_until_us = :until_us
 WHERE endpoint_number IN (SELECT endpoint_number FROM watches WHERE look_us <= :now_us AND claimed_until_us <= :now_us
                            ORDER BY look_us, endpoint_number LIMIT :limit)
"""
_CLAIMED = """
SELECT w.*, e.document, s.state FROM watches AS w
  JOIN endpoints AS e ON e.number = w.endpoint_number JOIN schedule AS s ON s.endpoint_number = w.endpoint_number
 WHERE w.claim_id = :claim_id AND w.claimed_until_us > :now_us ORDER BY w.look_us, w.endpoint_number
"""
_SETTLE = """
UPDATE watches SET look_us = :look_us, cursor_us = :cursor_us, memory = :memory,
       claim_id = CASE WHEN :stays = 1 THEN claim_id END,
       claimed_until_us = CASE WHEN :stays = 1 THEN claimed_until_us ELSE 0 END,
       requested_by = CASE WHEN :answered = 1 THEN NULL ELSE requested_by END
 WHERE endpoint_number = :number AND claim_id = :claim_id
"""
_ADD = """
INSERT INTO analyses (endpoint_number, id, tenant_id, endpoint_id, at_us, tokens, document)
VALUES (:number, :id, :tenant_id, :endpoint_id, :at_us, :tokens, :document)
"""
_FORGET = """
DELETE FROM analyses WHERE number IN (SELECT number FROM analyses WHERE endpoint_number = :number
                                       ORDER BY number DESC LIMIT -1 OFFSET :kept)
"""
_REQUEST = """
UPDATE watches SET requested_by = coalesce(requested_by, :by), look_us = min(look_us, :now_us)
 WHERE endpoint_number = :number
"""
_CLAIMABLE = "SELECT max(look_us, claimed_until_us) AS us FROM watches WHERE endpoint_number = :number"
_PAGE = "ORDER BY number DESC LIMIT :limit OFFSET :offset"
LIST = f"SELECT * FROM analyses WHERE endpoint_number = :number {_PAGE}"  # noqa: S608 (made of constants)
LIST_AFTER = f"""
SELECT * FROM analyses WHERE endpoint_number = :number
   AND number < (SELECT number FROM analyses WHERE id = :after AND endpoint_number = :number) {_PAGE}
"""  # noqa: S608 (made of constants)
_COUNT = "SELECT count(*) AS total FROM analyses WHERE endpoint_number = :number"
_MEMORY = "SELECT memory FROM watches WHERE endpoint_number = :number"
_GET = "SELECT * FROM analyses WHERE id = :id AND tenant_id = :tenant_id"


class SqliteWatchStore(WatchStore):
    """Keeps watches and analyses. Whoever edits an endpoint keeps its row of `watches` (`endpoint_rows`)."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def claim_due(self, *, claim_id: str, limit: int, ttl: timedelta) -> Sequence[Watch]:
        def work(transaction: Transaction) -> builtins.list[Watch]:
            connection, now = transaction.connection, transaction.now
            until = shifted(now, ttl)
            named: Row = {"claim_id": claim_id, "now_us": us(now)}
            connection.execute(_CLAIM, {**named, "until_us": us(until), "limit": limit})
            rows = dicts(connection.execute(_CLAIMED, named))
            return readable(rows, lambda row: watch_of(row, claim_id, now, until), _unreadable)

        return await self._database.write(work)

    async def settle(self, watch: Watch, look: Look) -> None:
        await self._database.write(lambda transaction: _settle(transaction, watch, look))

    async def request(self, tenant_id: str, endpoint_id: str, by: str) -> timedelta:
        def work(transaction: Transaction) -> timedelta:
            found = find(transaction, tenant_id, endpoint_id)
            asked: Row = {"number": found.number, "by": by, "now_us": us(transaction.now)}
            before = dicts(transaction.connection.execute(_CLAIMABLE, {"number": found.number}))
            if not found.endpoint.analysis.enabled or not before:
                raise analysis_off(endpoint_id)
            transaction.connection.execute(_REQUEST, asked)
            return transaction.now - instant_of(number_in(before[0]["us"]))

        return await self._database.write(work)

    async def list(
        self, tenant_id: str, endpoint_id: str, *, limit: int, offset: int = 0, after: str | None = None
    ) -> AnalysisPage:
        def work(transaction: Transaction) -> AnalysisPage:
            which: Row = {"number": number_of(transaction, tenant_id, endpoint_id)}
            page: Row = {**which, "limit": limit, "offset": offset, "after": after}
            rows = dicts(transaction.connection.execute(LIST if after is None else LIST_AFTER, page))
            total = transaction.connection.execute(_COUNT, which).fetchone()[0]
            kept = transaction.connection.execute(_MEMORY, which).fetchone()
            return AnalysisPage(
                analyses=tuple(analysis_from(row) for row in rows),
                total=total,
                follow_up_at=follow_up_at(kept[0]) if kept is not None else None,
            )

        return await self._database.read(work)

    async def get(self, tenant_id: str, analysis_id: str) -> Analysis:
        def work(transaction: Transaction) -> Analysis:
            rows = dicts(transaction.connection.execute(_GET, {"id": analysis_id, "tenant_id": tenant_id}))
            if not rows:
                raise NotFoundError(f"There is no session {analysis_id}.")
            return analysis_from(rows[0])

        return await self._database.read(work)


def _settle(transaction: Transaction, watch: Watch, look: Look) -> None:
    """Write a look; what fails takes all of it back."""
    connection, endpoint = transaction.connection, watch.endpoint
    try:
        before = find(transaction, endpoint.tenant_id, endpoint.id)
    except NotFoundError as error:
        raise watch.lost() from error
    written = {**look_row(look), "number": before.number, "claim_id": watch.claim_id}
    if not connection.execute(_SETTLE, written).rowcount:
        raise watch.lost()
    after = before.endpoint
    if look.edit is not None:
        job = job_of(find_job(transaction, endpoint.tenant_id, before.endpoint.job_id))
        change = look.edit(before.endpoint, job, before.stored(transaction))
        apply(transaction, before, change)
        after = change.endpoint
    analysis = look.analysis_after(before.endpoint, after, transaction.now)
    if analysis is not None:
        connection.execute(_ADD, {**analysis_row(analysis), "number": before.number})
        connection.execute(_FORGET, {"number": before.number, "kept": ANALYSES_KEPT})


def _unreadable(row: Row, error: Exception) -> None:
    """Tell of an endpoint, whose watch rests until its claim ends."""
    log.error("endpoint_unreadable", exc_info=error, extra={"number": row["endpoint_number"]})
