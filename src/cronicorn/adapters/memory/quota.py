"""Tokens of tenants in memory."""

from datetime import datetime, timedelta

from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.adapters.memory.grant import BookKey, Grant
from cronicorn.domain.errors import NotFoundError
from cronicorn.domain.instant import shifted
from cronicorn.domain.quota.allowance import Allowance, Budget
from cronicorn.domain.quota.book import BOOKS_KEPT, Book, granted, refusal, view
from cronicorn.domain.quota.decision import Ask, Decision, Mode, QuotaView, checked_tokens
from cronicorn.domain.quota.ports import Allowances, Quota, QuotaGuard


class MemoryQuota(Quota, QuotaGuard):
    """Keeps the books of all tenants, under the lock of the database."""

    def __init__(self, database: MemoryDatabase, allowances: Allowances, mode: Mode = Mode.RESERVE) -> None:
        self._database = database
        self._allowances = allowances
        self._mode = mode

    async def reserve(self, tenant_id: str, estimate: int, *, budget: Budget, key: str, ttl: timedelta) -> Decision:
        ask = Ask(tenant_id=tenant_id, estimate=estimate, budget=budget, key=key, ttl=ttl)
        allowance = await self._allowances.of(tenant_id)
        with self._database.lock:
            now = self._database.clock.now()
            self._charge_expired(tenant_id, now)
            known = self._database.grants.get(ask.grant_id)
            if known is not None:
                return granted(self._database.books[known.book], ask, allowance)
            return self._decide(ask, allowance, now)

    async def commit(self, grant_id: str, actual: int | None) -> None:
        self._settle(grant_id, checked_tokens(actual) if actual is not None else None)

    async def release(self, grant_id: str) -> None:
        self._settle(grant_id, 0)

    async def remaining(self, tenant_id: str) -> QuotaView:
        allowance = await self._allowances.of(tenant_id)
        with self._database.lock:
            now = self._database.clock.now()
            self._charge_expired(tenant_id, now)
            return view(self._book(tenant_id, allowance, now)[1], allowance)

    async def can_proceed(self, tenant_id: str) -> bool:
        standing = await self.remaining(tenant_id)
        return standing.used < standing.limit

    async def record_usage(self, tenant_id: str, tokens: int) -> None:
        used, allowance = checked_tokens(tokens), await self._allowances.of(tenant_id)
        with self._database.lock:
            key, book = self._book(tenant_id, allowance, self._database.clock.now())
            self._database.books[key] = book.added(Budget.ANALYSIS, used=used)

    def _decide(self, ask: Ask, allowance: Allowance, now: datetime) -> Decision:
        key, book = self._book(ask.tenant_id, allowance, now)
        denied = refusal(book, ask, allowance, self._mode, now)
        if denied is not None:
            return denied
        self._database.books[key] = book = book.with_grant(ask, allowance, self._mode, now)
        self._database.grants[ask.grant_id] = Grant(
            book=key,
            budget=ask.budget,
            estimate=ask.estimate,
            expires_at=shifted(now, ask.ttl),
            charged=self._mode is Mode.ADVISORY,
        )
        return granted(book, ask, allowance)

    def _settle(self, grant_id: str, actual: int | None) -> None:
        with self._database.lock:
            grant = self._database.grants.get(grant_id)
            if grant is None:
                raise NotFoundError(f"There is no grant {grant_id}.")
            if grant.settled:
                return
            grant.settled = True
            self._move(grant, used=actual if actual is not None else grant.estimate)

    def _charge_expired(self, tenant_id: str, now: datetime) -> None:
        for grant in list(self._database.grants.values()):
            lives = now < grant.expires_at or grant.charged or grant.settled
            if grant.book.tenant_id == tenant_id and not lives:
                self._move(grant, used=grant.estimate)
                grant.charged = True

    def _move(self, grant: Grant, *, used: int) -> None:
        """Enter *used* in the place of what the grant has counted as until now."""
        books = self._database.books
        counted_used = grant.estimate if grant.charged else 0
        books[grant.book] = books[grant.book].added(
            grant.budget, used=used - counted_used, reserved=counted_used - grant.estimate
        )

    def _book(self, tenant_id: str, allowance: Allowance, now: datetime) -> tuple[BookKey, Book]:
        """The book of the tenant's present window; a new one forgets what is old."""
        window = allowance.calendar.window_at(now)
        key = BookKey(tenant_id, allowance.calendar.name, window.start_at)
        if key not in self._database.books:
            self._forget(tenant_id, now)
            own = [book.burst_at for known, book in self._database.books.items() if known.tenant_id == tenant_id]
            burst_at = max((at for at in own if at is not None), default=None)
            self._database.books[key] = Book(window=window, burst_at=burst_at)
        return key, self._database.books[key]

    def _forget(self, tenant_id: str, now: datetime) -> None:
        database = self._database
        for grant_id, grant in list(database.grants.items()):
            if grant.book.tenant_id == tenant_id and grant.forgotten(now):
                del database.grants[grant_id]
        needed = {grant.book for grant in database.grants.values()}
        for key, book in list(database.books.items()):
            old = shifted(book.window.end_at, BOOKS_KEPT) <= now
            if key.tenant_id == tenant_id and old and key not in needed:
                del database.books[key]
