"""Arithmetic on instants that never overflows, and stable pseudo-chance.

All instants are aware and in UTC. `FIRST_INSTANT` and `LAST_INSTANT` bound what a plan may hold.
"""

from datetime import UTC, datetime, timedelta
from hashlib import blake2b

FIRST_INSTANT = datetime.min.replace(tzinfo=UTC)
LAST_INSTANT = datetime.max.replace(tzinfo=UTC)
ALL_TIME = LAST_INSTANT - FIRST_INSTANT
"""Longer lengths say nothing more, and some can't be negated."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MILLISECOND = timedelta(milliseconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ZERO = timedelta(0)
INTERVAL_LEAST = timedelta(seconds=1)
"""Nothing drives an endpoint faster than this: no hint, and no maximum that an old row may have."""


def shifted(instant: datetime, by: timedelta) -> datetime:
    """*instant* plus *by*, stopped at the ends of the calendar."""
    try:
        return instant + by
    except OverflowError:
        return LAST_INSTANT if by > ZERO else FIRST_INSTANT


def scaled(length: timedelta, factor: float) -> timedelta:
    """*length* times *factor*, stopped at the longest and shortest timedelta."""
    try:
        return length * factor
    except OverflowError:
        return timedelta.max if (length > ZERO) == (factor > 0) else timedelta.min


def microseconds_of(instant: datetime) -> int:
    """Microseconds since 1970-01-01T00:00Z."""
    return (instant - EPOCH) // MICROSECOND


def minute_of(instant: datetime) -> int:
    """Whole minutes since 1970-01-01T00:00Z."""
    return (instant - EPOCH) // MINUTE


def instant_of(microseconds: int) -> datetime:
    """The instant *microseconds* after 1970-01-01T00:00Z."""
    return EPOCH + MICROSECOND * microseconds  # A quarter of what `timedelta(microseconds=...)` takes.


def length_of(microseconds: int) -> timedelta:
    """The length of *microseconds*."""
    return MICROSECOND * microseconds


def instant_text(instant: datetime) -> str:
    """*instant* by RFC 3339, in UTC, its milliseconds cut and not rounded: `2026-01-31T09:30:00.000Z`."""
    return f"{instant.astimezone(UTC).isoformat(timespec='milliseconds').removesuffix('+00:00')}Z"


def second_text(instant: datetime) -> str:
    """*instant* in UTC, what is less than a second cut: `2026-01-31T09:30:00Z`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def whole_millisecond(instant: datetime) -> datetime:
    """*instant* without what the wire can't tell: instants are written there in milliseconds."""
    return instant.replace(microsecond=instant.microsecond // 1_000 * 1_000)


def stable_fraction(*parts: str) -> float:
    """A number in [0, 1) that depends on *parts* only and is spread evenly (BLAKE2b)."""
    digest = blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    # 53 bits are what a float holds: with more, the largest numbers would round up to 1.
    return (int.from_bytes(digest, "big") >> 11) / (1 << 53)
