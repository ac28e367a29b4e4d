"""Requests with a key in a SQLite file."""

from datetime import timedelta

from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.writer import Transaction
from cronicorn.domain.fields import us
from cronicorn.domain.instant import instant_of, shifted
from cronicorn.domain.repeating.keyed import KeptAnswer, KeyedRequest, KnownRequest, answer_of
from cronicorn.domain.repeating.ports import KeyedRequests

_FORGET = "DELETE FROM keyed_requests WHERE expires_us <= ?"
_BEGIN = """
INSERT INTO keyed_requests (tenant_id, key, fingerprint, claim_id, begun_us, expires_us) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING
"""
_FIND = "SELECT fingerprint, begun_us, answer FROM keyed_requests WHERE tenant_id = ? AND key = ?"
_END = "UPDATE keyed_requests SET answer = ? WHERE tenant_id = ? AND key = ? AND claim_id = ?"
_WITHDRAW = "DELETE FROM keyed_requests WHERE tenant_id = ? AND key = ? AND claim_id = ? AND answer IS NULL"


class SqliteKeyedRequests(KeyedRequests):
    """Keeps one row for each key."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def begin(self, request: KeyedRequest, kept: timedelta) -> KnownRequest | None:
        def work(transaction: Transaction) -> KnownRequest | None:
            connection, now = transaction.connection, transaction.now
            connection.execute(_FORGET, [us(now)])
            cells = (request.tenant_id, request.key, request.fingerprint, request.claim_id)
            if connection.execute(_BEGIN, (*cells, us(now), us(shifted(now, kept)))).rowcount:
                return None
            fingerprint, begun_us, answer = connection.execute(_FIND, (request.tenant_id, request.key)).fetchone()
            return KnownRequest(
                fingerprint=fingerprint, begun_at=instant_of(begun_us), now=now, answer=answer_of(answer)
            )

        return await self._database.write(work)

    async def end(self, request: KeyedRequest, answer: KeptAnswer) -> None:
        cells = (answer.text(), request.tenant_id, request.key, request.claim_id)
        await self._database.write(lambda transaction: transaction.connection.execute(_END, cells).close())

    async def withdraw(self, request: KeyedRequest) -> None:
        cells = (request.tenant_id, request.key, request.claim_id)
        await self._database.write(lambda transaction: transaction.connection.execute(_WITHDRAW, cells).close())
