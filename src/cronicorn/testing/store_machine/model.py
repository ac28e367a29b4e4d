"""What a machine knows of the endpoints it drives: who holds them, what was settled, what they were told."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.hint import Hint, HintKind
from cronicorn.domain.instant import FIRST_INSTANT, shifted
from cronicorn.domain.lease import Lease
from cronicorn.domain.mechanism import Mechanism
from cronicorn.domain.run import Run
from cronicorn.domain.settlement import Settlement
from cronicorn.domain.takeover import takeover_delay
from cronicorn.testing.store_machine.fleet import promise


@dataclass(slots=True, kw_only=True, eq=False)
class Taken:
    """A lease, as each store gave it, and the call that its worker began at once."""

    known: "Known"
    worker: int
    leases: tuple[Lease, ...]
    nominal_at: datetime | None
    late: bool
    """The slot came too late to run."""
    run: Run | None = None

    @property
    def lease(self) -> Lease:
        return self.leases[0]

    @property
    def unlocked(self) -> bool:
        """Nothing in the database says that the slot is taken."""
        return self.lease.mechanism is Mechanism.OPTIMISTIC


@dataclass(slots=True, kw_only=True, eq=False)
class Known:
    """One endpoint: the model's own account of its leases, beside the state that the stores last showed."""

    number: int
    endpoint: JobEndpoint
    created_at: datetime
    deleted: bool = False
    fence: int = 0
    claim: Taken | None = None
    unlocked: dict[int, Taken] = field(default_factory=dict)
    """What each worker runs without a lock."""
    expires_at: datetime = FIRST_INSTANT
    takeover_at: datetime = FIRST_INSTANT
    cancelled: bool = False
    lost_claims: int = 0
    done: Taken | None = None
    answer: Settlement | None = None
    claim_ids: set[str] = field(default_factory=set)
    runs: dict[tuple[int, int], Run] = field(default_factory=dict)
    hints: dict[str, Hint] = field(default_factory=dict)

    def leased(self, now: datetime) -> bool:
        return self.claim is not None and self.expires_at > now

    def claimable_at(self, worker: int, now: datetime) -> datetime | None:
        """When a claim by *worker* must find the endpoint."""
        due_at = self.endpoint.state.due_at
        if due_at is None:
            return None
        if self.claim is not None:
            due_at = max(due_at, self.takeover_at)
        own = self.unlocked.get(worker)
        return max(due_at, own.lease.expires_at) if own is not None and own.lease.expires_at > now else due_at

    def claimed(self, taken: Taken, now: datetime, ttl: timedelta) -> None:
        """Take note of a claim. Every one has an id of its own and a higher fence, and what it claims never ran."""
        lease = taken.lease
        promise(lease.claim_id not in self.claim_ids, "I3: no claim has the id of another", lease.claim_id)
        promise((lease.slot, lease.attempt) not in self.runs, "I1: nothing that has run is claimed", lease.run_id)
        promise(lease.fits(self.endpoint.state), "a lease is for the slot that is due", lease.run_id)
        self.claim_ids.add(lease.claim_id)
        if taken.unlocked:
            promise(lease.fence == self.fence, "an unlocked slot has the version that was seen", lease.fence)
            self.unlocked[taken.worker] = taken
            return
        promise(lease.fence > self.fence, "I3: fences grow", lease.fence, self.fence)
        promise(lease.expires_at <= shifted(now, ttl), "no lease is longer than asked", lease.expires_at)
        self.lost_claims += self.claim is not None
        self.fence, self.claim, self.cancelled = lease.fence, taken, False
        self._lasts(now, ttl)

    def extended(self, taken: Taken, now: datetime, ttl: timedelta) -> None:
        """Take note that a lease was renewed."""
        if taken.lease.mechanism.renewable:
            self._lasts(now, ttl)

    def holds(self, taken: Taken) -> bool:
        """Whether *taken* is the last claim and has not ended."""
        if taken.unlocked:
            return self.unlocked.get(taken.worker) is taken
        return not self.deleted and self.claim is taken

    def may_settle(self, taken: Taken, now: datetime) -> bool:
        """Whether *taken* is held, its slot still stands, and nobody else has come between."""
        if taken.unlocked and (taken.lease.fence != self.fence or self.leased(now)):
            return False
        return not self.deleted and self.holds(taken) and taken.lease.fits(self.endpoint.state)

    def settled(self, taken: Taken, answer: Settlement) -> None:
        """Take note of an accepted settlement."""
        lease, run = taken.lease, taken.run
        promise(lease.fence == self.fence, "I2: only the highest fence settles", lease.fence, self.fence)
        if run is not None:
            promise((run.slot, run.attempt) not in self.runs, "I1: a slot has one outcome", run.id)
            self.runs[run.slot, run.attempt] = run
        self.ended(taken)
        self.fence += taken.unlocked
        self.claim, self.lost_claims = None, 0
        self.done, self.answer = taken, answer

    def ended(self, taken: Taken) -> None:
        """Take note that *taken* was settled, lost or abandoned."""
        if taken.unlocked and self.holds(taken):
            del self.unlocked[taken.worker]
        elif self.claim is taken:
            self.claim = None

    def ends_at(self, taken: Taken) -> datetime:
        """When *taken*, or the lease that followed it, ends by itself."""
        return taken.lease.expires_at if taken.unlocked else self.expires_at

    def _lasts(self, now: datetime, ttl: timedelta) -> None:
        self.expires_at = shifted(now, ttl)
        self.takeover_at = shifted(self.expires_at, takeover_delay(self.lost_claims + 1))

    def check(self, now: datetime, *, leased: bool) -> None:
        """Hold what the stores show against what must be."""
        promise(leased == self.leased(now), "I5: an endpoint is leased as long as its lease says", leased)
        for hint in self.hints.values():
            if hint.fresh(now):
                promise(hint in self.endpoint.state.hints, "I10: no hint is lost", hint)

    def hinted(self, hint: Hint) -> None:
        """Take note of a hint. A one-shot may be used up by any run, so it is not followed."""
        if hint.kind is not HintKind.ONE_SHOT:
            self.hints[hint.id] = hint

    def unhinted(self, *, pauses: bool) -> None:
        """Take note that the pauses, or all others, were taken away."""
        self.hints = {key: hint for key, hint in self.hints.items() if (hint.kind is HintKind.PAUSE) is not pauses}
