"""What an answer itself says about when to call again."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from cronicorn.domain.call import Outcome, OutcomeKind
from cronicorn.domain.hint import Author, Hint, HintKind
from cronicorn.domain.instant import ZERO, shifted

RETRY_AFTER_MAX = timedelta(hours=1)
"""No server defers its own calls for longer than this."""

_SECONDS = re.compile(r"[0-9]+")
_DIGITS_READ = 10
"""More mean longer than RETRY_AFTER_MAX, however many there are."""


def retry_after(value: str, now: datetime) -> timedelta | None:
    """The wait that a Retry-After field asks for, at most RETRY_AFTER_MAX; None when it can't be read or has passed.

    RFC 9110, section 10.2.3: a number of seconds or an HTTP date.
    """
    text = value.strip()
    if _SECONDS.fullmatch(text):
        digits = text.lstrip("0") or "0"
        wait = timedelta(seconds=int(digits)) if len(digits) <= _DIGITS_READ else RETRY_AFTER_MAX
    else:
        try:
            at = parsedate_to_datetime(text)
        except (TypeError, ValueError, IndexError, OverflowError):
            return None
        wait = (at if at.tzinfo is not None else at.replace(tzinfo=UTC)) - now
    return min(wait, RETRY_AFTER_MAX) if wait > ZERO else None


def signal_hints(outcome: Outcome, *, success: bool, now: datetime) -> tuple[Hint, ...]:
    """The hints that *outcome* writes on its own endpoint: a failed answer with Retry-After defers the next call."""
    value = outcome.header("retry-after")
    if success or value is None or outcome.kind is not OutcomeKind.RESPONDED:
        return ()
    wait = retry_after(value, now)
    if wait is None:
        return ()
    until = shifted(now, wait)
    reason = f"Retry-After asked for {wait.total_seconds():g} s with status {outcome.status_code}"
    hint = Hint(kind=HintKind.DEFER, author=Author.SIGNAL, written_at=now, expires_at=until, at=until, reason=reason)
    return (hint,)
