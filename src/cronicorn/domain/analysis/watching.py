"""When an endpoint that is watched is worth an analysis. Pure.

Only what is new, rules that stopped understanding the answers, a change that the last analysis asked to be told of, and
somebody who asks are a reason. A cooldown, a number a day and a wait after failures hold for all but the last, which
only waits for a model that is down.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from cronicorn.domain.analysis.fingerprint import fingerprint_of
from cronicorn.domain.analysis.follow_up import FollowUp, follow_up_of
from cronicorn.domain.analysis.novelty import NOTHING_KNOWN, Known, known_of, learnt
from cronicorn.domain.backoff import back_off
from cronicorn.domain.endpoint import AnalysisSwitch
from cronicorn.domain.fields import Fields, Value, lean, us
from cronicorn.domain.instant import shifted
from cronicorn.domain.run import Run
from cronicorn.domain.signals.conditional import says_something
from cronicorn.domain.steering_record import SteeringRecord

ANALYSES_A_DAY_MAX = 24
"""Of one endpoint, from midnight to midnight UTC, those that somebody asked for not counted."""
LOOK_EVERY = timedelta(minutes=1)
"""So often the recorded answers of a watched endpoint are read."""
MODEL_PAUSE = timedelta(hours=1)
"""So long a planner asks nothing after a refusal that only a person can mend."""
NOT_ASKED_BEFORE = "Not asked before"
"""Begins what is told of an analysis that falls into that time."""
RETRY_LEAST = timedelta(minutes=1)
RETRY_MOST = timedelta(hours=6)
_DOUBLINGS_MAX = 9
_DETAIL_MAX = 100


class Occasion(StrEnum):
    """Why an endpoint is analysed."""

    NOVELTY = "novelty"
    """An answer was unlike all before."""
    DRIFT = "drift"
    """Answers stopped saying what rules read."""
    FOLLOW_UP = "follow_up"
    """The last analysis asked to look again from an instant on, and by then answers are unlike what it saw."""
    REQUEST = "request"
    """Somebody asked for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """A reason for an analysis."""

    occasion: Occasion
    detail: str
    """What was new or changed, which rules drifted, or who asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchMemory:
    """What is remembered of an endpoint between two looks."""

    known: Known = field(default=NOTHING_KNOWN)
    pending: Why | None = None
    """A reason that waits for its time."""
    follow_up: FollowUp | None = None
    """What the last analysis asked for."""
    analysed_at: datetime | None = None
    day: int = 0
    """The day of `analyses`, in days since 1970."""
    analyses: int = 0
    """How many there were on that day."""
    failures: int = 0
    """How often in a row the model could not answer."""
    denials: int = 0
    """How often in a row the budget did not cover an analysis."""
    not_before: datetime | None = None
    """Earlier the model is not asked: it failed, or the budget is spent."""

    def document(self) -> dict[str, Value]:
        """The stored form."""
        return lean({
            "known": self.known.document(),
            "pending": [self.pending.occasion.value, self.pending.detail] if self.pending is not None else None,
            "follow_up": self.follow_up.document() if self.follow_up is not None else None,
            "analysed_at_us": us(self.analysed_at),
            "day": self.day,
            "analyses": self.analyses,
            "failures": self.failures,
            "denials": self.denials,
            "not_before_us": us(self.not_before),
        })  # fmt: skip


NOTHING_WATCHED = WatchMemory()


def watch_memory_of(document: Mapping[str, Value]) -> WatchMemory:
    """What `WatchMemory.document` stored. Raises ValueError for anything else."""
    fields = Fields(document)
    follow_up = fields.part_or_none("follow_up")
    return WatchMemory(
        known=known_of(fields.part("known")),
        pending=_why_of(fields.items("pending")),
        follow_up=follow_up_of(follow_up) if follow_up is not None else None,
        analysed_at=fields.instant_or_none("analysed_at_us"),
        day=fields.number("day", 0),
        analyses=fields.number("analyses", 0),
        failures=fields.number("failures", 0),
        denials=fields.number("denials", 0),
        not_before=fields.instant_or_none("not_before_us"),
    )


def read(memory: WatchMemory, runs: Iterable[Run]) -> WatchMemory:
    """What is remembered after *runs*, oldest first. The first reason that nobody has acted on yet is kept."""
    for run in runs:
        if not says_something(run.outcome):
            continue
        answer = fingerprint_of(run.outcome)
        known, new = learnt(memory.known, answer)
        follow_up = memory.follow_up.after(answer, known) if memory.follow_up is not None else None
        memory = replace(memory, known=known, pending=memory.pending or _reason(run, new), follow_up=follow_up)
    return memory


def due(memory: WatchMemory, switch: AnalysisSwitch, requested_by: str | None, now: datetime) -> Why | None:
    """Why to ask the model *now*; None while there is no reason, or it has to wait."""
    waits = memory.not_before is not None and now < memory.not_before
    if waits and (requested_by is None or memory.failures):
        return None  # A budget that was spent says no again by itself, at no cost, to somebody who asks.
    if requested_by is not None:
        return Why(occasion=Occasion.REQUEST, detail=requested_by[:_DETAIL_MAX])
    why = memory.pending or _followed_up(memory, now)
    if why is None:
        return None
    rested = memory.analysed_at is None or now >= shifted(memory.analysed_at, switch.cooldown)
    return why if rested and _analyses_on(memory, now) < ANALYSES_A_DAY_MAX else None


def analysed(memory: WatchMemory, why: Why, now: datetime, follow_up: FollowUp | None = None) -> WatchMemory:
    """What is remembered after the model was asked, answered, and asked for *follow_up*."""
    counted = why.occasion is not Occasion.REQUEST
    return replace(
        memory,
        pending=None,
        follow_up=follow_up,
        analysed_at=now,
        day=_day(now),
        analyses=_analyses_on(memory, now) + counted,
        failures=0,
        denials=0,
        not_before=None,
    )


def failed(memory: WatchMemory, retry_after: timedelta | None, now: datetime) -> WatchMemory:
    """What is remembered after the model could not answer: failures double the wait, the model's word lengthens it."""
    doubled = RETRY_LEAST * 2 ** min(memory.failures, _DOUBLINGS_MAX)
    wait = max(min(doubled, RETRY_MOST), retry_after or RETRY_LEAST)
    return replace(memory, failures=memory.failures + 1, denials=0, not_before=shifted(now, wait))


