"""Counting how often something happens, in a SQLite file."""

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.sqlite import insert

from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.queries import query
from cronicorn.adapters.sqlite.tenant_schema import rates
from cronicorn.adapters.sqlite.writer import Transaction
from cronicorn.domain.access.ports import RateCounter
from cronicorn.domain.cells import number_in
from cronicorn.domain.fields import us
from cronicorn.domain.instant import instant_of
from cronicorn.domain.rate import Rate, RateStanding, next_spent, standing_of

_FIND = query(select(rates.c.spent_until_us).where(rates.c.name == bindparam("name")))
_PUT = query(
    insert(rates)
    .values(name=bindparam("name"), spent_until_us=bindparam("spent_until_us"))
    .on_conflict_do_update(index_elements=["name"], set_={"spent_until_us": bindparam("spent_until_us")})
)
_FORGET = query(delete(rates).where(rates.c.name == bindparam("name")))
_FORGET_PASSED = query(delete(rates).where(rates.c.spent_until_us <= bindparam("now_us")))


class SqliteRateCounter(RateCounter):
    """Keeps one row for each name whose limit is spent until some instant."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def take(self, name: str, rate: Rate) -> RateStanding:
        def work(transaction: Transaction) -> RateStanding:
            connection, now = transaction.connection, transaction.now
            row = _FIND.row(connection, name=name)
            before = instant_of(number_in(row["spent_until_us"])) if row is not None else None
            after = next_spent(rate, before, now)
            if after is not None:
                if before is None:
                    _FORGET_PASSED.change(connection, now_us=us(now))
                _PUT.change(connection, name=name, spent_until_us=us(after))
            return standing_of(rate, after or before or now, now, allowed=after is not None)

        return await self._database.write(work)

    async def forget(self, name: str) -> None:
        def work(transaction: Transaction) -> None:
            _FORGET.change(transaction.connection, name=name)

        await self._database.write(work)
