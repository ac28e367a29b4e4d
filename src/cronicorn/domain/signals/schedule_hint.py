"""The Schedule-Hint field: what an endpoint asks of its own schedule. Specified in docs/reference/schedule-hint.md."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cronicorn.domain.signals.retry_after import written_instant
from cronicorn.domain.signals.structured import Bare, dictionary_of

REASON_CHARACTERS_MAX = 200
AHEAD_MAX = timedelta(days=366)
"""Lengths and instants further away are read as this far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleHint:
    """What the field asks for; None where it says nothing."""

    interval: timedelta | None = None
    once: timedelta | None = None
    """From now; an instant that has passed is zero."""
    defer: timedelta | None = None
    ttl: timedelta | None = None
    reason: str | None = None

    @property
    def ends(self) -> bool:
        """Whether it takes back what was asked before: a ttl of zero."""
        return self.ttl is not None and not self.ttl


def schedule_hint(field: str, now: datetime) -> ScheduleHint | None:
    """What *field* asks for; None when it is malformed, or asks for nothing that is known here."""
    members = dictionary_of(field)
    if members is None:
        return None
    said: dict[str, Bare] = {}
    for key, item in members.items():
        said |= {key: item.value, **item.parameters}
    try:
        hint = ScheduleHint(
            interval=_length(said, "interval", least=0.001),
            once=_ahead(said, "once", now),
            defer=_ahead(said, "defer", now),
            ttl=_length(said, "ttl"),
            reason=_reason(said),
        )
    except ValueError:
        return None
    asks = hint.ends or hint.interval is not None or hint.once is not None or hint.defer is not None
    return hint if asks else None


def _length(said: Mapping[str, Bare], key: str, least: float = 0.0) -> timedelta | None:
    value = said.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value < least:
        raise ValueError(f"{key} is no length")
    return min(timedelta(seconds=min(value, AHEAD_MAX.total_seconds())), AHEAD_MAX)


def _ahead(said: Mapping[str, Bare], key: str, now: datetime) -> timedelta | None:
    value = said.get(key)
    at = written_instant(value) if isinstance(value, str) else value
    if isinstance(at, datetime):
        return min(max(at - now, timedelta(0)), AHEAD_MAX)
    if value is not None and at is None:
        raise ValueError(f"{key} is no instant")
    return _length(said, key)


def _reason(said: Mapping[str, Bare]) -> str | None:
    reason = said.get("reason")
    if reason is not None and not isinstance(reason, str):
        raise ValueError("reason is no text")
    return reason[:REASON_CHARACTERS_MAX] if reason else None
