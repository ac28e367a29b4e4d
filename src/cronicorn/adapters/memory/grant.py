"""A grant of tokens as it is kept in memory."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from cronicorn.domain.instant import shifted
from cronicorn.domain.quota.allowance import Budget
from cronicorn.domain.quota.decision import GRANT_KEPT


class BookKey(NamedTuple):
    """Names the book of one tenant's window."""

    tenant_id: str
    calendar: str
    start_at: datetime


@dataclass(slots=True, kw_only=True)
class Grant:
    """A reservation, and what became of it."""

    book: BookKey
    budget: Budget
    estimate: int
    expires_at: datetime
    charged: bool
    """Whether its estimate counts as used; otherwise as reserved."""
    settled: bool = False

    def forgotten(self, now: datetime) -> bool:
        """Whether nobody needs to know it any more."""
        return (self.charged or self.settled) and shifted(self.expires_at, GRANT_KEPT) <= now
