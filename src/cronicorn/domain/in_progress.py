"""What a process runs without a lock, so that it does not take the same slot twice."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.instant import shifted, stable_fraction
from cronicorn.domain.lease import Lease, Renewal
from cronicorn.domain.mechanism import Mechanism
from cronicorn.domain.run import Run

SPREAD_DEFAULT = 4
"""A worker picks from so many times the slots that it has room for, so that not all pick the same."""
SLACK = timedelta(seconds=30)
"""So much longer than its call a lease on an unlocked slot lasts, for the margin of its holder and the settlement."""
_FORGOTTEN = timedelta(days=1)


class InProgress:
    """The leases that one process has on unlocked slots, by endpoint."""

    def __init__(self, spread: int = SPREAD_DEFAULT) -> None:
        assert spread >= 1
        self._spread = spread
        self._leases: dict[str, Lease] = {}

    def wanted(self, limit: int) -> int:
        """How many due slots to look at for a claim of *limit*."""
        return limit * self._spread + len(self._leases)

    def begin(self, due: Iterable[Lease], limit: int, worker_id: str) -> list[Lease]:
        """Take up to *limit* of *due*, the longest due of which come first, and none that is running here.

        Each worker picks in an order of its own, and in another one each time, so that no slot is passed over for long.
        What it took is answered in the order of *due*.
        """
        free = [lease for lease in due if not self._busy(lease.endpoint.id, lease.claimed_at)]
        if self._spread > 1:
            free = free[: limit * self._spread]
            own = sorted(free, key=lambda lease: stable_fraction(worker_id, lease.run_id, lease.claimed_at.isoformat()))
            chosen = {lease.claim_id for lease in own[:limit]}
            free = [lease for lease in free if lease.claim_id in chosen]
        taken = free[:limit]
        if taken:
            self._forget(taken[0].claimed_at)
        self._leases.update((lease.endpoint.id, lease) for lease in taken)
        return taken

    def holds(self, lease: Lease) -> bool:
        """Whether *lease* has not ended and none on its endpoint came after it."""
        held = self._leases.get(lease.endpoint.id)
        return held is not None and held.claim_id == lease.claim_id

    def renewal(self, leases: Sequence[Lease]) -> Renewal:
        """Which of *leases* have ended here; there is nothing to extend."""
        ended = frozenset(lease.claim_id for lease in leases if not self.holds(lease))
        return Renewal(lost=ended).extending_none(leases)

    def end(self, lease: Lease) -> None:
        """*lease* was settled, lost or abandoned."""
        if self.holds(lease):
            del self._leases[lease.endpoint.id]

    def next_due_at(self, due: Sequence[tuple[str, datetime]], now: datetime) -> datetime | None:
        """The earliest of the instants in *due*, by endpoint id; what is running here waits until its lease ends."""
        instants = (
            max(instant, self._leases[endpoint_id].expires_at) if self._busy(endpoint_id, now) else instant
            for endpoint_id, instant in due
        )
        return min(instants, default=None)

    def _busy(self, endpoint_id: str, now: datetime) -> bool:
        held = self._leases.get(endpoint_id)
        return held is not None and held.expires_at > now

    def _forget(self, now: datetime) -> None:
        """Drop what expired long ago: runs that ended without a word."""
        self._leases = {
            endpoint_id: lease
            for endpoint_id, lease in self._leases.items()
            if shifted(lease.expires_at, _FORGOTTEN) > now
        }


def unlocked_until(endpoint: JobEndpoint, now: datetime, ttl: timedelta) -> datetime:
    """When a lease on an unlocked slot ends: nobody renews it, so it covers the longest call."""
    return shifted(now, max(ttl, endpoint.request.execution_max + SLACK))


def unlocked_lease(endpoint: JobEndpoint, run: Run, claim_id: str, now: datetime) -> Lease:
    """The lease that *run* was made under by a worker that has kept none."""
    manual = endpoint.state.manual is not None and endpoint.state.manual.slot == run.slot
    return Lease(
        endpoint=endpoint,
        claim_id=claim_id,
        fence=run.fence,
        slot=run.slot,
        attempt=run.attempt,
        manual=manual,
        claimed_at=now,
        expires_at=now,
        mechanism=Mechanism.OPTIMISTIC,
    )
