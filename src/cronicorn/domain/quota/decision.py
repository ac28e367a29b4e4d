"""What is asked of a quota, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import TypeAlias

from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.instant import ZERO
from cronicorn.domain.quota.allowance import TOKENS_MAX, Budget

GRANT_TTL_MAX = timedelta(hours=1)
"""No call of a model takes longer."""
GRANT_KEPT = timedelta(days=1)
"""So long after its end a grant is known at least: its key answers it, and a late commit corrects its charge."""
_KEY_MAX = 200


class Mode(StrEnum):
    """How a tenant is kept within its limit."""

    RESERVE = "reserve"
    """What is used and what is reserved never exceed the limit together."""
    SOFT = "soft"
    """Whoever comes before the limit is used up goes on, so many at once: they may exceed it, by a bound that is known.
    """
    ADVISORY = "advisory"
    """The estimate is charged at once, under a lock, and corrected after the call."""


class DenialReason(StrEnum):
    """Why a reservation was denied."""

    TOO_LARGE = "too_large"
    """The estimate is above what the budget has in a whole window: no waiting helps."""
    LIMIT = "limit"
    """The limit of the tenant is used up, or what is left of it is less than the estimate."""
    BUDGET = "budget"
    """The tenant has tokens left, and they are kept for compiling."""
    RESERVED = "reserved"
    """Calls in progress have reserved what is left, or in the mode `soft` the room for them. Some of it may come back
    when they end.
    """
    BURST = "burst"
    """Too many reservations in a short time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A reservation that somebody wants. Raises InvalidInputError for numbers that make no sense."""

    tenant_id: str
    estimate: int
    """The most that the call may cost: tokens sent, and the most that may come back."""
    budget: Budget
    key: str
    """Names the call within its tenant, and no other call."""
    ttl: timedelta

    def __post_init__(self) -> None:
        if not 0 < self.estimate <= TOKENS_MAX:
            raise InvalidInputError(f"An estimate is a number of tokens from 1 to {TOKENS_MAX}, not {self.estimate}.")
        if not ZERO < self.ttl <= GRANT_TTL_MAX:
            raise InvalidInputError(f"A grant lasts longer than nothing and at most {GRANT_TTL_MAX}, not {self.ttl}.")
        if not 0 < len(self.key) <= _KEY_MAX:
            raise InvalidInputError(f"The key of a call is a text of 1 to {_KEY_MAX} characters.")

    @property
    def grant_id(self) -> str:
        """The id of the grant that this may become: always the same for the same tenant and key (BLAKE2b)."""
        parts = f"{len(self.tenant_id)} {self.tenant_id} {self.key}"
        return blake2b(parts.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def checked_tokens(tokens: int) -> int:
    """*tokens* as they may be charged. Raises InvalidInputError for what nobody can have used."""
    if not 0 <= tokens <= TOKENS_MAX:
        raise InvalidInputError(f"Used tokens are a number from 0 to {TOKENS_MAX}, not {tokens}.")
    return tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """The call may be made."""

    grant_id: str
    remaining: int
    """What the budget can still reserve."""
    reset_at: datetime
    """When the window of the grant ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """The call may not be made now; nothing was reserved."""

    remaining: int
    retry_after: timedelta
    """Earlier it is of no use to ask again. Whoever is denied repeatedly should wait longer: `backoff.back_off`."""
    reset_at: datetime
    reason: DenialReason


Decision: TypeAlias = Granted | Denied


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetTokens:
    """Tokens of one budget."""

    used: int = 0
    reserved: int = 0

    @property
    def taken(self) -> int:
        return self.used + self.reserved


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaView:
    """Where a tenant stands in its present window."""

    limit: int
    used: int
    reserved: int
    remaining: int
    """What is left of the limit; none when it is exceeded."""
    reset_at: datetime
    budgets: Mapping[Budget, BudgetTokens]
