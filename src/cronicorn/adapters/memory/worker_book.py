"""Which workers there are, in memory."""

from collections import defaultdict

from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.adapters.memory.row import Claim, Row
from cronicorn.domain.attendance.ports import WorkerBook
from cronicorn.domain.attendance.worker import FORGOTTEN_AFTER, Attendance, HeldCount, KnownWorker, WorkerReport
from cronicorn.domain.fleet import Fleet, HeldSlot, due_of
from cronicorn.domain.mechanism import Mechanism


class MemoryWorkerBook(WorkerBook):
    """Keeps one value for each worker."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def note(self, report: WorkerReport) -> None:
        with self._database.lock:
            now, workers = self._database.clock.now(), self._database.workers
            for gone in [each.worker_id for each in workers.values() if now - each.seen_at > FORGOTTEN_AFTER]:
                del workers[gone]
            known = workers.get(report.worker_id)
            since = known.since if known is not None else now
            workers[report.worker_id] = KnownWorker(
                worker_id=report.worker_id, version=report.version, since=since, seen_at=now
            )

    async def leave(self, worker_id: str) -> None:
        with self._database.lock:
            self._database.workers.pop(worker_id, None)

    async def attendance(self) -> Attendance:
        with self._database.lock:
            now = self._database.clock.now()
            found: defaultdict[str, list[bool]] = defaultdict(list)
            for row in self._database.rows.values():
                if row.claim is not None:
                    found[row.claim.worker_id].append(row.claim.expires_at <= now)
            held = {worker: HeldCount(held=len(each), expired=sum(each)) for worker, each in found.items()}
            workers = sorted(self._database.workers.values(), key=lambda each: (each.since, each.worker_id))
            return Attendance(now=now, workers=workers, held=held)

    async def leases_of(self, tenant_id: str, limit: int) -> Fleet:
        with self._database.lock:
            claimed = [(row, row.claim) for row in self._database.rows.values() if row.claim is not None]
            of_tenant = [each for each in claimed if each[0].endpoint.tenant_id == tenant_id]
            of_tenant.sort(key=lambda each: (each[1].claimed_at, each[0].number))
            slots = [self._slot(row, claim) for row, claim in of_tenant[:limit]]
            return Fleet(now=self._database.clock.now(), slots=slots)

    def _slot(self, row: Row, claim: Claim) -> HeldSlot:
        endpoint = row.endpoint
        tenant = self._database.tenants.get(endpoint.tenant_id)
        return HeldSlot(
            worker_id=claim.worker_id, mechanism=Mechanism.LEASE.value, tenant_id=endpoint.tenant_id,
            tenant=tenant.name if tenant is not None else endpoint.tenant_id, endpoint_id=endpoint.id,
            endpoint=f"{self._database.jobs[endpoint.job_id].name}/{endpoint.name}", slot=claim.slot,
            attempt=claim.attempt, manual=claim.manual, claimed_at=claim.claimed_at, expires_at=claim.expires_at,
            due_at=due_of(endpoint.state, manual=claim.manual),
        )  # fmt: skip
