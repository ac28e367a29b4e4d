"""Stores in memory that are wrong in one way each. Most of these ways are those of well-known job queues."""

from dataclasses import replace
from datetime import timedelta

from cronicorn.adapters.memory.catalogs import MemoryEndpointCatalog
from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.adapters.memory.job_store import MemoryJobStore
from cronicorn.adapters.memory.runs import MemoryRunControl
from cronicorn.adapters.memory.stores import MemoryStores
from cronicorn.domain.errors import LeaseLostError
from cronicorn.domain.instant import shifted
from cronicorn.domain.lease import Lease
from cronicorn.domain.ports import Clock


class IdOnlyGuard(MemoryJobStore):
    """Settles by the endpoint's id, whoever holds it."""

    def _held_by(self, lease):
        return self._database.rows.get(lease.endpoint.id)


class StateOnlyGuard(MemoryJobStore):
    """Settles whatever is leased, by whomever."""

    def _held_by(self, lease):
        row = self._database.rows.get(lease.endpoint.id)
        return row if row is not None and row.claim is not None else None


class OwnerOnlyGuard(MemoryJobStore):
    """Settles what the same worker holds, though under an earlier claim."""

    def __init__(self, database):
        super().__init__(database)
        self._workers = {}

    async def claim_due(self, *, worker_id, limit, ttl, endpoint_id=None):
        leases = await super().claim_due(worker_id=worker_id, limit=limit, ttl=ttl)
        self._workers |= {lease.claim_id: worker_id for lease in leases}
        return leases

    def _held_by(self, lease):
        row = self._database.rows.get(lease.endpoint.id)
        if row is None or row.claim is None:
            return None
        return row if self._workers.get(row.claim.id) == self._workers.get(lease.claim_id) else None


class TakeoverWithoutFence(MemoryJobStore):
    """Gives an expired lease to another worker under the same fence."""

    def _claim(self, row, worker_id, now, ttl):
        row.fence -= row.claim is not None
        return super()._claim(row, worker_id, now, ttl)


class UnconditionalRenewal(MemoryJobStore):
    """Extends whatever lease the endpoint has, and calls none lost."""

    def renew(self, leases, *, ttl):
        for lease in leases:
            row = self._database.rows.get(lease.endpoint.id)
            if row is not None and row.claim is not None:
                row.claim.expires_at = shifted(self._database.clock.now(), ttl)
                row.claim.takeover_at = row.claim.expires_at
        return replace(super().renew([], ttl=ttl))


class RenewalThatShows(MemoryJobStore):
    """Calls a lost lease lost, but extends its successor all the same."""

    def renew(self, leases, *, ttl):
        renewal = super().renew(leases, ttl=ttl)
        for lease in leases:
            row = self._database.rows.get(lease.endpoint.id)
            if row is not None and row.claim is not None:
                row.claim.expires_at = shifted(self._database.clock.now(), ttl)
                row.claim.takeover_at = max(row.claim.takeover_at, row.claim.expires_at)
        return renewal


class ForgottenRenewal(MemoryJobStore):
    """Lets a lease expire when it would have without its renewals."""

    def renew(self, leases, *, ttl):
        with self._database.lock:
            ends = {row.endpoint.id: row.claim for row in self._database.rows.values() if row.claim is not None}
            before = {key: (claim.expires_at, claim.takeover_at) for key, claim in ends.items()}
            renewal = super().renew(leases, ttl=ttl)
            for key, claim in ends.items():
                claim.expires_at, claim.takeover_at = before[key]
            return renewal


class UnconditionalAbandon(MemoryJobStore):
    """Ends whatever lease the endpoint has."""

    async def abandon(self, leases):
        for lease in leases:
            row = self._database.rows.get(lease.endpoint.id)
            if row is not None:
                row.claim = None


class AbandonThatSkips(MemoryJobStore):
    """Gives an abandoned slot the next number."""

    async def abandon(self, leases):
        rows = [row for row in map(self._held_by, leases) if row is not None]
        await super().abandon(leases)
        for row in rows:
            state = row.endpoint.state
            row.endpoint = replace(row.endpoint, state=replace(state, slot=state.slot + 1))


class EarlyClaim(MemoryJobStore):
    """Claims ten seconds ahead."""

    def _claimable(self, now):
        return super()._claimable(now + timedelta(seconds=10))


class StolenLease(MemoryJobStore):
    """Claims what is due, leased or not."""

    def _claimable(self, now):
        rows = self._database.rows.values()
        return [row for row in rows if row.endpoint.state.due_at is not None and row.endpoint.state.due_at <= now]


class StuckLease(MemoryJobStore):
    """Never takes an expired lease over."""

    def _claimable(self, now):
        return [row for row in super()._claimable(now) if row.claim is None]


