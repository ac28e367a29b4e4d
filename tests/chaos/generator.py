"""What goes wrong when: drawn from a seed, knowing nothing of what is checked."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from cronicorn.domain.mechanism import Mechanism
from tests.chaos.plan import Plan

CLOCK_WORKER = 0
"""The one worker whose wall clock is wrong."""


class Kind(StrEnum):
    """What may go wrong."""

    KILL = "kill"
    FREEZE = "freeze"
    """SIGSTOP, and SIGCONT when others may have taken over."""
    DRAIN = "drain"
    """SIGTERM: an orderly stop, with less grace than some calls need."""
    ABORT = "abort"
    """The worker's connections are reset."""
    BLACK_HOLE = "black_hole"
    """The worker's connections fall silent; what was sent arrives when they heal."""
    LOSS = "loss"
    """The same, but what was sent never arrives."""
    LATENCY = "latency"
    CLOCK = "clock"
    """The wall clock of one worker steps, or runs at another speed."""
    TERMINATE = "terminate"
    """The database ends sessions."""
    RESTART = "restart"
    """The database crashes and comes back."""
    HANG = "hang"
    """The database freezes with all its sessions, and goes on with what they were doing."""
    SERVICE = "service"
    """The lock service crashes and comes back."""
    SNAPSHOT = "snapshot"
    """Somebody holds an old snapshot."""


OF_A_WORKER = {Kind.KILL: 4, Kind.FREEZE: 6, Kind.DRAIN: 2}
OF_ITS_NETWORK = {Kind.ABORT: 3, Kind.BLACK_HOLE: 5, Kind.LOSS: 2, Kind.LATENCY: 1, Kind.CLOCK: 3}
OF_THE_DATABASE = {Kind.TERMINATE: 2, Kind.RESTART: 1, Kind.HANG: 1, Kind.SNAPSHOT: 1}
OF_THE_SERVICE = {Kind.SERVICE: 1}
"""How often each kind comes, against the others."""

_GAP_S = (0.2, 1.2)
_RESTART_EVERY_S = 7.0
_RECOVERS_IN_S = 0.5
_LENGTH_S = {
    Kind.KILL: (0.1, 1.5),
    Kind.DRAIN: (0.1, 0.5),
    Kind.LATENCY: (0.5, 2.0),
    Kind.CLOCK: (0.0, 0.0),
    Kind.ABORT: (0.0, 0.0),
    Kind.TERMINATE: (0.0, 0.0),
    Kind.RESTART: (0.1, 2.0),
    Kind.HANG: (0.5, 4.0),
    Kind.SERVICE: (0.1, 2.0),
    Kind.SNAPSHOT: (3.0, 10.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong."""

    at: float
    """Seconds from the beginning."""
    kind: Kind
    worker: int | None
    length: float
    """Seconds until it is over, or until what was stopped is started again."""
    skew: str = ""


def faults(plan: Plan) -> list[Fault]:
    """The faults of *plan*, in order; the same plan always draws the same."""
    return list(_draw(plan, random.Random(plan.seed)))


def kinds(plan: Plan) -> dict[Kind, int]:
    """What may go wrong in *plan*, and how often against the rest."""
    weights = dict(OF_A_WORKER)
    if plan.networked:
        weights |= OF_ITS_NETWORK | OF_THE_DATABASE
    if plan.mechanism in {Mechanism.REDIS, Mechanism.ETCD}:
        weights |= OF_THE_SERVICE
    return weights


def _draw(plan: Plan, chance: random.Random) -> Iterator[Fault]:
    weights = kinds(plan)
    worker_free_at = dict.fromkeys(plan.targets, 0.0)
    next_at = {Kind.RESTART: _RESTART_EVERY_S / 3, Kind.SERVICE: _RESTART_EVERY_S / 2}
    now = 1.0
    while now < plan.seconds:
        kind = chance.choices(list(weights), list(weights.values()))[0]
        low, high = _LENGTH_S.get(kind, (0.5 * plan.ttl_s, 3 * plan.ttl_s))
        length = chance.uniform(low, high)
        if kind in OF_THE_DATABASE | OF_THE_SERVICE:
            if next_at.get(kind, 0.0) <= now:
                next_at[kind] = now + length + (0 if kind is Kind.SNAPSHOT else _RESTART_EVERY_S)
                yield Fault(at=now, kind=kind, worker=None, length=length)
        elif kind is Kind.CLOCK:
            yield Fault(at=now, kind=kind, worker=CLOCK_WORKER, length=length, skew=_skew(chance))
        elif free := [worker for worker, until in worker_free_at.items() if until <= now]:
            worker = chance.choice(free)
            worker_free_at[worker] = now + length + _RECOVERS_IN_S
            yield Fault(at=now, kind=kind, worker=worker, length=length)
        now += chance.uniform(*_GAP_S)


def _skew(chance: random.Random) -> str:
    return chance.choice(["+0", "+30", "-30", "+3600", "-3600", "+0 x2", "+5 x0.5", f"{chance.uniform(-3, 3):+.3f}"])
