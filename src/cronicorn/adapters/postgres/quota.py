"""Tokens of tenants in PostgreSQL.

The database's clock says which window it is. Only Python knows time zones as well as the owner's calendar asks for, so
a statement comes with the window that it was when the database last told its time, and changes nothing if that is over.

One row is the book of a tenant's window, and a commit that waits for the disk holds it. So reservations of one process
that wait for the same book go together in one statement when all of them fit, and each by itself when they do not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import TypeAlias
from weakref import WeakValueDictionary

import asyncpg

from cronicorn.adapters.postgres.batches import Batches
from cronicorn.adapters.postgres.database import PostgresDatabase, Transaction
from cronicorn.adapters.postgres.queries import Connection
from cronicorn.adapters.postgres.quota_statements import (
    CHARGE,
    FORGET_BOOKS,
    FORGET_GRANTS,
    KNOWN,
    LOCK_TENANT,
    LOCKED_BOOK,
    LOOK,
    OPEN_BOOK,
    OVERDUE_TENANTS,
    PRUNE_BOOKS,
    PRUNE_GRANTS,
    RECORD,
    VERDICTS,
    QuotaStatements,
)
from cronicorn.domain.calendar import Window
from cronicorn.domain.cells import Row, number_in
from cronicorn.domain.errors import NotFoundError, UnavailableError
from cronicorn.domain.fields import length_us, us
from cronicorn.domain.instant import EPOCH, instant_of, shifted
from cronicorn.domain.quota.allowance import Allowance, Budget
from cronicorn.domain.quota.book import BOOKS_KEPT, Book, granted, refusal, view
from cronicorn.domain.quota.decision import GRANT_KEPT, Ask, Decision, Mode, QuotaView, checked_tokens
from cronicorn.domain.quota.ports import Allowances, Quota, QuotaGuard, QuotaUpkeep
from cronicorn.domain.quota.rows import book_of, window_row

ATTEMPTS_MAX = 100
"""So often a statement is tried again that others came before."""
_RIGHT = QuotaStatements()
_GRANTED = {"granted", "known"}
_Alike: TypeAlias = tuple[str, Budget, Allowance]
"""What reservations have in common that may go together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What a reservation found."""

    now: datetime
    verdict: str | None
    """None: the window has no book yet, or is not the one by the database's clock."""
    row: Row


