"""A host that asks for fewer calls is left alone for a while by all endpoints of the tenant it said so to. Pure."""

from dataclasses import replace
from datetime import datetime, timedelta

from cronicorn.domain.call import Outcome, OutcomeKind
from cronicorn.domain.flow.limits import HeldBack
from cronicorn.domain.flow.record import FlowRecord
from cronicorn.domain.instant import MICROSECOND, ZERO, instant_of, microseconds_of, shifted, stable_fraction
from cronicorn.domain.signals.retry_after import RETRY_AFTER_MAX, retry_after

WAIT_FIRST = timedelta(seconds=10)
"""After a 429 that does not say how long; twice as long with each further one."""
WAIT_MAX = timedelta(minutes=10)
"""No longer, unless the host says so itself, which counts up to `RETRY_AFTER_MAX`."""
FORGIVEN_AFTER = timedelta(minutes=10)
"""So long after the last wait the next one is the first again."""
SPREAD_MAX = timedelta(minutes=1)
"""Over so long, and no longer than the wait was, calls begin again after it."""

_TOO_MANY = 429
_DOUBLINGS_MAX = 6

assert RETRY_AFTER_MAX >= WAIT_MAX


def asks_for_less(outcome: Outcome) -> bool:
    """Whether an answer is a 429 (RFC 6585). A 503 speaks of one service, where a host may have many."""
    return outcome.status_code == _TOO_MANY and outcome.kind is OutcomeKind.RESPONDED


def slowed(record: FlowRecord, outcome: Outcome, now: datetime) -> FlowRecord:
    """The record of a host once it has asked for less. What calls that were on their way hear only prolongs it."""
    now_us = microseconds_of(now)
    said = outcome.header("retry-after")
    wait = retry_after(said, now) if said is not None else None
    still = record.slowed_us > now_us
    forgiven = record.slowed_us + FORGIVEN_AFTER // MICROSECOND <= now_us
    slowings = record.slowings if still else 1 + (0 if forgiven else record.slowings)
    if wait is None:
        wait = ZERO if still else min(WAIT_FIRST * 2 ** min(slowings - 1, _DOUBLINGS_MAX), WAIT_MAX)
    until_us = max(record.slowed_us, microseconds_of(shifted(now, wait)))
    kept_us = until_us + FORGIVEN_AFTER // MICROSECOND
    return replace(record, slowed_us=until_us, slowings=slowings, kept_until_us=kept_us)


def held_by_slow_host(host: str, slowed_us: int, now: datetime, endpoint_id: str) -> HeldBack:
    """Until when an endpoint of a slowed host waits: not all of them begin again at once."""
    until = instant_of(slowed_us)
    spread = min(max(until - now, ZERO), SPREAD_MAX) * stable_fraction(endpoint_id, str(slowed_us))
    return HeldBack(until=shifted(until, spread), reason=f"{host} has asked for fewer calls")
