"""The tiers of a token quota as they are written: `free-tier:10000,pro-tier:100000`."""

import re
from collections.abc import Mapping

from cronicorn.domain.quota.allowance import TOKENS_MAX

TIERS_MAX = 50
_PART = re.compile(r"([a-z][a-z0-9_.-]{0,63}):([0-9]{1,13})")


def limits_of(text: str) -> Mapping[str, int]:
    """The tokens of a window by tier. Raises ValueError with what was expected."""
    limits: dict[str, int] = {}
    for part in text.split(","):
        found = _PART.fullmatch(part.strip())
        if found is None or found[1] in limits or int(found[2]) > TOKENS_MAX or len(limits) == TIERS_MAX:
            raise ValueError(
                f"up to {TIERS_MAX} tiers as NAME:TOKENS, separated by commas, each once and of at most "
                f"{TOKENS_MAX} tokens, in names of small letters, digits, `.`, `_` and `-`"
            )
        limits[found[1]] = int(found[2])
    return limits