def postponed(memory: WatchMemory, retry_after: timedelta, now: datetime, chance: float) -> WatchMemory:
    """What is remembered after the budget did not cover an analysis: the reason stays. *chance* is for `back_off`."""
    denials = memory.denials + 1
    wait = back_off(max(retry_after, RETRY_LEAST), denials, chance)
    return replace(memory, denials=denials, not_before=shifted(now, wait))


def _reason(run: Run, new: str | None) -> Why | None:
    drifted = SteeringRecord.decode(run.steering).drifted if run.steering is not None else ()
    if drifted:
        return Why(occasion=Occasion.DRIFT, detail=", ".join(drifted)[:_DETAIL_MAX])
    return Why(occasion=Occasion.NOVELTY, detail=new[:_DETAIL_MAX]) if new is not None else None


def _followed_up(memory: WatchMemory, now: datetime) -> Why | None:
    follow_up = memory.follow_up
    if follow_up is None or follow_up.changed is None or now < follow_up.at:
        return None
    return Why(occasion=Occasion.FOLLOW_UP, detail=follow_up.changed[:_DETAIL_MAX])


def _why_of(items: list[Value]) -> Why | None:
    match items:
        case []:
            return None
        case [str(occasion), str(detail)]:
            return Why(occasion=Occasion(occasion), detail=detail)
        case _:
            raise ValueError(f"not a reason: {items!r}")


def _analyses_on(memory: WatchMemory, now: datetime) -> int:
    return memory.analyses if memory.day == _day(now) else 0


def _day(now: datetime) -> int:
    return us(now) // 86_400_000_000
