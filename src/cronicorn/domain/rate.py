"""How often something may happen, counted so that all processes together keep to it. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cronicorn.domain.instant import ZERO

RATE_MAX = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """At most *limit* times in any *period*, and then as the time goes by one after the other."""

    limit: int
    period: timedelta

    def __post_init__(self) -> None:
        assert 1 <= self.limit <= RATE_MAX
        assert self.period > ZERO

    @property
    def step(self) -> timedelta:
        """What one time takes of the period."""
        return self.period / self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitStanding:
    """Where a limit stands, whatever it counts, for whoever has to keep to it."""

    name: str
    limit: int
    window: timedelta
    """The limit is for so long."""
    remaining: int
    resets_in: timedelta
    """After so long all of it is there again."""
    unit: str | None = None
    """What is counted, where it is not requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateStanding:
    """Where somebody stands after asking once more."""

    rate: Rate
    allowed: bool
    remaining: int
    """How many times more it may happen at once."""
    resets_in: timedelta
    """After so long without asking, all of the limit is there again."""
    retry_after: timedelta
    """Earlier it is of no use to ask again; zero while something remains."""

    def named(self, name: str) -> LimitStanding:
        """The same of a limit called *name*."""
        return LimitStanding(
            name=name, limit=self.rate.limit, window=self.rate.period, remaining=self.remaining,
            resets_in=self.resets_in,
        )  # fmt: skip


def next_spent(rate: Rate, spent_until: datetime | None, now: datetime) -> datetime | None:
    """Until when the limit is spent after one time more, or None where that is more than it allows.

    The generic cell rate algorithm (ITU-T I.371): one instant a counter, and no window at whose edge twice the limit
    would pass. *spent_until* is what was kept of the last time; what lies far beyond all that a period allows was kept
    before the clock was set back, or under another rate, and says nothing.
    """
    if spent_until is None or spent_until - now > 2 * rate.period:
        spent_until = now
    after = max(spent_until, now) + rate.step
    return after if after - now <= rate.period else None


def standing_of(rate: Rate, spent_until: datetime, now: datetime, *, allowed: bool) -> RateStanding:
    """Where somebody stands whose limit is spent until *spent_until*."""
    spent = max(ZERO, spent_until - now)
    free = max(ZERO, rate.period - spent)
    remaining = free // rate.step
    return RateStanding(
        rate=rate,
        allowed=allowed,
        remaining=remaining,
        resets_in=spent,
        retry_after=ZERO if remaining else rate.step - free,
    )
