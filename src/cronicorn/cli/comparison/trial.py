"""What every mechanism has to go through: a load and a schedule of faults, both decided by a seed."""

import random
from dataclasses import dataclass
from enum import StrEnum

from cronicorn.domain.mechanism import Mechanism

FAULT_EVERY_S = 5.0
FREEZE_TTLS_MAX = 2.0
"""A frozen worker sleeps for half of its lease up to so many leases."""


class FaultKind(StrEnum):
    KILL = "kill"
    """SIGKILL, and another worker at once in its place."""
    FREEZE = "freeze"
    """SIGSTOP, and SIGCONT some time later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that happens to one worker."""

    at_s: float
    """Seconds since the load began."""
    kind: FaultKind
    worker: int
    length_s: float = 0.0
    """How long a freeze lasts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The load: so many endpoints, each called every second by so many workers for so many seconds."""

    mechanisms: tuple[Mechanism, ...]
    workers: int = 4
    endpoints: int = 40
    seconds: float = 30.0
    lease_ttl_s: float = 3.0
    renew_interval_s: float = 1.0
    poll_interval_s: float = 0.25
    legacy_lock_s: float = 10.0
    seed: int = 1

    def faults(self) -> tuple[Fault, ...]:
        """The faults, in order: the same for every mechanism. None in the last two leases, so that all can recover."""
        chance = random.Random(self.seed)  # noqa: S311 - a schedule, not a secret
        found = []
        at = FAULT_EVERY_S / 2
        while at < self.seconds - 2 * self.lease_ttl_s:
            kind = chance.choice(list(FaultKind))
            length = chance.uniform(0.5, FREEZE_TTLS_MAX) * self.lease_ttl_s if kind is FaultKind.FREEZE else 0.0
            found.append(Fault(at_s=at, kind=kind, worker=chance.randrange(self.workers), length_s=length))
            at += FAULT_EVERY_S * chance.uniform(0.8, 1.2)
        return tuple(found)
