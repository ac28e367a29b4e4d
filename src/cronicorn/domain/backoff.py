"""How to come back after a denial. Pure."""

from datetime import timedelta

from cronicorn.domain.instant import scaled

BACK_OFF_FIRST = timedelta(seconds=1)
BACK_OFF_MAX = timedelta(minutes=15)
_EXPONENT_MAX = 30


def back_off(retry_after: timedelta, denials: int, chance: float) -> timedelta:
    """How long to wait after so many *denials* (from 1) in a row: *retry_after*, and a share of what doubles with each.

    The share is *chance*, drawn evenly from [0, 1): full jitter, so that those who were denied together do not come
    back together (M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015).
    """
    assert denials > 0
    full = min(scaled(BACK_OFF_FIRST, 2.0 ** min(denials - 1, _EXPONENT_MAX)), BACK_OFF_MAX)
    return retry_after + scaled(full, chance)
