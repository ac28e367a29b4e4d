"""How long an answer stays fresh: Cache-Control and Age (RFC 9111)."""

import re
from datetime import timedelta

from cronicorn.domain.instant import ZERO

FRESH_MAX = timedelta(hours=4)
"""Nothing counts as fresh for longer."""

_MAX_AGE = re.compile(r'(?:^|,)\s*max-age\s*=\s*"?([0-9]{1,10})"?\s*(?:,|$)', re.IGNORECASE)
_NEVER_FRESH = re.compile(r"(?:^|,)\s*no-(?:store|cache)\s*(?:,|=|$)", re.IGNORECASE)
_AGE = re.compile(r"[0-9]{1,10}")
_CHARACTERS_MAX = 500


def fresh_for(cache_control: str, age: str | None) -> timedelta:
    """How much longer the answer stays fresh, at most FRESH_MAX; zero when it does not, or does not say."""
    if len(cache_control) > _CHARACTERS_MAX or _NEVER_FRESH.search(cache_control):
        return ZERO
    match = _MAX_AGE.search(cache_control)
    if match is None:
        return ZERO
    passed = int(age) if age is not None and _AGE.fullmatch(age) else 0
    return min(max(timedelta(seconds=int(match[1]) - passed), ZERO), FRESH_MAX)
