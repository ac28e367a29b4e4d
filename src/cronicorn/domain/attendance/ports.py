"""The port of attendance. What holds of the others in `cronicorn.domain.ports` holds of it."""

from typing import Protocol

from cronicorn.domain.attendance.worker import Attendance, WorkerReport
from cronicorn.domain.fleet import Fleet


class WorkerBook(Protocol):
    """Which workers there are, and what they hold."""

    async def note(self, report: WorkerReport) -> None:
        """The worker is there now. Forgets those that were not heard of within FORGOTTEN_AFTER."""
        ...

    async def leave(self, worker_id: str) -> None:
        """The worker is there no more; what it holds is another matter."""
        ...

    async def attendance(self) -> Attendance:
        """All workers, and how many leases of all tenants each holds. Reads no endpoint."""
        ...

    async def leases_of(self, tenant_id: str, limit: int) -> Fleet:
        """The *limit* leases on the tenant's endpoints that have been held longest, expired ones included."""
        ...
