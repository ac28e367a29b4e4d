"""How many tokens a tenant may spend."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from cronicorn.domain.calendar import Calendar
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.instant import ZERO

TOKENS_MAX = 10**12
"""No limit, estimate or charge is higher: sums of them stay exact in every store."""
_PER_CENT = 100


class Budget(StrEnum):
    """What tokens are spent on. Both budgets draw on one limit."""

    COMPILE = "compile"
    """Making a policy of a description. It may take the whole limit."""
    ANALYSIS = "analysis"
    """Looking at what an endpoint answered. It never touches what is kept for compiling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """So many reservations at once, and one more after each `every`."""

    calls: int = 120
    every: timedelta = timedelta(seconds=0.5)

    def __post_init__(self) -> None:
        assert self.calls > 0
        assert self.every > ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What one tenant may spend in each window."""

    limit: int
    """Tokens, for both budgets together."""
    calendar: Calendar = field(default_factory=Calendar)
    compile_percent: int = 20
    """So much of the limit no analysis may take. 0: who comes first is served first."""
    burst: Burst | None = field(default_factory=Burst)
    """None: as often as tokens last."""
    soft_room: int | None = None
    """What calls in progress may have reserved together in the mode `soft`, in tokens. None: there is no bound."""

    def __post_init__(self) -> None:
        assert 0 <= self.limit <= TOKENS_MAX
        assert self.soft_room is None or self.soft_room > 0
        assert 0 <= self.compile_percent <= _PER_CENT

    def cap(self, budget: Budget) -> int:
        """What *budget* may take of the limit at most, in whole tokens."""
        if budget is Budget.COMPILE:
            return self.limit
        return self.limit - self.limit * self.compile_percent // _PER_CENT

    def limit_for(self, budget: Budget, tokens: int) -> int | None:
        """The least limit of which *budget* may take so many *tokens*; None where no limit lets it."""
        if budget is Budget.COMPILE:
            return tokens
        kept = _PER_CENT - self.compile_percent
        if not kept:
            return None
        # L - floor(L p / 100) >= t  <=>  L (100 - p) / 100 > t - 1
        return (tokens - 1) * _PER_CENT // kept + 1


TIERS: Mapping[str, Allowance] = MappingProxyType(
    {
        "free-tier": Allowance(limit=10_000),
        "pro-tier": Allowance(limit=100_000),
        "enterprise": Allowance(limit=1_000_000),
    }
)
"""Tokens a day, in UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiers:
    """What the tenants of each tier may spend. Raises InvalidInputError where `default` is not among `allowances`."""

    allowances: Mapping[str, Allowance] = field(default_factory=lambda: TIERS)
    default: str = "free-tier"
    """The tier of every tenant with whom no other was agreed."""

    def __post_init__(self) -> None:
        if self.default not in self.allowances:
            known = ", ".join(sorted(self.allowances)) or "none"
            raise InvalidInputError(f"There is no tier {self.default}: name one of {known}, or add it.")

    async def of(self, tenant_id: str) -> Allowance:
        """What the default tier may: these tiers are an `Allowances` where nothing is agreed with anybody."""
        return self.allowances[self.default]
