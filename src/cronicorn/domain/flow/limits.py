"""What flow is limited to."""

from dataclasses import dataclass
from datetime import datetime, timedelta

RATE_MAX = 1_000
"""Calls that may begin in one period: so many instants are remembered. For more, shorten the period."""
PERIOD_DEFAULT = timedelta(seconds=1)
PERIOD_MAX = timedelta(days=1)
PARALLELISM_MAX = 10_000
KEY_LENGTH_MAX = 200
EVERY_HOST = "*"
"""Stands for each host that is not named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowLimits:
    """At most *rate* calls begin in any stretch of a *period*, and *parallelism* are in progress; None is no limit."""

    rate: int | None = None
    period: timedelta = PERIOD_DEFAULT
    parallelism: int | None = None

    def __post_init__(self) -> None:
        assert self.rate is not None or self.parallelism is not None
        assert self.rate is None or 1 <= self.rate <= RATE_MAX
        assert self.parallelism is None or 1 <= self.parallelism <= PARALLELISM_MAX
        assert timedelta(0) < self.period <= PERIOD_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The limits that an endpoint keeps to, together with all endpoints of its tenant under the same key."""

    limits: FlowLimits
    key: str | None = None
    """None: the host that it calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """A slot that is due and was held back. It runs later, and is never passed over for being late."""

    until: datetime
    """When it asks again."""
    reason: str
    """Why, as the end of a sentence."""
    turn_at: datetime | None = None
    """The turn by its rate, where that is later than it asks again: it keeps it."""
