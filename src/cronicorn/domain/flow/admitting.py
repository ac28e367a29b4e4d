"""Which calls may begin now, and when the others ask again. Pure; instants are microseconds since 1970.

A rate is a sliding window over the instants at which calls began: no stretch of a period holds more, whoever began
them. Whoever has to wait gets a turn, a spacing after the one before, so that nobody who comes later overtakes and few
ask in vain. Turns are promises about the order alone: when one comes, the window is looked at again. Whoever asks
before his turn, since nobody waits longer than `HELD_MAX` without asking, keeps it: a second one would be behind all
others, and each of them would be put behind him in turn, until turns lay where nobody lives to see them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from math import ceil
from typing import NamedTuple

from cronicorn.domain.flow.limits import FlowLimits, HeldBack
from cronicorn.domain.flow.record import BLANK, WAITING_MAX, FlowKey, FlowRecord, Place, Waiting
from cronicorn.domain.instant import MICROSECOND, instant_of, microseconds_of

HELD_MAX = timedelta(minutes=10)
"""Nobody waits longer without asking again: limits may have been raised, or calls taken back."""
PLACE_ASKED_EVERY = timedelta(seconds=10)
"""So often whoever waits for a place asks by itself: usually whoever leaves it calls on them earlier."""
_HELD_LEAST = timedelta(milliseconds=20)
"""Whoever is held back does not ask again sooner."""
_PLACE_ASKED_LEAST = timedelta(seconds=1)
"""Nor does whoever waits for a place, whose call may end at any time."""
_TURN_MAX = timedelta(days=365)
"""No turn is given further ahead, however slow the rate."""
_WIDER = 1.02
"""How much wider turns are spaced than the rate demands."""
_LATE = timedelta(seconds=10)
"""Whoever waits for a place and has not asked for so long after their time waits no more."""


class FlowAsk(NamedTuple):
    """A claimed slot that may begin, or not."""

    claim_id: str
    tenant_id: str
    endpoint_id: str
    returning: bool
    """It was held back before."""
    call_max: timedelta
    """Its call has ended after so long, whatever happens."""
    wants: tuple[tuple[FlowKey, FlowLimits], ...]
    turn_us: int = 0
    """The turn that it was given when it was held back; 0 where it was given none."""


def admitted(
    records: Mapping[FlowKey, FlowRecord], asks: Iterable[FlowAsk], now: datetime
) -> tuple[dict[FlowKey, FlowRecord], dict[str, HeldBack | None]]:
    """What becomes of *asks* at *now*, by claim id (None: it may begin), and of the records of their keys."""
    after, verdicts = dict(records), dict[str, HeldBack | None]()
    now_us = microseconds_of(now)
    for ask in sorted(asks, key=lambda ask: (not ask.returning, ask.turn_us)):
        refusals = []
        for key, limits in ask.wants:
            record = after.get(key, BLANK)
            refusal = _refusal(record, limits, ask, now_us)
            if refusal is not None:
                refusals.append(refusal)
                after[key] = _waits(record, limits, ask, now_us)
        if not refusals:
            for key, limits in ask.wants:
                after[key] = _begins(after.get(key, BLANK), limits, ask, now_us)
        verdicts[ask.claim_id] = _held(refusals, now_us) if refusals else None
    return after, verdicts


class _Refusal(NamedTuple):
    until_us: int
    reason: str
    turn_us: int = 0


def _held(refusals: list[_Refusal], now_us: int) -> HeldBack:
    longest = max(refusals)
    until_us = min(max(longest.until_us, now_us + _HELD_LEAST // MICROSECOND), now_us + HELD_MAX // MICROSECOND)
    turn_us = max(refusal.turn_us for refusal in refusals)
    return HeldBack(
        until=instant_of(until_us), reason=longest.reason, turn_at=instant_of(turn_us) if turn_us > until_us else None
    )


def _refusal(record: FlowRecord, limits: FlowLimits, ask: FlowAsk, now_us: int) -> _Refusal | None:
    turn = _turn(record, limits, ask, now_us)
    if turn is not None:
        reason = f"no more than {limits.rate} calls begin in {limits.period.total_seconds():g} s"
        return _Refusal(turn.at_us, reason, turn.at_us)
    if limits.parallelism is None:
        return None
    taken = record.in_progress(now_us, ask.endpoint_id)
    if not ask.returning:
        taken += len(_still_waiting(record, ask, now_us))
    if taken < limits.parallelism:
        return None
    first_us = min((place.until_us for place in record.places if place.until_us > now_us), default=now_us)
    until_us = min(max(first_us, now_us + _PLACE_ASKED_LEAST // MICROSECOND), now_us + PLACE_ASKED_EVERY // MICROSECOND)
    return _Refusal(until_us, f"no more than {limits.parallelism} calls are in progress at once")


class _Turn(NamedTuple):
    at_us: int
    record: FlowRecord
    """The record once the turn is given."""


def _turn(record: FlowRecord, limits: FlowLimits, ask: FlowAsk, now_us: int) -> _Turn | None:
    """When the ask may begin by the rate; None: now."""
    if limits.rate is None:
        return None
    record = _paced(record, _spacing_us(limits, limits.rate), now_us)
    window_us, starts = limits.period // MICROSECOND, record.starts_us
    free_us = starts[-limits.rate] + window_us if len(starts) >= limits.rate else now_us
    if free_us <= now_us and (ask.returning or record.tail_us <= now_us):
        return None
    if not ask.returning:
        at_us = _after(record.tail_us, record, free_us, now_us)
        return _Turn(at_us, replace(record, tail_us=at_us))
    kept_us = min(ask.turn_us, max(record.tail_us, record.again_us))  # Later only where the rate was raised since.
    if kept_us > now_us:
        return _Turn(max(kept_us, free_us), record)
    at_us = _after(record.again_us, record, free_us, now_us)
    return _Turn(at_us, replace(record, again_us=at_us))


def _after(before_us: int, record: FlowRecord, free_us: int, now_us: int) -> int:
    """The turn after the one at *before_us*."""
    turn_us = max(free_us, before_us + record.spacing_us) if before_us > now_us else free_us
    return min(turn_us, now_us + _TURN_MAX // MICROSECOND)


def _paced(record: FlowRecord, spacing_us: int, now_us: int) -> FlowRecord:
    """*record* with its turns as far apart as they are now: as many wait, behind a rate that may have changed."""
    before_us = record.spacing_us or spacing_us

    def moved(turn_us: int) -> int:
        return now_us + (turn_us - now_us) * spacing_us // before_us if turn_us > now_us else turn_us

    return replace(record, tail_us=moved(record.tail_us), again_us=moved(record.again_us), spacing_us=spacing_us)


def _spacing_us(limits: FlowLimits, rate: int) -> int:
    """A little more than a fair share of the period: a worker that is some milliseconds late asks once, not twice."""
    return ceil(limits.period / MICROSECOND / rate * _WIDER)


def _begins(record: FlowRecord, limits: FlowLimits, ask: FlowAsk, now_us: int) -> FlowRecord:
    ends_us = now_us + ask.call_max // MICROSECOND
    starts, places = record.starts_us, record.places
    kept_us = max(record.kept_until_us, ends_us)
    if limits.rate is not None:
        # Others under the key may count over a longer stretch: what they need is dropped by number, not by age.
        starts = (*starts, now_us)[-max(limits.rate, len(starts)) :]
        kept_us = max(kept_us, now_us + limits.period // MICROSECOND)
    if limits.parallelism is not None:
        others = (each for each in places if each.until_us > now_us and each.endpoint_id != ask.endpoint_id)
        places = (*others, Place(ask.claim_id, ask.endpoint_id, ends_us))
    waiting = _still_waiting(record, ask, now_us)
    return replace(record, starts_us=starts, places=places, waiting=waiting, kept_until_us=kept_us)


def _waits(record: FlowRecord, limits: FlowLimits, ask: FlowAsk, now_us: int) -> FlowRecord:
    turn = _turn(record, limits, ask, now_us)
    kept_us = max(record.kept_until_us, now_us + HELD_MAX // MICROSECOND)
    if turn is not None:
        return replace(turn.record, kept_until_us=max(kept_us, turn.at_us))
    if limits.parallelism is None:
        return record
    until_us = now_us + PLACE_ASKED_EVERY // MICROSECOND
    mine = Waiting(ask.tenant_id, ask.endpoint_id, until_us)
    known = any(each.endpoint_id == ask.endpoint_id for each in record.waiting)
    if known:
        waiting = tuple(mine if each.endpoint_id == ask.endpoint_id else each for each in record.waiting)
    else:
        waiting = (*_still_waiting(record, ask, now_us), mine)[:WAITING_MAX]
    return replace(record, waiting=waiting, kept_until_us=kept_us)


def _still_waiting(record: FlowRecord, ask: FlowAsk, now_us: int) -> tuple[Waiting, ...]:
    """Who waits besides the ask's own endpoint."""
    long_ago_us = now_us - _LATE // MICROSECOND
    return tuple(each for each in record.waiting if each.until_us > long_ago_us and each.endpoint_id != ask.endpoint_id)


def next_in_line(record: FlowRecord, parallelism: int, now_us: int) -> tuple[Waiting, ...]:
    """Who may come, now that a call has ended: as many as there are places free."""
    free = parallelism - record.in_progress(now_us)
    return record.waiting[: max(free, 0)]
