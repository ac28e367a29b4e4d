"""Tokens of tenants in a SQLite file.

Whoever reserves holds the one write lock of the file from the look at the book to its commit, in every mode, so looking
and entering are one step to all threads and processes.
"""

import sqlite3
from collections.abc import Mapping
from datetime import datetime, timedelta

from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.quota_statements import (
    FORGET_BOOKS,
    FORGET_GRANTS,
    GRANT,
    KEEP_BURST,
    OVERDUE_TENANTS,
    PRUNE_BOOKS,
    PRUNE_GRANTS,
    THERE,
    QuotaStatements,
)
from cronicorn.adapters.sqlite.writer import Transaction
from cronicorn.domain.cells import Cell, Row, number_in
from cronicorn.domain.errors import NotFoundError
from cronicorn.domain.fields import us
from cronicorn.domain.instant import shifted
from cronicorn.domain.quota.allowance import Allowance, Budget
from cronicorn.domain.quota.book import BOOKS_KEPT, Book, granted, refusal, view
from cronicorn.domain.quota.decision import GRANT_KEPT, Ask, Decision, Mode, QuotaView, checked_tokens
from cronicorn.domain.quota.ports import Allowances, Quota, QuotaGuard, QuotaUpkeep
from cronicorn.domain.quota.rows import book_of, entry, window_row

_RIGHT = QuotaStatements()


