"""When a cron pattern comes in a zone, over every change of the zone's clock.

A zone's time is a row of stretches with one offset each (`Zone`); within one, each local time is one instant.
So a stretch takes two questions to the pattern: which local times does the clock show in it (less an unwanted
pass of an hour that comes twice), and which did the clock skip as it began. Nothing is walked minute by
minute: a gap of a day (Samoa, 2011) costs no more than one of half an hour (Lord Howe).
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from cronicorn.adapters.cron.expression import Pattern
from cronicorn.adapters.cron.zone import REACH, Stretch, Zone, shifted
from cronicorn.domain.cron import DstGap, DstOverlap

SEARCH: Final = timedelta(days=50 * 366)
"""How far ahead to look. The rarest date, 29 February on a given weekday, comes at least every 40 years."""

SECOND: Final = timedelta(seconds=1)


class Timetable:
    """One schedule, ready to be asked. Thread-safe; remembers two answers: a run asks for its instant and the next."""

    def __init__(self, pattern: Pattern, zone: Zone, *, gap: DstGap, overlap: DstOverlap) -> None:
        self.pattern = pattern
        self._zone = zone
        self._gap = _gap_rule(gap, wildcard=pattern.wildcard)
        self._overlap = _overlap_rule(overlap, wildcard=pattern.wildcard)
        # Replaced as a whole, never changed: threads may ask at the same time.
        nothing = (datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC))
        self._remembered = (nothing, nothing)

    def next(self, after: datetime) -> datetime | None:
        """The first instant strictly after *after* (aware), in UTC; None when none comes within 50 years."""
        remembered = self._remembered
        for asked, answer in remembered:
            if asked <= after < answer:
                return answer
        found = self._search(_naive_utc(after))
        if found is None:
            return None
        answer = found.replace(tzinfo=UTC)
        self._remembered = ((after, answer), remembered[0])
        return answer

    def _search(self, after: datetime) -> datetime | None:
        """Stretch by stretch, leaving out those where the pattern names no local time at all."""
        moment, horizon = after, shifted(after, SEARCH)
        while moment < horizon:
            stretch = self._zone.stretch_at(moment)
            found = self._first_in(stretch, after)
            if found is not None:
                return found
            match = self.pattern.first_after(shifted(stretch.ends_at, -REACH))
            if match is None:
                return None
            moment = max(stretch.ends_at, shifted(match, -REACH))
        return None

    def _first_in(self, stretch: Stretch, after: datetime) -> datetime | None:
        """The first instant after *after* that belongs to *stretch*."""
        try:
            shown, skipped = self._first_shown(stretch, after), self._first_skipped(stretch, after)
        except OverflowError:  # The local time exists, but its instant lies beyond year 9999.
            return None
        return min((instant for instant in (shown, skipped) if instant is not None), default=None)

    def _first_shown(self, stretch: Stretch, after: datetime) -> datetime | None:
        """Of the local times that the clock shows during *stretch*, less an unwanted pass."""
        first_pass_only = self._overlap is DstOverlap.FIRST
        second_pass_only = self._overlap is DstOverlap.SECOND
        begin = max(stretch.offset, stretch.before) if first_pass_only else stretch.offset
        end = min(stretch.offset, stretch.after) if second_pass_only else stretch.offset
        match = self.pattern.first_after(
            max(shifted(stretch.starts_at, begin - SECOND), shifted(after, stretch.offset))
        )
        if match is None or match >= shifted(stretch.ends_at, end):
            return None
        return match - stretch.offset

    def _first_skipped(self, stretch: Stretch, after: datetime) -> datetime | None:
        """Of the local times that the clock skipped as *stretch* began."""
        if self._gap is DstGap.SKIP or stretch.before >= stretch.offset:
            return None
        if self._gap is DstGap.RUN_AFTER and stretch.starts_at <= after:
            return None
        begin = shifted(stretch.starts_at, stretch.before - SECOND)
        if self._gap is DstGap.SHIFT:
            begin = max(begin, shifted(after, stretch.before))
        match = self.pattern.first_after(begin)
        if match is None or match >= shifted(stretch.starts_at, stretch.offset):
            return None
        return match - stretch.before if self._gap is DstGap.SHIFT else stretch.starts_at


def _gap_rule(gap: DstGap, *, wildcard: bool) -> DstGap:
    return DstGap.SKIP if gap is DstGap.RUN_AFTER and wildcard else gap


def _overlap_rule(overlap: DstOverlap, *, wildcard: bool) -> DstOverlap:
    if overlap is not DstOverlap.DEBIAN:
        return overlap
    return DstOverlap.BOTH if wildcard else DstOverlap.FIRST


def _naive_utc(instant: datetime) -> datetime:
    """*instant* without its zone, stopped at the ends of the calendar."""
    assert instant.tzinfo is not None, "an instant is aware"
    if instant.tzinfo is UTC:
        return instant.replace(tzinfo=None)
    return shifted(instant.replace(tzinfo=None), -(instant.utcoffset() or timedelta(0)))
