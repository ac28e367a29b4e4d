"""Counting how often something happens, in PostgreSQL."""

from cronicorn.adapters.postgres.database import PostgresDatabase
from cronicorn.adapters.postgres.queries import Connection
from cronicorn.adapters.postgres.statement_time import NOW_US
from cronicorn.domain.access.ports import RateCounter
from cronicorn.domain.instant import MICROSECOND, instant_of
from cronicorn.domain.rate import Rate, RateStanding, standing_of

# The same as `next_spent`, as one statement that commits by itself: requests of one key wait for no round trip. Nothing
# is updated where the limit is spent, and the statement answers what was there before.
_SPENT = """
    CASE WHEN known.spent_until_us - 2 * $4::bigint > excluded.spent_until_us - $3 THEN excluded.spent_until_us - $3
         ELSE greatest(known.spent_until_us, excluded.spent_until_us - $3) END
"""
_TAKE = f"""
WITH judged AS (SELECT {NOW_US} AS now_us),
     before AS (SELECT spent_until_us FROM cronicorn.rates WHERE name = $2),
     taken AS (INSERT INTO cronicorn.rates AS known (name, spent_until_us)
               SELECT $2, now_us + $3::bigint FROM judged
                   ON CONFLICT (name) DO UPDATE
                      SET spent_until_us = {_SPENT} + $3
                    WHERE {_SPENT} + $3 <= excluded.spent_until_us - $3 + $4::bigint
            RETURNING spent_until_us)
SELECT now_us, taken.spent_until_us AS taken_us, before.spent_until_us AS before_us
  FROM judged LEFT JOIN taken ON true LEFT JOIN before ON true
"""  # noqa: S608 (made of constants)

# Whoever counts holds one row, and rows are locked in their order: nobody waits for who waits for them.
_FORGET_PASSED = f"""
DELETE FROM cronicorn.rates
 WHERE name IN (SELECT name FROM cronicorn.rates WHERE spent_until_us <= {NOW_US} ORDER BY name LIMIT 100 FOR UPDATE)
"""  # noqa: S608 (made of constants)
_FORGET = "DELETE FROM cronicorn.rates WHERE name = $1"


class PostgresRateCounter(RateCounter):
    """Keeps one row for each name whose limit is spent until some instant."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def take(self, name: str, rate: Rate) -> RateStanding:
        step_us, period_us = rate.step // MICROSECOND, rate.period // MICROSECOND

        async def work(connection: Connection) -> RateStanding:
            row = await connection.fetchrow(_TAKE, self._database.judged_us, name, step_us, period_us)
            assert row is not None
            now = instant_of(row["now_us"])
            allowed = row["taken_us"] is not None
            if allowed and row["before_us"] is None:
                await connection.execute(_FORGET_PASSED, self._database.judged_us)
            # Another request may have spent the limit since this statement began, and saw what was there before.
            refused_us = row["now_us"] + period_us - step_us + 1
            spent_us = row["taken_us"] if allowed else max(row["before_us"] or 0, refused_us)
            return standing_of(rate, instant_of(spent_us), now, allowed=allowed)

        return await self._database.alone(work)

    async def forget(self, name: str) -> None:
        async def work(connection: Connection) -> None:
            await connection.execute(_FORGET, name)

        await self._database.alone(work)