class PostgresQuota(Quota, QuotaGuard, QuotaUpkeep):
    """Keeps the books of all tenants."""

    def __init__(
        self,
        database: PostgresDatabase,
        allowances: Allowances,
        mode: Mode = Mode.RESERVE,
        statements: QuotaStatements = _RIGHT,
    ) -> None:
        self._database = database
        self._allowances = allowances
        self._mode = mode
        self._statements = statements
        self._reserve = statements.reserve_softly if mode is Mode.SOFT else statements.reserve
        self._told_at = EPOCH
        """What the database's clock showed last."""
        self._waiting: WeakValueDictionary[_Alike, Batches[Ask, Decision | None]] = WeakValueDictionary()
        """Each lives as long as somebody waits in it."""

    async def reserve(self, tenant_id: str, estimate: int, *, budget: Budget, key: str, ttl: timedelta) -> Decision:
        ask = Ask(tenant_id=tenant_id, estimate=estimate, budget=budget, key=key, ttl=ttl)
        allowance = await self._allowances.of(tenant_id)
        if self._mode is not Mode.ADVISORY:
            decision = await self._batches_of((tenant_id, budget, allowance)).add(ask)
            if decision is not None:
                return decision
        for _ in range(ATTEMPTS_MAX):
            answer = await self._answer((ask,), allowance)
            decision = self._decision(answer, ask, allowance) if answer is not None else None
            if decision is not None:
                return decision
        raise _overtaken()

    async def commit(self, grant_id: str, actual: int | None) -> None:
        await self._settle(grant_id, checked_tokens(actual) if actual is not None else None)

    async def release(self, grant_id: str) -> None:
        await self._settle(grant_id, 0)

    async def remaining(self, tenant_id: str) -> QuotaView:
        allowance = await self._allowances.of(tenant_id)
        for _ in range(ATTEMPTS_MAX):
            window = self._window(allowance)
            row = await self._row(LOOK, *_named(tenant_id, allowance, window))
            if not window.holds(self._told_at):
                continue
            if row["overdue"]:
                await self._charge_expired(tenant_id)
                continue
            return view(book_of(row) if row["number"] is not None else Book(window=window), allowance)
        raise _overtaken()

    async def can_proceed(self, tenant_id: str) -> bool:
        standing = await self.remaining(tenant_id)
        return standing.used < standing.limit

    async def record_usage(self, tenant_id: str, tokens: int) -> None:
        used, allowance = checked_tokens(tokens), await self._allowances.of(tenant_id)
        for _ in range(ATTEMPTS_MAX):
            window = self._window(allowance)
            row = await self._row(RECORD, *_named(tenant_id, allowance, window), used)
            if row["done"]:
                return
            if window.holds(self._told_at):
                await self._open_book(tenant_id, allowance, window)
        raise _overtaken()

    async def prune(self, before: datetime, limit: int) -> int:
        async def work(transaction: Transaction) -> tuple[list[str], int]:
            connection, now = transaction.connection, transaction.now
            before_us = us(min(before, shifted(now, -GRANT_KEPT)))
            overdue = await connection.fetch(OVERDUE_TENANTS, before_us, limit)
            gone = await connection.fetchval(PRUNE_GRANTS, before_us, limit)
            await connection.execute(PRUNE_BOOKS, us(shifted(now, -BOOKS_KEPT)))
            return [row["tenant_id"] for row in overdue], gone

        overdue, gone = await self._database.write(work)
        for tenant_id in overdue:  # Each by itself, so that no two tenants' books are locked at once.
            await self._charge_expired(tenant_id)
        return gone

    def _batches_of(self, alike: _Alike) -> Batches[Ask, Decision | None]:
        batches = self._waiting.get(alike)
        if batches is None:
            _, _, allowance = alike

            async def write(asks: Sequence[Ask]) -> Sequence[Decision | None]:
                return await self._reserve_together(asks, allowance)

            batches = Batches(write, key=attrgetter("grant_id"), in_flight_max=1)
            self._waiting[alike] = batches
        return batches

    async def _reserve_together(self, asks: Sequence[Ask], allowance: Allowance) -> Sequence[Decision | None]:
        """The grants of *asks*; None for each where not all fit, or one is alone: each is then tried by itself."""
        answer = await self._answer(asks, allowance) if len(asks) > 1 else None
        if answer is None or answer.verdict != "granted":
            return [None] * len(asks)
        return _all_granted(answer.row, asks, allowance)

    def _decision(self, answer: _Answer, ask: Ask, allowance: Allowance) -> Decision | None:
        """What *answer* means for *ask*; None when others changed what was seen while the statement waited."""
        book = book_of(answer.row)
        if answer.verdict in _GRANTED:
            return granted(book, ask, allowance)
        return refusal(book, ask, allowance, self._mode, answer.now)

    async def _answer(self, asks: Sequence[Ask], allowance: Allowance) -> _Answer | None:
        """What trying to reserve for *asks* found; None when it is to be tried again."""
        window = self._window(allowance)
        answer = await self._attempt(asks, allowance, window, charging=False)
        if answer is not None and answer.verdict == "overdue":
            answer = await self._attempt(asks, allowance, window, charging=True)
        if answer is None:
            return None
        self._told_at = answer.now
        if answer.verdict in _GRANTED:
            return answer
        if not window.holds(answer.now):
            return None
        if answer.verdict is None:
            await self._open_book(asks[0].tenant_id, allowance, window)
            return None
        return answer

    async def _attempt(
        self, asks: Sequence[Ask], allowance: Allowance, window: Window, *, charging: bool
    ) -> _Answer | None:
        """Try to reserve, *charging* what has expired in the same transaction; None when the same key came first."""

        async def alone(connection: Connection) -> _Answer:
            return await self._reserved(connection, asks, allowance, window)

        async def after_charging(transaction: Transaction) -> _Answer:
            connection = transaction.connection
            await connection.execute(self._statements.charge_expired, transaction.judged_us, asks[0].tenant_id)
            return await self._reserved(connection, asks, allowance, window)

        async def under_lock(transaction: Transaction) -> _Answer:
            return await self._charged_at_once(transaction, asks[0], allowance, window)

        try:
            if self._mode is Mode.ADVISORY:
                return await self._database.write(under_lock)
            return await (self._database.write(after_charging) if charging else self._database.alone(alone))
        except asyncpg.UniqueViolationError:
            return None

    async def _reserved(
        self, connection: Connection, asks: Sequence[Ask], allowance: Allowance, window: Window
    ) -> _Answer:
        burst, budget = allowance.burst, asks[0].budget
        estimates = [ask.estimate for ask in asks]
        found = await connection.fetch(
            self._reserve,
            self._database.judged_us,
            *_named(asks[0].tenant_id, allowance, window),
            [ask.grant_id for ask in asks],
            [length_us(ask.ttl) for ask in asks],
            sum(estimates),
            budget.value,
            allowance.limit,
            allowance.cap(budget),
            length_us(burst.every) if burst is not None else None,
            length_us(burst.every * (burst.calls - 1)) if burst is not None else None,
            estimates,
            *([allowance.soft_room] if self._mode is Mode.SOFT else []),
        )
        rows = {record["verdict"]: dict(record) for record in found}
        verdict = next((verdict for verdict in VERDICTS if verdict in rows), None)
        return _Answer(now=instant_of(found[0]["us"]), verdict=verdict, row=rows[verdict])

    async def _charged_at_once(
        self, transaction: Transaction, ask: Ask, allowance: Allowance, window: Window
    ) -> _Answer:
        """Wait for the tenant's turn, look, and charge the estimate if it fits."""
        connection, now = transaction.connection, transaction.now
        await connection.execute(LOCK_TENANT, ask.tenant_id)
        await connection.execute(self._statements.charge_expired, transaction.judged_us, ask.tenant_id)
        known = await connection.fetchrow(KNOWN, ask.grant_id)
        if known is not None:
            return _Answer(now=now, verdict="known", row=dict(known))
        found = await connection.fetchrow(LOCKED_BOOK, *_named(ask.tenant_id, allowance, window))
        if found is None or not window.holds(now):
            return _Answer(now=now, verdict=None, row={})
        book = book_of(dict(found))
        if refusal(book, ask, allowance, self._mode, now) is not None:
            return _Answer(now=now, verdict="denied", row=dict(found))
        after = book.with_grant(ask, allowance, self._mode, now)
        names = ask.grant_id, ask.tenant_id, ask.budget.value, ask.estimate
        await connection.execute(CHARGE, found["number"], *names, us(shifted(now, ask.ttl)), us(after.burst_at))
        left = await connection.fetchrow(KNOWN, ask.grant_id)
        assert left is not None
        return _Answer(now=now, verdict="granted", row=dict(left))

    async def _settle(self, grant_id: str, actual: int | None) -> None:
        async def work(connection: Connection) -> bool:
            return bool(await connection.fetchval(self._statements.settle, grant_id, actual))

        if not await self._database.alone(work):
            raise NotFoundError(f"There is no grant {grant_id}.")

    async def _charge_expired(self, tenant_id: str) -> None:
        async def work(transaction: Transaction) -> None:
            await transaction.connection.execute(self._statements.charge_expired, transaction.judged_us, tenant_id)

        await self._database.write(work)

    async def _open_book(self, tenant_id: str, allowance: Allowance, window: Window) -> None:
        """Begin the book of *window*, and forget what is old."""
        names = window_row(tenant_id, allowance.calendar.name, window)

        async def work(transaction: Transaction) -> None:
            connection, now = transaction.connection, transaction.now
            await connection.execute(self._statements.charge_expired, transaction.judged_us, tenant_id)
            await connection.execute(OPEN_BOOK, *names.values())
            await connection.execute(FORGET_GRANTS, tenant_id, us(shifted(now, -GRANT_KEPT)))
            await connection.execute(FORGET_BOOKS, tenant_id, us(shifted(now, -BOOKS_KEPT)))

        await self._database.write(work)

    async def _row(self, statement: str, *parameters: str | int) -> Row:
        """The row that *statement* answers; in `us` it tells the time."""

        async def work(connection: Connection) -> Row:
            found = await connection.fetchrow(statement, self._database.judged_us, *parameters)
            assert found is not None
            return dict(found)

        row = await self._database.alone(work)
        self._told_at = instant_of(number_in(row["us"]))
        return row

    def _window(self, allowance: Allowance) -> Window:
        return allowance.calendar.window_at(self._told_at)


def _all_granted(row: Row, asks: Sequence[Ask], allowance: Allowance) -> list[Decision]:
    """The answers to *asks*, each by the book as it was after it, where *row* is the book after all of them."""
    book = book_of(row)
    decisions: list[Decision] = []
    for ask in reversed(asks):
        decisions.append(granted(book, ask, allowance))
        book = book.added(ask.budget, reserved=-ask.estimate)
    return decisions[::-1]


def _named(tenant_id: str, allowance: Allowance, window: Window) -> tuple[str, str, int]:
    return tenant_id, allowance.calendar.name, us(window.start_at)


def _overtaken() -> UnavailableError:
    return UnavailableError("The tenant's quota is written by too many at the same time: try again.")
