"""Execution limits, the same for all tenants of a tier. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cronicorn.domain.calendar import Calendar, Period, Window
from cronicorn.domain.errors import ConflictError
from cronicorn.domain.instant import ZERO
from cronicorn.domain.rate import LimitStanding

RUNS_MAX = 10**12
"""No limit is higher."""
_MONTHS = Calendar(period=Period.MONTH, zone=UTC)


def month_of(at: datetime) -> Window:
    """The calendar month in UTC that holds *at*: a run belongs to the one in which it began."""
    return _MONTHS.window_at(at)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionLimits:
    """What a tenant may do; None is no limit."""

    endpoints: int | None = None
    """Endpoints that are not archived themselves, whatever became of their jobs."""
    interval_min: timedelta | None = None
    """The least minimum of an endpoint."""
    runs: int | None = None
    """Calls a month, retries and runs by hand included, test calls not."""

    def __post_init__(self) -> None:
        assert self.runs is None or 0 <= self.runs <= RUNS_MAX


UNLIMITED = ExecutionLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class TierLimits:
    """The limits of each tier."""

    of_tier: Mapping[str, ExecutionLimits] = field(default_factory=dict)
    """Of every tier there is."""
    other: ExecutionLimits = UNLIMITED
    """Those of `default` where it is not among them."""
    default: str = "free-tier"
    """The tier of a tenant that has none of its own, or one that is no more."""

    def of(self, tier: str | None) -> ExecutionLimits:
        """The limits of a tenant whose tier is *tier*; None: it has none of its own."""
        known = tier if tier is not None and tier in self.of_tier else self.default
        return self.of_tier.get(known, self.other)

    @property
    def counts_runs(self) -> bool:
        """Whether any tenant's runs may have to be counted."""
        return any(limits.runs is not None for limits in (*self.of_tier.values(), self.other))

    @property
    def limits_endpoints(self) -> bool:
        """Whether any tenant may have its number of endpoints or their minimum limited."""
        every = (*self.of_tier.values(), self.other)
        return any(limits.endpoints is not None or limits.interval_min is not None for limits in every)


def check_room(count: int, endpoints_max: int) -> None:
    """Raise ConflictError when a tenant that has *count* endpoints may not have another."""
    if count >= endpoints_max:
        raise ConflictError(
            f"The tenant's tier allows {endpoints_max} endpoints, and {count} are not archived: archive or delete one "
            "of them (POST /api/jobs/{jobId}/endpoints/{id}/archive or DELETE /api/jobs/{jobId}/endpoints/{id}), or "
            "have the tenant moved to a higher tier."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a tenant stands in a month."""

    tier: str | None = None
    runs: int = 0
    """Runs recorded that began in the month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ration:
    """What a tenant with a limit may still do in a month, as of when a slot was claimed or somebody looked."""

    limit: int
    """Runs a month."""
    month: Window
    used: int
    """How many there were; for a slot those claimed just before it included."""

    @property
    def remaining(self) -> int:
        """How many there may still be; calls in progress may pass the limit."""
        return max(0, self.limit - self.used)

    @property
    def exhausted(self) -> bool:
        """Whether the limit was reached: a slot ends without a call."""
        return self.remaining == 0

    def standing(self, now: datetime) -> LimitStanding:
        """The same, for whoever asks for a run at *now*."""
        return LimitStanding(
            name="runs", limit=self.limit, window=self.month.end_at - self.month.start_at, remaining=self.remaining,
            resets_in=max(ZERO, self.month.end_at - now), unit="runs",
        )  # fmt: skip

    @property
    def reason(self) -> str:
        """Why a slot ends without a call."""
        return f"the tenant's {self.limit} runs of {self.month.start_at:%Y-%m} are used up"
