"""From when to when a timeline is drawn: as an address says, or so that about RUNS_IN_RANGE runs are seen."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from cronicorn.control.timelines import SPAN_MAX, SPAN_MIN
from cronicorn.domain.durations import parse_duration
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.instant import second_text, shifted
from cronicorn.domain.run import Run
from cronicorn.web.addresses import instant_in

SPAN_DEFAULT = timedelta(hours=6)
"""Of an endpoint that has not run."""
RUNS_IN_RANGE = 50
"""About so many runs are shown unless somebody says how long."""
AHEAD = 0.1
"""So much of a timeline that ends now lies ahead."""
LAST_MAX = SPAN_MAX / 2
RANGES = tuple(timedelta(hours=hours) for hours in (1, 6, 24, 24 * 7, 24 * 30))


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnSpan:
    """From when to when a timeline is drawn, and the addresses of others."""

    since: datetime
    until: datetime
    now: datetime
    fixed: bool
    """Whether an address named it; else it moves on with the time."""

    @property
    def length(self) -> timedelta:
        return self.until - self.since

    def query(self, since: datetime, until: datetime) -> str:
        """The address of another range, without the path."""
        return "?" + urlencode({"from": second_text(since), "to": second_text(until)})

    @property
    def earlier(self) -> str:
        return self.query(shifted(self.since, -self.length / 2), shifted(self.until, -self.length / 2))

    @property
    def later(self) -> str:
        return self.query(shifted(self.since, self.length / 2), shifted(self.until, self.length / 2))

    @property
    def closer(self) -> str | None:
        """Half of it around the middle; None where that is too short."""
        quarter = self.length / 4
        return self.query(self.since + quarter, self.until - quarter) if self.length / 2 >= SPAN_MIN else None

    @property
    def wider(self) -> str | None:
        """Twice as much around the middle; None where that is too long."""
        half = self.length / 2
        return (
            self.query(shifted(self.since, -half), shifted(self.until, half)) if self.length * 2 <= SPAN_MAX else None
        )


def range_of(since: str, until: str, last: str, now: datetime, usual: DrawnSpan) -> DrawnSpan:
    """The range from *since* to *until*, or else the *last* so long, or *usual*; a text that is empty says nothing.

    Raises InvalidInputError for what can't be read, and for a range that is too short or too long.
    """
    begins, ends = _named_instant("from", since), _named_instant("to", until)
    length = _length(last) if last.strip() else usual.length
    if begins is None and ends is None:
        return _until_now(length, now) if last.strip() else usual
    if ends is None:
        ends = max(now, shifted(begins or now, SPAN_MIN))
    if begins is None:
        begins = shifted(ends, -length)
    if not SPAN_MIN <= ends - begins <= SPAN_MAX:
        raise InvalidInputError(
            f"A timeline spans a minute to {SPAN_MAX.days} days, from an earlier instant to a later one: change `from` "
            "or `to` in the address."
        )
    return DrawnSpan(since=begins, until=ends, now=now, fixed=True)


def usual_range(endpoint: JobEndpoint, runs: Sequence[Run], now: datetime) -> DrawnSpan:
    """What is shown of *endpoint*, whose newest *runs* these are, unless somebody says otherwise.

    About RUNS_IN_RANGE of them. One that is younger than that from when it was made, until its next run at least.
    """
    shown, since = _until_now(_usual_length(runs), now), endpoint.created_at
    if since <= shown.since:
        return shown
    age, due_at = now - since, endpoint.state.due_at or now
    until = max(shifted(now, age * AHEAD), min(shifted(due_at, (due_at - now) * AHEAD), shown.until))
    return DrawnSpan(since=since, until=max(until, shifted(since, SPAN_MIN)), now=now, fixed=False)


def _named_instant(name: str, text: str) -> datetime | None:
    """The instant that the address gives as *name*; None where it gives none. Raises InvalidInputError."""
    at = instant_in(text)
    if at is None and text.strip():
        raise InvalidInputError(f"The address says {name}={text[:40]}: write an instant such as 2026-01-31T09:30:00Z.")
    return at


def _length(text: str) -> timedelta:
    """The length that the address gives. Raises InvalidInputError."""
    with suppress(ValueError):
        length = parse_duration(text)
        if SPAN_MIN <= length <= LAST_MAX:
            return length
    raise InvalidInputError(
        f"The address says last={text[:40]}: write a length such as 12h, from 1m to {LAST_MAX.days}d."
    )


def _until_now(length: timedelta, now: datetime) -> DrawnSpan:
    return DrawnSpan(since=now - length, until=now + length * AHEAD, now=now, fixed=False)


def _usual_length(runs: Sequence[Run]) -> timedelta:
    """The shortest of RANGES that holds about RUNS_IN_RANGE at the pace of *runs*, the newest first."""
    if len(runs) <= 1:
        return SPAN_DEFAULT
    pace = (runs[0].started_at - runs[-1].started_at) / (len(runs) - 1)
    return next((each for each in RANGES if each >= pace * RUNS_IN_RANGE), RANGES[-1])
