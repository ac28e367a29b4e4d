"""Workers: which there are, and what they hold of a tenant."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from cronicorn.control.permissions import operation
from cronicorn.domain.attendance.ports import WorkerBook
from cronicorn.domain.attendance.worker import Attendance, HeldCount
from cronicorn.domain.fleet import HeldSlot
from cronicorn.domain.permission import Operation, Permission
from cronicorn.domain.principal import Principal

LEASES_MAX = 1_000
"""So many leases of a tenant are told, those that have been held longest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerView:
    """A worker, as somebody may see it."""

    name: str
    """Its id for whoever runs the installation: it names the machine. For others a name that stays the same."""
    alive: bool
    version: str | None
    """None of one that has not reported itself: it has left, or has just begun."""
    since: datetime | None
    seen_at: datetime | None
    leases: tuple[HeldSlot, ...]
    """Those of the tenant, the one held longest first."""
    in_all: HeldCount | None
    """Of all tenants; None for who does not run the installation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerList:
    """The workers at one instant by the store's clock."""

    now: datetime
    workers: tuple[WorkerView, ...]
    """In the order in which they came; those that never reported themselves at the end."""


class Workers:
    """What can be asked about workers."""

    def __init__(self, book: WorkerBook) -> None:
        self._book = book

    @operation(Operation.WORKER_LIST)
    async def list(self, principal: Principal) -> WorkerList:
        """Those that are there, and the leases that they hold on the tenant's endpoints.

        Whoever runs the installation is told besides how many each holds of all tenants, and of workers without a word
        that hold any.
        """
        runs_installation = Permission.TENANTS_WRITE in principal.permissions
        attendance = await self._book.attendance()
        fleet = await self._book.leases_of(principal.tenant_id, LEASES_MAX)
        held: dict[str, list[HeldSlot]] = {}
        for slot in fleet.slots:
            held.setdefault(slot.worker_id, []).append(slot)
        ids = [worker.worker_id for worker in attendance.workers]
        strangers = {*held, *(attendance.held if runs_installation else ())} - set(ids)
        views = [
            _view(attendance, worker_id, held.get(worker_id, ()), named=runs_installation)
            for worker_id in (*ids, *sorted(strangers))
        ]
        return WorkerList(now=attendance.now, workers=tuple(views))


def _view(attendance: Attendance, worker_id: str, leases: "list[HeldSlot] | tuple[()]", *, named: bool) -> WorkerView:
    known = next((worker for worker in attendance.workers if worker.worker_id == worker_id), None)
    return WorkerView(
        name=worker_id if named else _pseudonym(worker_id),
        alive=attendance.is_alive(worker_id),
        version=known.version if known is not None else None,
        since=known.since if known is not None else None,
        seen_at=known.seen_at if known is not None else None,
        leases=tuple(leases),
        in_all=attendance.held.get(worker_id, HeldCount(held=0, expired=0)) if named else None,
    )


def _pseudonym(worker_id: str) -> str:
    return f"worker-{blake2b(worker_id.encode(), digest_size=4).hexdigest()}"
