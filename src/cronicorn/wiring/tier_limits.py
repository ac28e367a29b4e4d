"""The tiers of a token quota as they are written: `free-tier=10000,pro-tier=100000`."""

import re
from collections.abc import Mapping

from cronicorn.domain.quota.allowance import TOKENS_MAX

TIERS_MAX = 50
_PART = re.compile(r"([a-z][a-z0-9_.-]{0,63})=([0-9]{1,13})")


def limits_of(text: str) -> Mapping[str, int]:
    """The tokens of a window by tier. Raises ValueError with what was expected."""
    limits: dict[str, int] = {}
    for part in text.split(","):
        found = _PART.fullmatch(part.strip())
        if found is None or found[1] in limits or int(found[2]) > TOKENS_MAX or len(limits) == TIERS_MAX:
            raise ValueError(
                f"up to {TIERS_MAX} tiers as NAME=TOKENS, separated by commas, each once and of at most "
                f"{TOKENS_MAX} tokens, in names of small letters, digits, `.`, `_` and `-`"
            )
        limits[found[1]] = int(found[2])
    return limits
"""What the tenants of each tier may do."""

from cronicorn.domain.execution.limits import ExecutionLimits, TierLimits
from cronicorn.wiring.settings import Settings


def tier_limits(settings: Settings) -> TierLimits:
    """The limits that *settings* give. What they say of all other tiers holds where a named one has no limit."""
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
