# ruff: noqa: S608 - statements are put together from the pieces in this file
"""No lock at all, as an alternative to leases: the first to write its result wins."""

import secrets
from collections.abc import Callable, Sequence
from datetime import timedelta

import asyncpg

from cronicorn.adapters.postgres.claim_statements import TENANT_OF, watched_by_siblings
from cronicorn.adapters.postgres.claiming import lease_of
from cronicorn.adapters.postgres.database import PostgresDatabase
from cronicorn.adapters.postgres.endpoint_rows import Found
from cronicorn.adapters.postgres.fleet_clock import FleetClock
from cronicorn.adapters.postgres.job_store import PostgresJobStore
from cronicorn.adapters.postgres.lease_memory import LeaseMemory, Remembered
from cronicorn.adapters.postgres.lease_statements import LeaseStatements
from cronicorn.adapters.postgres.place import shard_of
from cronicorn.adapters.postgres.queries import Connection, altered
from cronicorn.adapters.postgres.settle_statements import FIND, SETTLE, SETTLE_ONE
from cronicorn.adapters.postgres.settling import Settler
from cronicorn.adapters.postgres.statement_time import NOW_US
from cronicorn.domain.cells import Row
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import LeaseLostError, NotFoundError
from cronicorn.domain.fields import length_us, us
from cronicorn.domain.in_progress import SPREAD_DEFAULT, InProgress, unlocked_lease, unlocked_until
from cronicorn.domain.instant import instant_of
from cronicorn.domain.lease import Lease, NextDue, Renewal
from cronicorn.domain.mechanism import Mechanism, Share
from cronicorn.domain.ports import Decide
from cronicorn.domain.rows import endpoint_from
from cronicorn.domain.run import Run
from cronicorn.domain.settlement import Settlement

_OF_SHARE = "s.shard = d.shard AND s.due_us IS NOT NULL AND s.bucket >= $4 AND s.bucket < $5"
_SHARDS = "(SELECT n::smallint AS shard FROM generate_series(0, $2::int - 1) AS n) AS d"
LOOK = f"""
SELECT {NOW_US} AS now_us, c.*, {NOW_US} AS claimed_us, {NOW_US} + $7::bigint AS lease_until_us,
       coalesce(c.manual_slot, c.slot) AS leased_slot,
       CASE WHEN c.manual_slot IS NULL THEN c.attempt ELSE 1 END AS leased_attempt,
       (c.manual_slot IS NOT NULL)::int AS leased_manual,
       c.losses + (c.holder IS NOT NULL)::int AS lost_claims,
       (SELECT document FROM cronicorn.endpoints WHERE number = c.endpoint_number) AS document,
       {watched_by_siblings("c.endpoint_number")}
  FROM (SELECT f.* FROM {_SHARDS} CROSS JOIN LATERAL (
               (SELECT s.due_us, s.endpoint_number, s.fence, s.plan_version, s.claim_id AS holder,
                       s.lost_claims AS losses, s.manual_slot, s.slot, s.attempt, s.state
                  FROM cronicorn.schedule AS s
                 WHERE {_OF_SHARE} AND s.due_us <= {NOW_US} AND s.claim_id IS NULL
                   AND ($6::text IS NULL OR s.endpoint_id = $6)
                 ORDER BY s.due_us, s.endpoint_number LIMIT $3)
                UNION ALL
               (SELECT s.due_us, s.endpoint_number, s.fence, s.plan_version, s.claim_id, s.lost_claims, s.manual_slot,
                       s.slot, s.attempt, s.state
                  FROM cronicorn.schedule AS s
                 WHERE {_OF_SHARE} AND s.due_us <= {NOW_US} AND s.claim_id IS NOT NULL AND s.takeover_us <= {NOW_US}
                   AND ($6::text IS NULL OR s.endpoint_id = $6)
                 ORDER BY s.due_us, s.endpoint_number LIMIT $3)) AS f
         ORDER BY f.due_us, f.endpoint_number LIMIT $3) AS c
 ORDER BY c.due_us, c.endpoint_number
"""
"""What is due and under no live lease, taking nothing."""
NEXT_FEW = f"""
SELECT f.*, {NOW_US} AS now_us FROM {_SHARDS} CROSS JOIN LATERAL (
       (SELECT s.endpoint_id, s.due_us AS us FROM cronicorn.schedule AS s WHERE {_OF_SHARE} AND s.claim_id IS NULL
         ORDER BY s.due_us LIMIT $3)
        UNION ALL
       (SELECT s.endpoint_id, greatest(s.due_us, s.takeover_us) FROM cronicorn.schedule AS s
         WHERE {_OF_SHARE} AND s.claim_id IS NOT NULL)) AS f
 ORDER BY f.us LIMIT $3
"""
"""The endpoints that are due next, with their instants."""
VERSION = """
SELECT (SELECT document FROM cronicorn.endpoints WHERE id = $2) AS document, s.state, s.fence
  FROM cronicorn.schedule AS s WHERE s.shard = ANY ($1::smallint[]) AND s.endpoint_id = $2
"""
_PROVEN = "e.claim_id = d.claim_id AND e.fence = d.fence"
_HELD = "e.claim_id IS NOT DISTINCT FROM $3 AND e.fence = $4 AS held"
UNLOCKED = LeaseStatements(
    settle=altered(
        altered(SETTLE, _PROVEN, "e.claim_id IS NULL AND e.fence = d.fence"),
        "SET due_us",
        "SET fence = e.fence + 1, due_us",
    ),
    find=altered(FIND, _HELD, "e.fence = $4 AS held"),
    settle_one=altered(SETTLE_ONE, "SET due_us", "SET fence = fence + 1, due_us"),
)
"""A free row with the fence and the plan that were seen is as it was. Any other takes a closer look."""


