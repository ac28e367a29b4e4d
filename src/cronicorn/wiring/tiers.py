"""What each tier may do, as settings give it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cronicorn.domain.execution.limits import UNLIMITED, ExecutionLimits, TierLimits

if TYPE_CHECKING:
    from cronicorn.wiring.settings import Settings

_TIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_TIERS_MAX = 50


@dataclass(frozen=True, slots=True)
class TierNumber:
    """A limit of one tier; of every tier that is not named where `tier` is empty."""

    tier: str
    number: int

    def __str__(self) -> str:
        return f"{self.tier}:{self.number}" if self.tier else str(self.number)


def tier_numbers(least: int, most: int) -> Callable[[str], tuple[TierNumber, ...]]:
    """A reader of a number for each tier, and one maybe for all others."""

    def read(text: str) -> tuple[TierNumber, ...]:
        numbers = [_tier_number(part.strip(), least, most) for part in text.split(",")]
        given = [each for each in numbers if each is not None]
        if len(given) < len(numbers) or len({each.tier for each in given}) < len(given) or len(given) > _TIERS_MAX:
            raise ValueError(
                f"whole numbers from {least} to {most} as TIER:NUMBER, each tier once, separated by commas; a number "
                "alone is for all other tiers"
            )
        return tuple(given)

    return read


def tier_limits(settings: "Settings") -> TierLimits:
    """What *settings* let the tenants of each tier do."""
    runs = {each.tier: each.number for each in settings.runs_per_month}
    limits = {tier: ExecutionLimits(runs=number) for tier, number in runs.items()}
    other = limits.pop("", UNLIMITED)
    return TierLimits(of_tier=limits, other=other)


def _tier_number(text: str, least: int, most: int) -> TierNumber | None:
    tier, colon, number = text.rpartition(":")
    named = _TIER.fullmatch(tier) is not None if colon else not tier
    if not named or not number.isascii() or not number.isdigit() or len(number) > len(str(most)):
        return None
    return TierNumber(tier, int(number)) if least <= int(number) <= most else None
