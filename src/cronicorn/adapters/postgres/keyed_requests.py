"""Requests with a key in PostgreSQL."""

from datetime import timedelta

from cronicorn.adapters.postgres.database import PostgresDatabase
from cronicorn.adapters.postgres.queries import Connection
from cronicorn.adapters.postgres.statement_time import NOW_US
from cronicorn.domain.fields import length_us
from cronicorn.domain.instant import instant_of
from cronicorn.domain.repeating.keyed import KeptAnswer, KeyedRequest, KnownRequest, answer_of
from cronicorn.domain.repeating.ports import KeyedRequests

_BEGIN = f"""
WITH judged AS (SELECT {NOW_US} AS now_us),
     known AS (SELECT fingerprint, begun_us, answer FROM cronicorn.keyed_requests WHERE tenant_id = $2 AND key = $3),
     begun AS (INSERT INTO cronicorn.keyed_requests AS k
                      (tenant_id, key, fingerprint, claim_id, begun_us, expires_us, answer)
               SELECT $2, $3, $4, $5, now_us, now_us + $6::bigint, NULL FROM judged
                   ON CONFLICT (tenant_id, key) DO UPDATE
                      SET fingerprint = excluded.fingerprint, claim_id = excluded.claim_id,
                          begun_us = excluded.begun_us, expires_us = excluded.expires_us, answer = NULL
                    WHERE k.expires_us <= excluded.begun_us
            RETURNING 1 AS begun)
SELECT now_us, begun.begun, known.fingerprint, known.begun_us, known.answer
  FROM judged LEFT JOIN begun ON true LEFT JOIN known ON true
"""  # noqa: S608 (made of constants)
# Passing over what another one forgets: nobody waits for who waits for them.
_FORGET = f"""
DELETE FROM cronicorn.keyed_requests WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM cronicorn.keyed_requests WHERE expires_us <= {NOW_US} LIMIT 100 FOR UPDATE SKIP LOCKED))
"""  # noqa: S608 (made of constants)
_END = "UPDATE cronicorn.keyed_requests SET answer = $1 WHERE tenant_id = $2 AND key = $3 AND claim_id = $4"
_WITHDRAW = """
DELETE FROM cronicorn.keyed_requests WHERE tenant_id = $1 AND key = $2 AND claim_id = $3 AND answer IS NULL
"""


class PostgresKeyedRequests(KeyedRequests):
    """Keeps one row for each key."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def begin(self, request: KeyedRequest, kept: timedelta) -> KnownRequest | None:
        cells = (request.tenant_id, request.key, request.fingerprint, request.claim_id, length_us(kept))

        async def work(connection: Connection) -> KnownRequest | None:
            row = await connection.fetchrow(_BEGIN, self._database.judged_us, *cells)
            assert row is not None
            if row["begun"]:
                await connection.execute(_FORGET, self._database.judged_us)
                return None
            now = instant_of(row["now_us"])
            if row["fingerprint"] is None:  # Another one began since this statement did: it is in progress.
                return KnownRequest(fingerprint=request.fingerprint, begun_at=now, now=now, answer=None)
            return KnownRequest(
                fingerprint=row["fingerprint"], begun_at=instant_of(row["begun_us"]), now=now,
                answer=answer_of(row["answer"]),
            )  # fmt: skip

        return await self._database.alone(work)

    async def end(self, request: KeyedRequest, answer: KeptAnswer) -> None:
        await self._execute(_END, answer.text(), request.tenant_id, request.key, request.claim_id)

    async def withdraw(self, request: KeyedRequest) -> None:
        await self._execute(_WITHDRAW, request.tenant_id, request.key, request.claim_id)

    async def _execute(self, statement: str, *cells: str) -> None:
        async def work(connection: Connection) -> None:
            await connection.execute(statement, *cells)

        await self._database.alone(work)
