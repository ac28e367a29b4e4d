"""What each tier may do, as settings give it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Generic, TypeVar

from cronicorn.domain.execution.limits import ExecutionLimits, TierLimits

if TYPE_CHECKING:
    from cronicorn.wiring.settings import Settings

_TIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_TIERS_MAX = 50

T = TypeVar("T", int, timedelta)


@dataclass(frozen=True, slots=True)
class TierValue(Generic[T]):
    """A limit of one tier; of every tier that is not named where `tier` is empty."""

    tier: str
    value: T
    text: str

    def __str__(self) -> str:
        return f"{self.tier}:{self.text}" if self.tier else self.text


def by_tier(read_one: Callable[[str], T]) -> Callable[[str], tuple[TierValue[T], ...]]:
    """A reader of a value for each tier, and one maybe for all others."""

    def read(text: str) -> tuple[TierValue[T], ...]:
        given: dict[str, TierValue[T]] = {}
        for part in text.split(","):
            tier, colon, value = part.strip().rpartition(":")
            if (colon and not _TIER.fullmatch(tier)) or tier in given or len(given) == _TIERS_MAX:
                raise ValueError("TIER:LIMIT, each tier once, separated by commas; a limit alone is for all others")
            try:
                given[tier] = TierValue(tier, read_one(value), value)
            except ValueError as error:
                raise ValueError(f"TIER:LIMIT, separated by commas, and each limit {error}") from None
        return tuple(given.values())

    return read


def tier_limits(settings: "Settings") -> TierLimits:
    """What *settings* let the tenants of each tier do."""
    runs = {each.tier: each.value for each in settings.runs_per_month}
    endpoints = {each.tier: each.value for each in settings.endpoints_max}
    intervals = {each.tier: each.value for each in settings.interval_min}

    def limits(tier: str) -> ExecutionLimits:
        return ExecutionLimits(
            endpoints=endpoints.get(tier, endpoints.get("")),
            interval_min=intervals.get(tier, intervals.get("")),
            runs=runs.get(tier, runs.get("")),
        )

    named = (runs.keys() | endpoints.keys() | intervals.keys()) - {""}
    return TierLimits(of_tier={tier: limits(tier) for tier in named}, other=limits(""))
