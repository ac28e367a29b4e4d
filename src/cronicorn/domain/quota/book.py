"""The book of one tenant's window, and the rule that admits a reservation. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from cronicorn.domain.calendar import Window
from cronicorn.domain.instant import ZERO
from cronicorn.domain.quota.allowance import Allowance, Budget
from cronicorn.domain.quota.burst import advanced, wait_for_burst
from cronicorn.domain.quota.decision import Ask, BudgetTokens, DenialReason, Denied, Granted, Mode, QuotaView

RESERVED_PAUSE = timedelta(seconds=10)
"""How long to wait where only calls in progress are in the way: nobody knows when they end."""
BOOKS_KEPT = timedelta(days=400)
"""So long the books of past windows are kept: a year and a month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """What a tenant has used and reserved in a window."""

    window: Window
    parts: Mapping[Budget, BudgetTokens] = field(default_factory=dict)
    burst_at: datetime | None = None
    """The theoretical arrival time of the tenant's next reservation."""

    @property
    def used(self) -> int:
        return sum(part.used for part in self.parts.values())

    @property
    def reserved(self) -> int:
        return sum(part.reserved for part in self.parts.values())

    def part(self, budget: Budget) -> BudgetTokens:
        return self.parts.get(budget, BudgetTokens())

    def added(self, budget: Budget, *, used: int = 0, reserved: int = 0) -> "Book":
        """The book after *used* and *reserved*, which may be negative, were entered."""
        part = self.part(budget)
        part = BudgetTokens(used=part.used + used, reserved=part.reserved + reserved)
        assert part.used >= 0
        assert part.reserved >= 0
        return replace(self, parts={**self.parts, budget: part})

    def with_grant(self, ask: Ask, allowance: Allowance, mode: Mode, now: datetime) -> "Book":
        """The book after *ask* was granted."""
        charged = ask.estimate if mode is Mode.ADVISORY else 0
        book = self.added(ask.budget, used=charged, reserved=ask.estimate - charged)
        if allowance.burst is None:
            return book
        return replace(book, burst_at=advanced(allowance.burst, self.burst_at, now))


def refusal(book: Book, ask: Ask, allowance: Allowance, mode: Mode, now: datetime) -> Denied | None:
    """Why *ask* can't be granted by *book* at *now*; None when it can. What takes longest to pass is told."""
    wait = wait_for_burst(allowance.burst, book.burst_at, now) if allowance.burst is not None else ZERO
    reason = _soft_want(book, ask, allowance) if mode is Mode.SOFT else _want(book, ask, allowance)
    if reason is None and wait == ZERO:
        return None
    to_reset = book.window.end_at - now
    match reason:
        case None:
            reason = DenialReason.BURST
        case DenialReason.RESERVED:
            wait = max(wait, min(RESERVED_PAUSE, to_reset))
        case _:
            wait = max(wait, to_reset)
    return Denied(
        remaining=_remaining(book, ask.budget, allowance),
        retry_after=wait,
        reset_at=book.window.end_at,
        reason=reason,
    )


def granted(book: Book, ask: Ask, allowance: Allowance) -> Granted:
    """The answer that *ask* gets, by the *book* after it."""
    return Granted(
        grant_id=ask.grant_id, remaining=_remaining(book, ask.budget, allowance), reset_at=book.window.end_at
    )


def view(book: Book, allowance: Allowance) -> QuotaView:
    """What *book* says to its owner."""
    taken = book.used + book.reserved
    return QuotaView(
        limit=allowance.limit,
        used=book.used,
        reserved=book.reserved,
        remaining=max(0, allowance.limit - taken),
        reset_at=book.window.end_at,
        budgets={budget: book.part(budget) for budget in Budget},
    )


def left_of(seen: QuotaView, budget: Budget, allowance: Allowance) -> int:
    """What *budget* can still reserve where the tenant stands as *seen*."""
    return max(0, min(seen.remaining, allowance.cap(budget) - seen.budgets[budget].taken))


def _remaining(book: Book, budget: Budget, allowance: Allowance) -> int:
    return left_of(view(book, allowance), budget, allowance)


def _want(book: Book, ask: Ask, allowance: Allowance) -> DenialReason | None:
    part, cap = book.part(ask.budget), allowance.cap(ask.budget)
    if ask.estimate > cap:
        return DenialReason.TOO_LARGE
    if book.used + ask.estimate > allowance.limit:
        return DenialReason.LIMIT
    if part.used + ask.estimate > cap:
        return DenialReason.BUDGET
    fits = book.used + book.reserved + ask.estimate <= allowance.limit and part.taken + ask.estimate <= cap
    return None if fits else DenialReason.RESERVED


def _soft_want(book: Book, ask: Ask, allowance: Allowance) -> DenialReason | None:
    room = allowance.soft_room
    if room is not None and ask.estimate > room:
        return DenialReason.TOO_LARGE
    if book.used >= allowance.limit:
        return DenialReason.LIMIT
    if book.part(ask.budget).used >= allowance.cap(ask.budget):
        return DenialReason.BUDGET
    return DenialReason.RESERVED if room is not None and book.reserved + ask.estimate > room else None
