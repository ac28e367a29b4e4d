"""Bursts. Pure.

GCRA, the generic cell rate algorithm of ATM (ITU-T I.371, annex A): one stored instant, the theoretical arrival time,
says all that is to know of the past. A refused reservation changes nothing.
"""

from datetime import datetime, timedelta

from cronicorn.domain.instant import ZERO, shifted
from cronicorn.domain.quota.allowance import Burst


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
