"""What the tenants of each tier may do."""

from cronicorn.domain.execution.limits import ExecutionLimits, TierLimits
from cronicorn.wiring.settings import Settings


def tier_limits(settings: Settings) -> TierLimits:
    """The limits that *settings* give, for each tier there is.

    What they say of all other tiers holds where a named one has no limit.
    """
    runs = {each.tier: each.value for each in settings.runs_per_month}
    endpoints = {each.tier: each.value for each in settings.endpoints_max}
    intervals = {each.tier: each.value for each in settings.interval_min}

    def limits(tier: str) -> ExecutionLimits:
        return ExecutionLimits(
            endpoints=endpoints.get(tier, endpoints.get("")),
            interval_min=intervals.get(tier, intervals.get("")),
            runs=runs.get(tier, runs.get("")),
        )

    tiers = [each.tier for each in settings.quota_tiers]
    return TierLimits(of_tier={tier: limits(tier) for tier in tiers}, default=settings.quota_tier)
