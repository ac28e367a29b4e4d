"""No lock at all, as an alternative to leases: the first to write its result wins."""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

from cronicorn.adapters.sqlite import lease_statements
from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.job_store import LeaseStatements, SqliteJobStore, readable
from cronicorn.adapters.sqlite.writer import Transaction
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import LeaseLostError, NotFoundError
from cronicorn.domain.in_progress import SPREAD_DEFAULT, InProgress, unlocked_lease, unlocked_until
from cronicorn.domain.instant import instant_of
from cronicorn.domain.lease import Lease, NextDue, Renewal
from cronicorn.domain.mechanism import Mechanism, Share
from cronicorn.domain.ports import Decide
from cronicorn.domain.rows import endpoint_from
from cronicorn.domain.run import Run
from cronicorn.domain.settlement import Settlement

_STATEMENTS = LeaseStatements(
    claim=lease_statements.LOOK, find=lease_statements.FIND_UNLOCKED, settle=lease_statements.SETTLE_UNLOCKED
)


class SqliteOptimisticJobStore(SqliteJobStore):
    """Hands out due slots without writing anything; a settlement counts if the version is still the one that was seen.

    The version is the fence, which every settlement here raises. Workers may call an endpoint at the same time; all but
    the first to settle get LeaseLostError. What is under another mechanism's live lease is left alone.
    """

    mechanism: ClassVar[Mechanism] = Mechanism.OPTIMISTIC

    def __init__(
        self,
        database: SqliteDatabase,
        statements: LeaseStatements | None = None,
        share: Share | None = None,
        *,
        spread: int = SPREAD_DEFAULT,
    ) -> None:
        super().__init__(database, statements if statements is not None else _STATEMENTS, share)
        self._in_progress = InProgress(spread)

    async def get_endpoint(self, endpoint_id: str) -> tuple[JobEndpoint, int]:
        """The endpoint and its version. Raises NotFoundError."""
        return await self._database.read(lambda transaction: _version(transaction, endpoint_id))

    async def update_after_run(
        self, endpoint_id: str, run: Run, decide: Decide, *, expected_version: int
    ) -> Settlement:
        """Record *run* of the slot that is current, and apply what *decide* answers, all or nothing.

        Raises LeaseLostError when the version is no longer *expected_version*, the slot of *run* is not the current one
        or another worker holds a live lease; NotFoundError without the endpoint. Nothing is written then.
        """
        assert (run.endpoint_id, run.fence) == (endpoint_id, expected_version)

        def work(transaction: Transaction) -> Settlement:
            endpoint, _ = _version(transaction, endpoint_id)
            lease = unlocked_lease(endpoint, run, secrets.token_hex(16), transaction.now)
            return self._look_closer(transaction, lease, run, decide)

        return await self._database.write(work)

    async def claim_due(
        self, *, worker_id: str, limit: int, ttl: timedelta, endpoint_id: str | None = None
    ) -> Sequence[Lease]:
        def query(transaction: Transaction) -> list[Lease]:
            due = self._due(transaction, worker_id, self._in_progress.wanted(limit), ttl, endpoint_id)
            leases = (readable(each, self.mechanism) for each in due)
            return [lease for lease in leases if lease is not None]

        due = [
            lease._replace(expires_at=unlocked_until(lease.endpoint, lease.claimed_at, ttl))
            for lease in await self._database.read(query)
        ]
        return self._in_progress.begin(due, limit, worker_id)

    def renew(self, leases: Sequence[Lease], *, ttl: timedelta) -> Renewal:
        """Say which leases have ended here; there is nothing to extend."""
        return self._in_progress.renewal(leases)

    async def settle(self, lease: Lease, run: Run | None, decide: Decide) -> Settlement:
        if not self._in_progress.holds(lease):
            return await self._database.read(lambda transaction: self._settled_before(transaction, lease))
        try:
            settlement = await super().settle(lease, run, decide)
        except LeaseLostError:
            self._in_progress.end(lease)
            raise
        self._in_progress.end(lease)
        return settlement

    async def abandon(self, leases: Sequence[Lease]) -> None:
        for lease in leases:
            self._in_progress.end(lease)

    async def next_due(self) -> NextDue | None:
        def query(transaction: Transaction) -> NextDue | None:
            parameters = {**self._share, "limit": self._in_progress.wanted(1)}
            rows = transaction.connection.execute(lease_statements.NEXT_FEW, parameters)
            due = [(endpoint_id, instant_of(due_us)) for endpoint_id, due_us in rows]
            return NextDue.when(self._in_progress.next_due_at(due, transaction.now), transaction.now)

        return await self._database.read(query)


def _version(transaction: Transaction, endpoint_id: str) -> tuple[JobEndpoint, int]:
    row = transaction.connection.execute(lease_statements.VERSION, {"endpoint_id": endpoint_id}).fetchone()
    if row is None:
        raise NotFoundError(f"There is no endpoint {endpoint_id}.")
    document, state, version = row
    return endpoint_from(document, state), version
