"""Attempts within one slot: how long to wait before the next one."""

from datetime import timedelta

from cronicorn.domain.call import Outcome, OutcomeKind
from cronicorn.domain.endpoint import RetryPolicy
from cronicorn.domain.instant import scaled

_EXPONENT_MAX = 64
_NEVER_RETRIED = {
    OutcomeKind.REFUSED,
    OutcomeKind.SECRET_MISSING,
    OutcomeKind.SECRET_UNREADABLE,
    OutcomeKind.CANCELLED,
}


def retry_backoff(policy: RetryPolicy, attempt: int, chance: float) -> timedelta:
    """The wait after the failed *attempt* (1 is the first): *chance* in [0, 1) of the full backoff.

    The full backoff doubles `doublings_max` times, then grows by its last step, then stays at `backoff_max`: with 10 s,
    300 s and 3 doublings 10, 20, 40, 80, 160, 240, 300 s, as in Google Cloud Scheduler's RetryConfig. Drawing evenly
    from zero to it ("full jitter") keeps many clients from coming back together.
    """
    doublings_max = max(0, policy.doublings_max)
    doublings = min(attempt - 1, doublings_max)
    linear_steps = max(1, attempt - doublings_max)
    full = scaled(policy.backoff_min, 2.0 ** min(doublings, _EXPONENT_MAX) * linear_steps)
    return scaled(min(full, policy.backoff_max), chance)


def may_retry(policy: RetryPolicy, attempt: int, outcome: Outcome) -> bool:
    """Whether the failed *attempt* is followed by another; a refused or cancelled call never is."""
    return attempt <= policy.count and outcome.kind not in _NEVER_RETRIED
