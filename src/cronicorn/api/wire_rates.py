"""Counted requests on the wire: the fields that say where a count stands."""

import math

from cronicorn.domain.rate import RateStanding


def request_rate_fields(standing: RateStanding) -> dict[str, str]:
    """As in draft-ietf-httpapi-ratelimit-headers-11: a policy named `requests`."""
    rate = standing.rate
    window, reset = math.ceil(rate.period.total_seconds()), math.ceil(standing.resets_in.total_seconds())
    return {
        "RateLimit-Policy": f'"requests";q={rate.limit};w={window}',
        "RateLimit": f'"requests";r={standing.remaining};t={reset}',
    }
