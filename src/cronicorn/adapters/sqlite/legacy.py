"""The lock of fixed length, as an alternative to leases, in the same columns."""

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

from cronicorn.adapters.sqlite import lease_statements
from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.job_store import LeaseStatements, SqliteJobStore
from cronicorn.domain.errors import LeaseLostError
from cronicorn.domain.lease import Lease, Renewal
from cronicorn.domain.mechanism import LOCK_DEFAULT, Mechanism, Share

_STATEMENTS = LeaseStatements(renew=lease_statements.ASK)


class SqliteLegacyJobStore(SqliteJobStore):
    """Locks endpoints for a fixed time, which nobody extends.

    Leases and locks lie in the same columns, so workers of both kinds may share a file. A call that lasts longer than
    the lock is stopped by its holder before the lock ends, nothing is recorded of it, and its slot is due again: choose
    a lock longer than the longest call. A worker that dies keeps its slots from others until the lock ends.
    """

    mechanism: ClassVar[Mechanism] = Mechanism.LEGACY

    def __init__(
        self,
        database: SqliteDatabase,
        statements: LeaseStatements | None = None,
        share: Share | None = None,
        *,
        lock: timedelta = LOCK_DEFAULT,
    ) -> None:
        super().__init__(database, statements if statements is not None else _STATEMENTS, share)
        self._lock = lock

    async def claim_due_endpoints(
        self, limit: int, lock: timedelta, *, worker_id: str = "", endpoint_id: str | None = None
    ) -> Sequence[Lease]:
        """Lock up to *limit* endpoints due now for *lock*, the longest due first."""
        return await super().claim_due(worker_id=worker_id, limit=limit, ttl=lock, endpoint_id=endpoint_id)

    async def set_lock(self, lease: Lease, lock: timedelta) -> None:
        """Let the lock of *lease* end *lock* from now.

        Raises LeaseLostError when it was taken over or cleared. A lock that was just claimed needs none of this.
        """
        renewal = await self._database.write(
            lambda transaction: self._renew(transaction, [lease], lock, lease_statements.RENEW)
        )
        if renewal.lost:
            raise LeaseLostError(f"The lock on {lease.run_id} was cleared or taken over.")

    async def clear_lock(self, lease: Lease) -> None:
        """Make the endpoint free again, its slot as it was. Another's lock is left alone."""
        await super().abandon([lease])

    async def claim_due(
        self, *, worker_id: str, limit: int, ttl: timedelta, endpoint_id: str | None = None
    ) -> Sequence[Lease]:
        lock = max(self._lock, ttl)
        return await self.claim_due_endpoints(limit, lock, worker_id=worker_id, endpoint_id=endpoint_id)

    def renew(self, leases: Sequence[Lease], *, ttl: timedelta) -> Renewal:
        """Say which locks are lost and whose run was cancelled; extends nothing."""
        return super().renew(leases, ttl=ttl).extending_none(leases)
