"""Bursts, and how to come back after a denial. Pure.

GCRA, the generic cell rate algorithm of ATM (ITU-T I.371, annex A): one stored instant, the theoretical arrival time,
says all that is to know of the past. A refused reservation changes nothing.
"""

from datetime import datetime, timedelta

from cronicorn.domain.instant import ZERO, scaled, shifted
from cronicorn.domain.quota.allowance import Burst

BACK_OFF_FIRST = timedelta(seconds=1)
BACK_OFF_MAX = timedelta(minutes=15)
_EXPONENT_MAX = 30


def wait_for_burst(burst: Burst, arrival_at: datetime | None, now: datetime) -> timedelta:
    """How long until one more reservation fits; nothing when it does at *now*.

    *arrival_at* is what `advanced` answered last, None before the first.
    """
    arrival_at = _believed(burst, arrival_at, now)
    if arrival_at is None:
        return ZERO
    return max(ZERO, shifted(arrival_at, -burst.every * (burst.calls - 1)) - now)


def advanced(burst: Burst, arrival_at: datetime | None, now: datetime) -> datetime:
    """The theoretical arrival time after one more reservation at *now*."""
    arrival_at = _believed(burst, arrival_at, now)
    return shifted(max(arrival_at, now) if arrival_at is not None else now, burst.every)


def _believed(burst: Burst, arrival_at: datetime | None, now: datetime) -> datetime | None:
    """None where no burst leads to *arrival_at*: the clock was set back, or the burst made smaller.

    Otherwise nothing would be granted until the clock is there again.
    """
    return arrival_at if arrival_at is None or arrival_at <= shifted(now, burst.every * burst.calls) else None


def back_off(retry_after: timedelta, denials: int, chance: float) -> timedelta:
    """How long to wait after so many *denials* (from 1) in a row: *retry_after*, and a share of what doubles with each.

    The share is *chance*, drawn evenly from [0, 1): full jitter, so that those who were denied together do not come
    back together (M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015).
    """
    assert denials > 0
    full = min(scaled(BACK_OFF_FIRST, 2.0 ** min(denials - 1, _EXPONENT_MAX)), BACK_OFF_MAX)
    return retry_after + scaled(full, chance)
