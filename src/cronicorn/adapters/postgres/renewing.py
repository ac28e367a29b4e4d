"""Renewing: all leases of a process in one statement, on the heartbeat's own connection."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import asyncpg

from cronicorn.adapters.postgres import holding_statements
from cronicorn.adapters.postgres.database import PostgresDatabase
from cronicorn.adapters.postgres.lease_memory import LeaseMemory
from cronicorn.adapters.postgres.lease_statements import LeaseStatements
from cronicorn.adapters.postgres.own_thread import OwnThread
from cronicorn.adapters.postgres.place import shard_of
from cronicorn.adapters.postgres.queries import Connection
from cronicorn.domain.fields import length_us
from cronicorn.domain.lease import Lease, Renewal

_TRIES = 3
_PAUSE_S = 0.02
"""An edit or a settlement holds a row for about so long."""


class Renewer:
    """Renews for one process. Whoever asks is blocked, in whatever thread."""

    def __init__(self, database: PostgresDatabase, memory: LeaseMemory, statements: LeaseStatements) -> None:
        self._database = database
        self._memory = memory
        self._statement = statements.renew
        self._thread = OwnThread(database.url, database.options, "postgres-renewals")

    def renew(self, leases: Sequence[Lease], ttl: timedelta, *, within: timedelta | None = None) -> Renewal:
        """Renew as `JobStore.renew` promises; with *within*, UnavailableError comes after so long at the latest."""
        if not leases:
            return Renewal()
        within_s = within.total_seconds() if within is not None else None
        return self._thread.run(lambda each: self._renew(each, leases, length_us(ttl)), within_s=within_s)

    def connect(self) -> None:
        """Open the connection now rather than with the first renewal. Raises UnavailableError."""
        self._thread.run(_connected)

    def close(self) -> None:
        """Renew no more."""
        self._thread.close()

    async def _renew(self, connection: Connection, leases: Sequence[Lease], ttl_us: int) -> Renewal:
        left = {lease.claim_id: lease for lease in leases}
        lost: set[str] = set()
        cancelled: set[str] = set()
        for attempt in range(_TRIES):
            if not left:
                break
            await asyncio.sleep(_PAUSE_S if attempt else 0)
            for record in await self._extend(connection, list(left.values()), ttl_us):
                left.pop(record["claim_id"], None)
                if record["cancelled"]:
                    cancelled.add(record["claim_id"])
            # What was passed over is lost, unless somebody just had its row locked.
            held = await self._held(connection, list(left.values())) if left else frozenset()
            lost |= left.keys() - held
            left = {claim_id: left[claim_id] for claim_id in left if claim_id in held}
        return Renewal(lost=frozenset(lost), cancelled=frozenset(cancelled), unextended=frozenset(left))

    async def _extend(self, connection: Connection, leases: Sequence[Lease], ttl_us: int) -> list[asyncpg.Record]:
        proofs = proofs_of(leases, self._database.shards)
        records = await connection.fetch(self._statement, self._database.judged_us, *proofs, ttl_us)
        for record in records:
            self._memory.extend(record["claim_id"], record["lease_until_us"])
        return records

    async def _held(self, connection: Connection, leases: Sequence[Lease]) -> frozenset[str]:
        proofs = proofs_of(leases, self._database.shards)
        records = await connection.fetch(holding_statements.STILL_HELD, *proofs)
        return frozenset(record["claim_id"] for record in records)


async def _connected(_: Connection) -> None:
    """Nothing is left to do."""


def proofs_of(leases: Sequence[Lease], shards: int) -> tuple[list[int], list[str], list[str], list[int]]:
    """Where the rows of *leases* are and what proves them, as the statements want it."""
    return (
        [shard_of(lease.endpoint.tenant_id, shards) for lease in leases],
        [lease.endpoint.id for lease in leases],
        [lease.claim_id for lease in leases],
        [lease.fence for lease in leases],
    )
