"""A cron schedule as a value. Evaluating one is the business of the `Cron` port."""

from enum import StrEnum
from typing import NamedTuple


class Dialect(StrEnum):
    """The meaning of cron text. Stored with each schedule (DEBIAN by silence): a new one never changes an old job."""

    DEBIAN = "debian"
    """Five fields as in Debian's cron, seconds first when there are six, `L`, `#`, names and `@` nicknames."""


class DstGap(StrEnum):
    """What happens to a local time that the clock skips in spring."""

    RUN_AFTER = "run_after"
    """Runs once, at the first instant after the gap (Debian cron); wildcard schedules simply go on."""
    SKIP = "skip"
    SHIFT = "shift"
    """Runs later by the length of the gap: 02:30 becomes 03:30."""


class DstOverlap(StrEnum):
    """What happens to a local time that comes twice in autumn."""

    DEBIAN = "debian"
    """Fixed times run once, at their first occurrence; schedules with a wildcard hour or minute run in both."""
    FIRST = "first"
    SECOND = "second"
    BOTH = "both"


class CronSchedule(NamedTuple):
    """A cron expression, the IANA zone it is read in, and what to do when that zone's clock jumps."""

    expression: str
    zone: str = "UTC"
    dst_gap: DstGap = DstGap.RUN_AFTER
    dst_overlap: DstOverlap = DstOverlap.DEBIAN
    dialect: Dialect = Dialect.DEBIAN