class _UnlockedSettler(Settler):
    """Settles by version: what is under a live lease by then, or is not held here, does not stand."""

    def __init__(
        self,
        database: PostgresDatabase,
        clock: FleetClock,
        memory: LeaseMemory,
        statements: LeaseStatements,
        holds: Callable[[Lease], bool],
    ) -> None:
        super().__init__(database, clock, memory, statements)
        self._holds = holds

    def _stands(self, lease: Lease, before: Found, *, held: bool) -> bool:
        free = before.leased_slot is None and self._holds(lease)
        return free and super()._stands(lease, before, held=held)


class PostgresOptimisticJobStore(PostgresJobStore):
    """Hands out due slots without writing anything; a settlement counts if the version is still the one that was seen.

    The version is the fence, which every settlement here raises. Workers may call an endpoint at the same time; all but
    the first to settle get LeaseLostError. What is under another mechanism's live lease is left alone. Tenants are not
    served in turn, and nobody's calls are capped.
    """

    def __init__(
        self,
        database: PostgresDatabase,
        *,
        share: Share | None = None,
        spread: int = SPREAD_DEFAULT,
        statements: LeaseStatements = UNLOCKED,
    ) -> None:
        super().__init__(database, share=share, statements=statements)
        self._share = share if share is not None else Share()
        self._in_progress = InProgress(spread)
        self._updates: set[str] = set()
        self._settler = _UnlockedSettler(database, self._clock, self._memory, self._statements, self._holds)

    async def get_endpoint(self, endpoint_id: str) -> tuple[JobEndpoint, int]:
        """The endpoint and its version. Raises NotFoundError."""
        database = self._database
        tenants = await database.alone(lambda connection: connection.fetch(TENANT_OF, endpoint_id))
        shards = [shard_of(tenant["tenant_id"], database.shards) for tenant in tenants]
        rows = await database.alone(lambda connection: connection.fetch(VERSION, shards, endpoint_id))
        if not rows:
            raise NotFoundError(f"There is no endpoint {endpoint_id}.")
        return endpoint_from(rows[0]["document"], rows[0]["state"]), rows[0]["fence"]

    async def update_after_run(
        self, endpoint_id: str, run: Run, decide: Decide, *, expected_version: int
    ) -> Settlement:
        """Record *run* of the slot that is current, and apply what *decide* answers, all or nothing.

        Raises LeaseLostError when the version is no longer *expected_version*, the slot of *run* is not the current one
        or another worker holds a live lease; NotFoundError without the endpoint. Nothing is written then.
        """
        assert (run.endpoint_id, run.fence) == (endpoint_id, expected_version)
        endpoint, _ = await self.get_endpoint(endpoint_id)
        lease = unlocked_lease(endpoint, run, secrets.token_hex(16), run.finished_at)
        self._updates.add(lease.claim_id)
        try:
            return await self._settler.settle(lease, run, decide)
        finally:
            self._updates.discard(lease.claim_id)

    async def claim_due(
        self, *, worker_id: str, limit: int, ttl: timedelta, endpoint_id: str | None = None
    ) -> Sequence[Lease]:
        database, wanted = self._database, self._in_progress.wanted(limit)

        async def look(connection: Connection) -> list[asyncpg.Record]:
            sent = self._clock.monotonic()
            found = await connection.fetch(
                LOOK, database.judged_us, database.shards, wanted, self._share.low, self._share.high, endpoint_id,
                length_us(ttl),
            )  # fmt: skip
            if found:
                self._clock.observe(sent, found[0]["now_us"], length_us(ttl))
            return found

        records = await database.alone(look)
        rows: dict[str, Row] = {secrets.token_hex(16): dict(record) for record in records}
        leases = (lease_of(row | {"claim_id": claim_id}) for claim_id, row in rows.items())
        due = (_unlocked(lease, ttl) for lease in leases if lease is not None)
        taken = self._in_progress.begin(due, limit, worker_id)
        for lease in taken:
            self._remember(lease, rows[lease.claim_id])
        return taken

    def renew(self, leases: Sequence[Lease], *, ttl: timedelta) -> Renewal:
        """Say which leases have ended here; there is nothing to extend."""
        return self._in_progress.renewal(leases)

    async def settle(self, lease: Lease, run: Run | None, decide: Decide) -> Settlement:
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
            self._memory.forget(lease.claim_id)

    async def next_due(self) -> NextDue | None:
        database, wanted = self._database, self._in_progress.wanted(1)
        rows = await database.alone(
            lambda connection: connection.fetch(
                NEXT_FEW, database.judged_us, database.shards, wanted, self._share.low, self._share.high
            )
        )
        if not rows:
            return None
        due = [(row["endpoint_id"], instant_of(row["us"])) for row in rows]
        now_at = instant_of(rows[0]["now_us"])
        return NextDue.when(self._in_progress.next_due_at(due, now_at), now_at)

    def _remember(self, lease: Lease, row: Row) -> None:
        """What was free when it was seen can be settled without a closer look."""
        plan_version = row["plan_version"]
        assert isinstance(plan_version, int)
        if row["holder"] is None:
            remembered = Remembered(
                document=str(row["document"]), plan_version=plan_version, until_us=us(lease.expires_at)
            )
            self._memory.keep(lease.claim_id, remembered)

    def _holds(self, lease: Lease) -> bool:
        return self._in_progress.holds(lease) or lease.claim_id in self._updates


def _unlocked(lease: Lease, ttl: timedelta) -> Lease:
    expires_at = unlocked_until(lease.endpoint, lease.claimed_at, ttl)
    return lease._replace(mechanism=Mechanism.OPTIMISTIC, expires_at=expires_at)
