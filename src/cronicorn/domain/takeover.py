"""When another worker may take over a slot whose lease has expired."""

from datetime import timedelta

from cronicorn.domain.instant import ZERO

PROMPT_TAKEOVERS = 2
"""So many leases in a row may be lost before a slot that seems to kill its workers has to wait."""
TAKEOVER_DELAY_MIN = timedelta(seconds=10)
TAKEOVER_DELAY_MAX = timedelta(minutes=5)
_DOUBLINGS_MAX = 5
SWEEP_INTERVAL = timedelta(seconds=1)
"""A store that is asked for due slots looks for expired leases this often at least."""


def takeover_delay(losses: int) -> timedelta:
    """How long a slot rests once the lease that is its *losses*-th loss in a row has expired.

    At once up to PROMPT_TAKEOVERS; then 10, 20, 40, 80 and 160 seconds and five minutes, so that an endpoint that
    brings its workers down can't keep doing so. A settled slot ends the row.
    """
    if losses <= PROMPT_TAKEOVERS:
        return ZERO
    doublings = min(losses - PROMPT_TAKEOVERS - 1, _DOUBLINGS_MAX)
    return min(TAKEOVER_DELAY_MIN * (1 << doublings), TAKEOVER_DELAY_MAX)


def recovery_bound(lease_ttl: timedelta, poll_interval: timedelta, losses: int = 1) -> timedelta:
    """How long it takes at most from the death of its worker until a slot is claimed by another one.

    Its lease runs out, the slot rests after its *losses*-th loss in a row, another worker looks, and so does its store
    for expired leases. Another worker must be there, and have room.
    """
    return lease_ttl + takeover_delay(losses) + poll_interval + SWEEP_INTERVAL
