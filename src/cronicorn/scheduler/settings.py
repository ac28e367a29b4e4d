"""What an owner of a scheduler process may choose."""

from dataclasses import dataclass
from datetime import timedelta

from cronicorn.domain.takeover import recovery_bound

ENDING_MAX = timedelta(seconds=8)
"""So much longer than the grace a scheduler may take to stop, and so long after `stop_now`, whatever its store does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerSettings:
    """Bounds of one scheduler process."""

    worker_id: str
    """One for each process boot, never a host name alone: a reborn worker must not be taken for its predecessor."""
    calls_max: int = 100
    """Calls in progress at once; no more is claimed than there is room for."""
    lease_ttl: timedelta = timedelta(seconds=30)
    renew_interval: timedelta = timedelta(seconds=10)
    lease_margin: timedelta = timedelta(seconds=3)
    """A worker stops this much before its lease ends, by its own monotonic clock."""
    poll_interval: timedelta = timedelta(seconds=1)
    """How long an idle scheduler waits before it looks again for what other processes wrote."""
    drain_grace: timedelta = timedelta(seconds=30)
    """How long calls in progress may go on after a stop was asked for. All has ended `ENDING_MAX` later."""
    seed: str = ""
    """Decides the jitter of retries; empty is as good as any."""

    def __post_init__(self) -> None:
        assert self.calls_max >= 1
        assert self.lease_margin + self.renew_interval < self.lease_ttl

    @property
    def recovery_bound(self) -> timedelta:
        """After a kill, how long until another process has claimed the slot."""
        return recovery_bound(self.lease_ttl, self.poll_interval)
