"""Limits of tiers, as settings give them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

_TIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
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


def by_tier(read_one: Callable[[str], T], *, for_others: bool = True) -> Callable[[str], tuple[TierValue[T], ...]]:
    """A reader of a value for each tier, and with *for_others* one maybe for all others."""
    expected = "TIER:LIMIT, each tier once, separated by commas"
    if for_others:
        expected += "; a limit alone is for all others"

    def read(text: str) -> tuple[TierValue[T], ...]:
        given: dict[str, TierValue[T]] = {}
        for part in text.split(","):
            tier, colon, value = part.strip().rpartition(":")
            named = _TIER.fullmatch(tier) if colon else for_others
            if not named or tier in given or len(given) == _TIERS_MAX:
                raise ValueError(expected)
            try:
                given[tier] = TierValue(tier, read_one(value), value)
            except ValueError as error:
                raise ValueError(f"TIER:LIMIT, separated by commas, and each limit {error}") from None
        return tuple(given.values())

    return read
