"""Due endpoints and leases in memory."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from heapq import nsmallest

from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.adapters.memory.row import Claim, Done, Row
from cronicorn.domain.errors import LeaseLostError
from cronicorn.domain.instant import shifted
from cronicorn.domain.lease import Lease, NextDue, Renewal
from cronicorn.domain.ports import Decide, JobStore
from cronicorn.domain.run import Run
from cronicorn.domain.settlement import Change, Settlement
from cronicorn.domain.takeover import takeover_delay


class MemoryJobStore(JobStore):
    """Leases endpoints to workers of this process."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def claim_due(
        self, *, worker_id: str, limit: int, ttl: timedelta, endpoint_id: str | None = None
    ) -> Sequence[Lease]:
        with self._database.lock:
            now = self._database.clock.now()
            rows = [row for row in self._claimable(now) if endpoint_id in {None, row.endpoint.id}]
            due = nsmallest(limit, rows, key=lambda row: (row.endpoint.state.due_at, row.number))
            return [self._claim(row, worker_id, now, ttl) for row in due]

    def renew(self, leases: Sequence[Lease], *, ttl: timedelta) -> Renewal:
        lost, cancelled = set(), set()
        with self._database.lock:
            now = self._database.clock.now()
            for lease in leases:
                row = self._held_by(lease)
                if row is None or row.claim is None:
                    lost.add(lease.claim_id)
                    continue
                row.claim.expires_at = shifted(now, ttl)
                row.claim.takeover_at = shifted(row.claim.expires_at, takeover_delay(row.lost_claims + 1))
                if row.claim.cancelled:
                    cancelled.add(lease.claim_id)
        return Renewal(lost=frozenset(lost), cancelled=frozenset(cancelled))

    async def settle(self, lease: Lease, run: Run | None, decide: Decide) -> Settlement:
        assert run is None or run.id == lease.run_id
        with self._database.lock:
            row = self._held_by(lease)
            if row is None or not lease.fits(row.endpoint.state):
                return self._settled_before(lease)
            settlement = decide(row.endpoint, self._database.stored(row, self._database.clock.now()))
            if run is not None:
                self._database.record_run(row, settlement.recorded(run))
                if settlement.month_at is not None:
                    self._database.run_counts[run.tenant_id, settlement.month_at] += 1
            self._database.record_skips(row, settlement.skips)
            self._database.plan(row, row.endpoint.standing(settlement.state))
            self._change_siblings(row, settlement.siblings)
            row.claim = None
            row.lost_claims = 0
            kept = Settlement(state=settlement.state, skips=settlement.skips)
            row.done = Done(claim_id=lease.claim_id, fence=lease.fence, settlement=kept)
            return settlement

    async def abandon(self, leases: Sequence[Lease]) -> None:
        with self._database.lock:
            for lease in leases:
                row = self._held_by(lease)
                if row is not None:
                    row.claim = None

    async def next_due(self) -> NextDue | None:
        with self._database.lock:
            return NextDue.when(self._database.agenda.first_at(), self._database.clock.now())

    def _claimable(self, now: datetime) -> list[Row]:
        instants = ((row, row.claimable_at()) for row in self._database.agenda.due(now))
        return [row for row, instant in instants if instant is not None and instant <= now]

    def _claim(self, row: Row, worker_id: str, now: datetime, ttl: timedelta) -> Lease:
        state = row.endpoint.state
        row.fence += 1
        row.lost_claims += row.claim is not None
        expires_at = shifted(now, ttl)
        row.claim = Claim(
            id=f"claim{next(self._database.numbers)}",
            slot=state.slot if state.manual is None else state.manual.slot,
            attempt=state.attempt if state.manual is None else 1,
            manual=state.manual is not None,
            worker_id=worker_id,
            claimed_at=now,
            expires_at=expires_at,
            takeover_at=shifted(expires_at, takeover_delay(row.lost_claims + 1)),
        )
        return lease_on(row, row.claim, watched=self._database.watched(row))

    def _held_by(self, lease: Lease) -> Row | None:
        """The row under *lease*; None when it ended or another claim came after it. Expiry alone does not end it."""
        row = self._database.rows.get(lease.endpoint.id)
        if row is None or row.claim is None or (row.claim.id, row.fence) != (lease.claim_id, lease.fence):
            return None
        return row

    def _settled_before(self, lease: Lease) -> Settlement:
        row = self._database.rows.get(lease.endpoint.id)
        done = row.done if row is not None else None
        if row is None or done is None or (done.claim_id, done.fence) != (lease.claim_id, lease.fence):
            raise LeaseLostError(f"Lease {lease.claim_id} on {lease.run_id} has ended or was taken over.")
        return done.settlement._replace(state=row.endpoint.state)

    def _change_siblings(self, row: Row, changes: Mapping[str, Change]) -> None:
        for endpoint_id, change in changes.items():
            sibling = self._database.rows.get(endpoint_id)
            if sibling is not None and sibling is not row and sibling.endpoint.job_id == row.endpoint.job_id:
                self._database.apply(sibling, change)


def lease_on(row: Row, claim: Claim, *, watched: bool = False) -> Lease:
    """The lease that *claim* means."""
    return Lease(
        endpoint=row.endpoint,
        claim_id=claim.id,
        fence=row.fence,
        slot=claim.slot,
        attempt=claim.attempt,
        manual=claim.manual,
        taken_over=row.lost_claims > 0,
        watched=watched,
        claimed_at=claim.claimed_at,
        expires_at=claim.expires_at,
    )
