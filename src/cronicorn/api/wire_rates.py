"""Limits on the wire: the fields that say where they stand."""

import math
from datetime import timedelta

from cronicorn.domain.rate import LimitStanding


def limit_fields(*limits: LimitStanding | None) -> dict[str, str]:
    """As in draft-ietf-httpapi-ratelimit-headers-11: a policy for each limit; nothing for None."""
    known = [limit for limit in limits if limit is not None]
    if not known:
        return {}
    return {
        "RateLimit-Policy": ", ".join(
            f'"{each.name}";q={each.limit}{_unit(each)};w={_seconds(each.window)}' for each in known
        ),
        "RateLimit": ", ".join(f'"{each.name}";r={each.remaining};t={_seconds(each.resets_in)}' for each in known),
    }


def _unit(limit: LimitStanding) -> str:
    return f';qu="{limit.unit}"' if limit.unit is not None else ""


def _seconds(length: timedelta) -> int:
    return math.ceil(length.total_seconds())
