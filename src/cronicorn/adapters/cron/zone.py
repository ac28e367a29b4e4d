"""A zone's clock as stretches of constant offset, found by looking at `zoneinfo` from outside.

Instants here are naive datetimes in UTC: the arithmetic is plain, and cannot meet a zone by accident.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta, timezone, tzinfo
from difflib import get_close_matches
from functools import lru_cache
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from cronicorn.adapters.cron.expression import shown
from cronicorn.domain.errors import InvalidInputError

FIRST_MOMENT: Final = datetime.min  # noqa: DTZ901 (naive UTC, as all of this module)
LAST_MOMENT: Final = datetime.max  # noqa: DTZ901
ZERO: Final = timedelta(0)
REACH: Final = timedelta(days=2)
"""Further than any change of a clock moves a local time: offsets stay within a day of UTC."""

STEP: Final = timedelta(days=3)
"""Offsets are looked up this far apart: the nearest two changes known are 95 hours apart (1939)."""

YEARS_MAX: Final = 64
ZONE_LENGTH_MAX: Final = 64
NOT_PORTABLE: Final = ("Factory", "localtime", "posixrules", "posix/", "right/")
"""Files of the time zone database that are no zone, or mean something else on each machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """The time from *starts_at* (included) to *ends_at* (not included), with one offset from UTC.

    *before* and *after* are the offsets next to it, equal to *offset* where two years were merely cut apart.
    """

    starts_at: datetime
    ends_at: datetime
    before: timedelta
    offset: timedelta
    after: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edge:
    at: datetime
    before: timedelta
    after: timedelta


def read_zone(name: str) -> "Zone":
    """The zone called *name* in the IANA database. Raises InvalidInputError, with the nearest names."""
    return Zone(zone_rules(name))


def zone_rules(name: str) -> tzinfo:
    """The rules of the zone called *name*; otherwise as `read_zone`."""
    if name == "UTC":
        return UTC
    if name.startswith(NOT_PORTABLE):
        raise _unknown(name)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise _unknown(name) from error


def shifted(moment: datetime, by: timedelta) -> datetime:
    """*moment* plus *by*, stopped at the ends of the calendar."""
    try:
        return moment + by
    except OverflowError:
        return LAST_MOMENT if by > ZERO else FIRST_MOMENT


class Zone:
    """Answers in which stretch an instant lies. Thread-safe; remembers the last years asked for."""

    def __init__(self, rules: tzinfo) -> None:
        self._rules = rules
        self._always = _always(rules) if isinstance(rules, timezone) else None
        self._stretches_of = lru_cache(maxsize=YEARS_MAX)(self._read_stretches)

    def stretch_at(self, instant: datetime) -> Stretch:
        """The stretch that holds *instant*, which is before the end of the calendar."""
        if self._always:
            return self._always
        stretches = self._stretches_of(instant.year)
        if instant < stretches[0].starts_at:
            stretches = self._stretches_of(instant.year - 1)
        return next(stretch for stretch in stretches if instant < stretch.ends_at)

    def _read_stretches(self, year: int) -> tuple[Stretch, ...]:
        """A year's stretches, from the cut at its beginning to the next year's."""
        begin, end = self._cut(year), self._cut(year + 1)
        first, last = self._offset(begin), self._offset(end)
        edges = (
            _Edge(at=begin, before=first, after=first),
            *self._changes(begin, end),
            _Edge(at=end, before=last, after=last),
        )
        return tuple(
            Stretch(starts_at=left.at, ends_at=right.at, before=left.before, offset=left.after, after=right.after)
            for left, right in pairwise(edges)
        )

    def _cut(self, year: int) -> datetime:
        """Where *year* is cut from the one before: in its first days, and out of reach of every change."""
        if not MINYEAR < year <= MAXYEAR:
            return FIRST_MOMENT if year <= MINYEAR else LAST_MOMENT
        cut = datetime(year, 1, 1)  # noqa: DTZ001 (naive UTC)
        while any(self._changes(cut - REACH, cut + REACH)):
            cut += 2 * REACH
        return cut

    def _changes(self, begin: datetime, end: datetime) -> Iterator[_Edge]:
        """Every change of the offset after *begin*, up to and including *end*."""
        low, before = begin, self._offset(begin)
        while low < end:
            high = min(end, shifted(low, STEP))
            after = self._offset(high)
            if after != before:
                yield _Edge(at=self._change_between(low, high, before), before=before, after=after)
            low, before = high, after

    def _change_between(self, low: datetime, high: datetime, before: timedelta) -> datetime:
        """The first whole second after *low* whose offset is no longer *before*."""
        seconds = range(int((high - low).total_seconds()) + 1)
        changed = bisect_left(
            seconds, x=True, key=lambda second: self._offset(low + timedelta(seconds=second)) != before
        )
        return low + timedelta(seconds=changed)

    def _offset(self, instant: datetime) -> timedelta:
        # A zone's clock cannot be read within a day of the ends of the calendar; nothing changes there.
        readable = min(max(instant, FIRST_MOMENT + REACH), LAST_MOMENT - REACH)
        return self._rules.fromutc(readable.replace(tzinfo=self._rules)).replace(tzinfo=None) - readable


def _unknown(name: str) -> InvalidInputError:
    known = (zone for zone in available_timezones() if not zone.startswith(NOT_PORTABLE))
    near = get_close_matches(name[:ZONE_LENGTH_MAX], known, cutoff=0.5)
    meant = f"Did you mean {' or '.join(near)}?" if near else "Use an IANA name such as Europe/Berlin, or UTC."
    return InvalidInputError(f"There is no time zone {shown(name)}. {meant}")


def _always(rules: timezone) -> Stretch:
    offset = rules.utcoffset(None)
    return Stretch(starts_at=FIRST_MOMENT, ends_at=LAST_MOMENT, before=offset, offset=offset, after=offset)