class SqliteQuota(Quota, QuotaGuard, QuotaUpkeep):
    """Keeps the books of all tenants. The clock of the database judges windows and grants."""

    def __init__(
        self,
        database: SqliteDatabase,
        allowances: Allowances,
        mode: Mode = Mode.RESERVE,
        statements: QuotaStatements = _RIGHT,
    ) -> None:
        self._database = database
        self._allowances = allowances
        self._mode = mode
        self._statements = statements

    async def reserve(self, tenant_id: str, estimate: int, *, budget: Budget, key: str, ttl: timedelta) -> Decision:
        ask = Ask(tenant_id=tenant_id, estimate=estimate, budget=budget, key=key, ttl=ttl)
        allowance = await self._allowances.of(tenant_id)
        return await self._database.write(lambda transaction: self._decide(transaction, ask, allowance))

    async def commit(self, grant_id: str, actual: int | None) -> None:
        used = checked_tokens(actual) if actual is not None else None
        await self._database.write(lambda transaction: self._settle(transaction, grant_id, used))

    async def release(self, grant_id: str) -> None:
        await self._database.write(lambda transaction: self._settle(transaction, grant_id, 0))

    async def remaining(self, tenant_id: str) -> QuotaView:
        allowance = await self._allowances.of(tenant_id)
        seen = await self._database.read(lambda transaction: self._seen(transaction, tenant_id, allowance))
        if seen is not None:
            return seen

        def work(transaction: Transaction) -> QuotaView | None:
            self._charge_expired(transaction, tenant_id)
            return self._seen(transaction, tenant_id, allowance)

        seen = await self._database.write(work)
        assert seen is not None
        return seen

    async def can_proceed(self, tenant_id: str) -> bool:
        standing = await self.remaining(tenant_id)
        return standing.used < standing.limit

    async def record_usage(self, tenant_id: str, tokens: int) -> None:
        used, allowance = checked_tokens(tokens), await self._allowances.of(tenant_id)

        def work(transaction: Transaction) -> None:
            row = self._open_book(transaction, tenant_id, allowance)
            self._enter(transaction.connection, row["number"], entry(Budget.ANALYSIS, used=used))

        await self._database.write(work)

    async def prune(self, before: datetime, limit: int) -> int:
        def work(transaction: Transaction) -> int:
            connection, now = transaction.connection, transaction.now
            which = {"before_us": us(min(before, shifted(now, -GRANT_KEPT))), "limit": limit}
            for (tenant_id,) in connection.execute(OVERDUE_TENANTS, which).fetchall():
                self._charge_expired(transaction, tenant_id)
            gone = connection.execute(PRUNE_GRANTS, which).rowcount
            connection.execute(PRUNE_BOOKS, {"kept_us": us(shifted(now, -BOOKS_KEPT))})
            return gone

        return await self._database.write(work)

    def _decide(self, transaction: Transaction, ask: Ask, allowance: Allowance) -> Decision:
        connection, now = transaction.connection, transaction.now
        self._charge_expired(transaction, ask.tenant_id)
        known = _row(connection, self._statements.known, {"grant_id": ask.grant_id})
        if known is not None:
            return granted(book_of(known), ask, allowance)
        row = self._open_book(transaction, ask.tenant_id, allowance)
        book = book_of(row)
        denied = refusal(book, ask, allowance, self._mode, now)
        if denied is not None:
            return denied
        return self._grant(transaction, row, ask, book.with_grant(ask, allowance, self._mode, now), allowance)

    def _grant(self, transaction: Transaction, row: Row, ask: Ask, after: Book, allowance: Allowance) -> Decision:
        connection, number = transaction.connection, row["number"]
        charged = self._mode is Mode.ADVISORY
        used = ask.estimate if charged else 0
        self._enter(connection, number, entry(ask.budget, used=used, reserved=ask.estimate - used))
        connection.execute(KEEP_BURST, {"number": number, "burst_us": us(after.burst_at)})
        expires_us = us(shifted(transaction.now, ask.ttl))
        connection.execute(
            GRANT,
            {
                "grant_id": ask.grant_id,
                "tenant_id": ask.tenant_id,
                "number": number,
                "budget": ask.budget.value,
                "estimate": ask.estimate,
                "expires_us": expires_us,
                "charged": int(charged),
            },
        )
        return granted(after, ask, allowance)

    def _settle(self, transaction: Transaction, grant_id: str, actual: int | None) -> None:
        connection, which = transaction.connection, {"grant_id": grant_id}
        ended = _row(connection, self._statements.settle, which)
        if ended is None:
            if connection.execute(THERE, which).fetchone() is None:
                raise NotFoundError(f"There is no grant {grant_id}.")
            return
        estimate = number_in(ended["estimate"])
        counted_used = estimate if ended["charged"] else 0
        used = (actual if actual is not None else estimate) - counted_used
        amounts = entry(Budget(str(ended["budget"])), used=used, reserved=counted_used - estimate)
        self._enter(connection, ended["book_number"], amounts)

    def _charge_expired(self, transaction: Transaction, tenant_id: str) -> None:
        connection = transaction.connection
        which = {"tenant_id": tenant_id, "now_us": us(transaction.now)}
        for row in connection.execute(self._statements.charge_expired, which).fetchall():
            number, budget, estimate = row
            self._enter(connection, number, entry(Budget(budget), used=estimate, reserved=-estimate))

    def _seen(self, transaction: Transaction, tenant_id: str, allowance: Allowance) -> QuotaView | None:
        """Where the tenant stands; None when something has to be charged first."""
        connection, now = transaction.connection, transaction.now
        if connection.execute(self._statements.expired, {"tenant_id": tenant_id, "now_us": us(now)}).fetchone():
            return None
        window = allowance.calendar.window_at(now)
        row = _row(connection, self._statements.book, window_row(tenant_id, allowance.calendar.name, window))
        return view(book_of(row) if row is not None else Book(window=window), allowance)

    def _open_book(self, transaction: Transaction, tenant_id: str, allowance: Allowance) -> Row:
        """The row of the tenant's present window; a new one forgets what is old."""
        connection, now = transaction.connection, transaction.now
        names = window_row(tenant_id, allowance.calendar.name, allowance.calendar.window_at(now))
        row = _row(connection, self._statements.book, names)
        if row is None:
            connection.execute(self._statements.open_book, names)
            for statement, kept in ((FORGET_GRANTS, GRANT_KEPT), (FORGET_BOOKS, BOOKS_KEPT)):
                connection.execute(statement, {"tenant_id": tenant_id, "kept_us": us(shifted(now, -kept))})
            row = _row(connection, self._statements.book, names)
        assert row is not None
        return row

    def _enter(self, connection: sqlite3.Connection, number: Cell, amounts: Mapping[str, int]) -> None:
        connection.execute(self._statements.enter, {"number": number, **amounts})


def _row(connection: sqlite3.Connection, statement: str, parameters: Mapping[str, Cell]) -> Row | None:
    cursor = connection.execute(statement, parameters)
    names = [column[0] for column in cursor.description]
    cells = cursor.fetchone()
    cursor.close()
    return dict(zip(names, cells, strict=True)) if cells is not None else None