class PromptTakeover(MemoryJobStore):
    """Takes a slot over at once, however many workers it has cost."""

    def _claim(self, row, worker_id, now, ttl):
        lease = super()._claim(row, worker_id, now, ttl)
        row.claim.takeover_at = row.claim.expires_at
        return lease


class LongLease(MemoryJobStore):
    """Leases for a second longer than asked."""

    def _claim(self, row, worker_id, now, ttl):
        return super()._claim(row, worker_id, now, ttl + timedelta(seconds=1))


class BlindDecision(MemoryJobStore):
    """Decides on the endpoint as it was when it was claimed, and so loses what was written meanwhile."""

    async def settle(self, lease, run, decide):
        return await super().settle(lease, run, lambda _, stored: decide(lease.endpoint, stored))


class _LeaseOnAnything(Lease):
    def fits(self, state):
        return True


class SlotPutAside(MemoryJobStore):
    """Settles a slot that an edit put aside after its lease expired."""

    async def settle(self, lease, run, decide):
        anything = _LeaseOnAnything._make(lease)
        return await super().settle(anything, run, decide)


class RepeatedSettlement(MemoryJobStore):
    """Settles the same lease again when it is sent again."""

    def _settled_before(self, lease):
        super()._settled_before(lease)
        row = self._database.rows[lease.endpoint.id]
        row.endpoint = replace(row.endpoint, state=replace(row.endpoint.state, failure_count=7))
        return super()._settled_before(lease)


class NoAnswerTwice(MemoryJobStore):
    """Calls a settled lease lost when it is sent again."""

    def _settled_before(self, lease):
        raise LeaseLostError("lost")


class LostSkips(MemoryJobStore):
    """Forgets the instants that a settlement put an end to."""

    async def settle(self, lease, run, decide):
        return await super().settle(lease, run, lambda *stored: decide(*stored)._replace(skips=()))


class LostRun(MemoryJobStore):
    """Settles without recording the run."""

    async def settle(self, lease, run, decide):
        settlement = await super().settle(lease, run, decide)
        if run is not None:
            self._database.rows[lease.endpoint.id].runs.pop((run.slot, run.attempt), None)
        return settlement


class EditThatReleases(MemoryEndpointCatalog):
    """Ends the lease of an endpoint that is edited."""

    async def change(self, tenant_id, endpoint_id, edit, endpoints_max=None, by=None):
        changed = await super().change(tenant_id, endpoint_id, edit, endpoints_max, by)
        self._database.rows[endpoint_id].claim = None
        return changed


class EditThatForgetsSkips(MemoryEndpointCatalog):
    """Forgets the instants that an edit put an end to."""

    async def change(self, tenant_id, endpoint_id, edit, endpoints_max=None, by=None):
        return await super().change(
            tenant_id, endpoint_id, lambda *stored: replace(edit(*stored), skips=()), endpoints_max, by
        )


class TestInASlotOfTheSchedule(MemoryRunControl):
    """Gives a test call a number that the next slot gets as well."""

    __test__ = False

    async def record_test(self, run):
        slot = await super().record_test(run)
        row = self._database.rows[run.endpoint_id]
        row.endpoint = replace(row.endpoint, state=replace(row.endpoint.state, slots_issued=slot - 1))
        return slot


class CancelByAnySlot(MemoryRunControl):
    """Cancels whatever runs, though it is not the slot that was meant."""

    async def cancel(self, tenant_id, endpoint_id, slot, by=None):
        lease = await self.held(tenant_id, endpoint_id)
        return lease is not None and await super().cancel(tenant_id, endpoint_id, lease.slot, by)


MUTANTS = (
    IdOnlyGuard, StateOnlyGuard, OwnerOnlyGuard, TakeoverWithoutFence, UnconditionalRenewal, RenewalThatShows,
    ForgottenRenewal, UnconditionalAbandon, AbandonThatSkips, EarlyClaim, StolenLease, StuckLease, PromptTakeover,
    LongLease, BlindDecision, SlotPutAside, RepeatedSettlement, NoAnswerTwice, LostSkips, LostRun, EditThatReleases,
    EditThatForgetsSkips, TestInASlotOfTheSchedule, CancelByAnySlot,
)  # fmt: skip


def wrong_stores(mutant: type, clock: Clock) -> MemoryStores:
    """Stores in memory of which one is a *mutant*."""
    database = MemoryDatabase(clock)
    ports = ((MemoryJobStore, "job_store"), (MemoryEndpointCatalog, "endpoints"), (MemoryRunControl, "run_control"))
    port = next(name for kind, name in ports if issubclass(mutant, kind))
    return replace(MemoryStores.over(database), **{port: mutant(database)})
