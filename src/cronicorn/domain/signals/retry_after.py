"""The Retry-After field of an answer, and other ways to write an instant in a header."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from cronicorn.domain.instant import ZERO

RETRY_AFTER_MAX = timedelta(hours=1)
"""No server defers its own calls for longer than this."""

_SECONDS = re.compile(r"[0-9]+")
_DIGITS_READ = 10
"""More mean longer than RETRY_AFTER_MAX, however many there are."""
_DATE_CHARACTERS_MAX = 100
_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def retry_after(value: str, now: datetime) -> timedelta | None:
    """The wait that a Retry-After field asks for, at most RETRY_AFTER_MAX; None when it can't be read or has passed.

    RFC 9110, section 10.2.3: a number of seconds or an HTTP date.
    """
    text = value.strip()
    if _SECONDS.fullmatch(text):
        digits = text.lstrip("0") or "0"
        wait = timedelta(seconds=int(digits)) if len(digits) <= _DIGITS_READ else RETRY_AFTER_MAX
    else:
        at = http_date(text)
        if at is None:
            return None
        wait = at - now
    return min(wait, RETRY_AFTER_MAX) if wait > ZERO else None


def http_date(text: str) -> datetime | None:
    """The instant that an HTTP date writes, in any of the forms of RFC 9110, section 5.6.7."""
    if len(text) > _DATE_CHARACTERS_MAX:
        return None
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def written_instant(text: str) -> datetime | None:
    """The instant that *text* writes as RFC 3339 or as an HTTP date."""
    if not _RFC_3339.fullmatch(text):
        return http_date(text)
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        return None
