"""How many calls a server has left for us: the RateLimit fields, current draft and legacy.

draft-ietf-httpapi-ratelimit-headers-11 (May 2026), which rests on RFC 9651; a malformed field is ignored entirely.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from cronicorn.domain.instant import EPOCH, ZERO
from cronicorn.domain.signals.structured import Bare, Item, dictionary_of, items_of

RATE_LIMIT_FIELDS = frozenset({
    "ratelimit", "ratelimit-policy", "ratelimit-remaining", "ratelimit-reset",
    "x-ratelimit-remaining", "x-ratelimit-reset", "x-rate-limit-remaining", "x-rate-limit-reset",
})  # fmt: skip
FEW_LEFT = 3
"""Fewer calls left than this are spread over the time until there are more."""
MARGIN = 1.1
"""How much more slowly than a policy allows we call."""
WAIT_MAX = timedelta(hours=1)
"""No server keeps us waiting for longer."""

_COUNT = re.compile(r"[0-9]{1,13}")
_SECONDS = re.compile(r"[0-9]{1,13}(\.[0-9]{1,9})?")
_EPOCH_LEAST = 1_000_000_000
"""A legacy reset this large is an instant, in seconds since 1970."""
_EPOCH_MS_LEAST = 1_000_000_000_000
_LEGACY = ("ratelimit", "x-ratelimit", "x-rate-limit")


class Pace(NamedTuple):
    """What a server asks of the pace of calls."""

    field: str
    value: str
    wait: timedelta = ZERO
    """No call is left for so long."""
    spacing: timedelta = ZERO
    """Calls shall be this far apart for now."""


def pace_asked(fields: Mapping[str, str], now: datetime) -> Pace | None:
    """What the RateLimit *fields* of an answer ask for, by the most demanding of its policies; None for nothing."""
    asked = [
        pace
        for pace in (_of_limits(fields), *(_of_legacy(fields, prefix, now) for prefix in _LEGACY), _of_policies(fields))
        if pace is not None
    ]
    return max(asked, key=lambda pace: (pace.wait, pace.spacing), default=None)


def _of_limits(fields: Mapping[str, str]) -> Pace | None:
    field = fields.get("ratelimit")
    if field is None:
        return None
    items = items_of(field)
    limits = list(map(_limit, items)) if items else [_former_limit(field)]
    if None in limits:
        return None
    return _pace("ratelimit", field, [_waits(*limit) for limit in limits if limit is not None])


def _limit(item: Item) -> tuple[int, int] | None:
    """The calls left by one policy and the seconds until there are more, zero when it does not say."""
    left, reset = _whole(item.parameters.get("r")), _whole(item.parameters.get("t", 0))
    return (left, reset) if isinstance(item.value, str) and left is not None and reset is not None else None


def _former_limit(field: str) -> tuple[int, int] | None:
    """The same in the form of earlier drafts: `limit=100, remaining=2, reset=30`."""
    members = dictionary_of(field) or {}
    left, reset = (_whole(members[key].value) if key in members else None for key in ("remaining", "reset"))
    return (left, reset) if left is not None and reset is not None else None


def _of_legacy(fields: Mapping[str, str], prefix: str, now: datetime) -> Pace | None:
    left, reset = fields.get(f"{prefix}-remaining", ""), fields.get(f"{prefix}-reset", "")
    if not _COUNT.fullmatch(left) or not _SECONDS.fullmatch(reset):
        return None
    seconds = float(reset)
    if seconds >= _EPOCH_MS_LEAST:
        seconds /= 1_000
    if seconds >= _EPOCH_LEAST:
        seconds -= (now - EPOCH).total_seconds()
    return _pace(f"{prefix}-remaining", f"{left}, reset {reset}", [_waits(int(left), seconds)])


def _of_policies(fields: Mapping[str, str]) -> Pace | None:
    field = fields.get("ratelimit-policy")
    items = items_of(field) if field is not None else None
    if field is None or not items:
        return None
    spacing = ZERO
    for item in items:
        quota = item.value if "q" not in item.parameters and isinstance(item.value, int) else item.parameters.get("q")
        calls, window = _whole(quota), _whole(item.parameters.get("w", 0))
        if calls is None or window is None:
            return None
        if calls and item.parameters.get("qu", "requests") == "requests":
            spacing = max(spacing, _bounded(window / calls * MARGIN))
    return Pace("ratelimit-policy", field, spacing=spacing) if spacing else None


def _waits(left: int, seconds: float) -> tuple[timedelta, timedelta]:
    """The wait and the spacing when *left* calls remain for so many seconds."""
    if left >= FEW_LEFT or seconds <= 0:
        return ZERO, ZERO
    return (ZERO, _bounded(seconds / left)) if left else (_bounded(seconds), ZERO)


def _pace(field: str, value: str, waits: list[tuple[timedelta, timedelta]]) -> Pace | None:
    wait = max((wait for wait, _ in waits), default=ZERO)
    spacing = max((spacing for _, spacing in waits), default=ZERO)
    return Pace(field, value, wait, spacing) if wait or spacing else None


def _bounded(seconds: float) -> timedelta:
    return timedelta(seconds=min(seconds, WAIT_MAX.total_seconds()))


def _whole(value: Bare | None) -> int | None:
    return value if type(value) is int and value >= 0 else None
