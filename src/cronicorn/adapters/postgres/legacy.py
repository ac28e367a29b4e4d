"""The lock of fixed length, as an alternative to leases, in the same columns."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from cronicorn.adapters.postgres import holding_statements
from cronicorn.adapters.postgres.caps import Caps
from cronicorn.adapters.postgres.database import PostgresDatabase
from cronicorn.adapters.postgres.holding_statements import PROVEN
from cronicorn.adapters.postgres.job_store import PostgresJobStore
from cronicorn.adapters.postgres.lease_statements import LeaseStatements
from cronicorn.adapters.postgres.queries import altered
from cronicorn.adapters.postgres.renewing import proofs_of
from cronicorn.adapters.postgres.row_locks import SKIP_LOCKED
from cronicorn.domain.errors import LeaseLostError
from cronicorn.domain.fields import length_us
from cronicorn.domain.lease import Lease, Renewal
from cronicorn.domain.mechanism import LOCK_DEFAULT, Mechanism, Share

_LEASED, _LOCKED = f"mechanism = '{Mechanism.LEASE.value}'", f"mechanism = '{Mechanism.LEGACY.value}'"
ASK = f"""
WITH {PROVEN.strip()}
SELECT e.claim_id, e.cancelled, e.lease_until_us
  FROM held AS h JOIN cronicorn.schedule AS e ON e.shard = h.shard AND e.endpoint_id = h.endpoint_id
 WHERE ($1::bigint IS NULL) IS NOT NULL AND ($6::bigint IS NULL) IS NOT NULL
"""  # noqa: S608 (made of constants)
"""What a renewal would answer, extending nothing. Takes the same parameters; the last line gives two of them a type."""
SET_LOCK = altered(holding_statements.RENEW, SKIP_LOCKED, "FOR NO KEY UPDATE")


def locking(statements: LeaseStatements) -> LeaseStatements:
    """*statements*, making locks that nobody extends."""
    return replace(
        statements,
        claim=altered(statements.claim, _LEASED, _LOCKED),
        claim_in_turn=altered(statements.claim_in_turn, _LEASED, _LOCKED),
        claim_within_caps=altered(statements.claim_within_caps, _LEASED, _LOCKED),
        claim_named=altered(statements.claim_named, _LEASED, _LOCKED),
        renew=ASK,
    )


class PostgresLegacyJobStore(PostgresJobStore):
    """Locks endpoints for a fixed time, which nobody extends.

    Leases and locks lie in the same columns, so workers of both kinds may share a database. A call that lasts longer
    than the lock is stopped by its holder before the lock ends, nothing is recorded of it, and its slot is due again:
    choose a lock longer than the longest call. A worker that dies keeps its slots from others until the lock ends.
    """

    def __init__(
        self,
        database: PostgresDatabase,
        *,
        share: Share | None = None,
        caps: Caps | None = None,
        lock: timedelta = LOCK_DEFAULT,
    ) -> None:
        super().__init__(database, share=share, caps=caps, statements=locking(LeaseStatements()))
        self._lock = lock

    async def claim_due_endpoints(
        self, limit: int, lock: timedelta, *, worker_id: str = "", endpoint_id: str | None = None
    ) -> Sequence[Lease]:
        """Lock up to *limit* endpoints due now for *lock*, the longest due first."""
        leases = await super().claim_due(worker_id=worker_id, limit=limit, ttl=lock, endpoint_id=endpoint_id)
        return [lease._replace(mechanism=Mechanism.LEGACY) for lease in leases]

    async def set_lock(self, lease: Lease, lock: timedelta) -> None:
        """Let the lock of *lease* end *lock* from now.

        Raises LeaseLostError when it was taken over or cleared. A lock that was just claimed needs none of this.
        """
        database, proofs = self._database, proofs_of([lease], self._database.shards)
        locked = await database.alone(
            lambda connection: connection.fetch(SET_LOCK, database.judged_us, *proofs, length_us(lock))
        )
        if not locked:
            raise LeaseLostError(f"The lock on {lease.run_id} was cleared or taken over.")
        self._memory.extend(lease.claim_id, locked[0]["lease_until_us"])

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
