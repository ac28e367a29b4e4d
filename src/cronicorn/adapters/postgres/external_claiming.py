"""Claiming where a lock service says who goes first: choose in the database, acquire in the service, stamp the row."""

import logging
import random
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

import asyncpg

from cronicorn.adapters.postgres.caps import Caps
from cronicorn.adapters.postgres.claiming import Claimer, longest_due
from cronicorn.adapters.postgres.database import PostgresDatabase
from cronicorn.adapters.postgres.external_statements import FIND_STAMPED, NEXT_DUE, ExternalStatements
from cronicorn.adapters.postgres.fleet_clock import FleetClock
from cronicorn.adapters.postgres.lease_memory import LeaseMemory
from cronicorn.adapters.postgres.lease_statements import LeaseStatements
from cronicorn.adapters.postgres.options import Feature
from cronicorn.adapters.postgres.queries import Connection
from cronicorn.adapters.postgres.releasing import Releaser
from cronicorn.domain.cells import Cell, Row
from cronicorn.domain.claims import Claim
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.fields import length_us
from cronicorn.domain.instant import instant_of
from cronicorn.domain.lease import Lease, NextDue
from cronicorn.domain.mechanism import Mechanism, Share
from cronicorn.domain.ports import ClaimService

log = logging.getLogger(__name__)

_ROUNDS_MAX = 8
"""So often a claim chooses again when others were granted what it chose."""
_CROWD = 4
"""Of so many times more than there is room for a claim chooses by chance, once it has met others."""
_VISITS_MAX = 1_000
"""So many tenants are visited by one claim; the next one goes on from there."""
_REFUSED_PAUSE = timedelta(milliseconds=100)
"""After so long a slot that only the service keeps is looked for again."""
_BEGINNING = (-1, "")


def new_claim_id() -> str:
    """Random, never the same twice."""
    return secrets.token_hex(16)


@dataclass(slots=True, kw_only=True)
class _Order:
    """What a caller asked for, and what was found so far."""

    worker_id: str
    limit: int
    ttl: timedelta
    endpoint_id: str | None
    now_us: int = 0
    """The database's instant when the last candidates were chosen."""
    rows: list[Row] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)

    @property
    def room(self) -> int:
        return self.limit - len(self.rows)


class ExternalClaimer(Claimer):
    """Claims for one process."""

    def __init__(
        self,
        database: PostgresDatabase,
        service: ClaimService,
        mechanism: Mechanism,
        *,
        releaser: Releaser,
        clock: FleetClock,
        memory: LeaseMemory,
        share: Share,
        statements: ExternalStatements,
        claim_id: Callable[[], str] = new_claim_id,
    ) -> None:
        super().__init__(
            database, clock, memory, statements=LeaseStatements(), share=share, caps=Caps(), sweep_interval_s=0.0
        )
        self._service = service
        self._releaser = releaser
        self._mechanism = mechanism
        self._own = statements if database.options.has(Feature.SKIP_LOCKED) else statements.without_skip_locked()
        self._claim_id = claim_id
        self._random = random.Random()  # noqa: S311 - spreads the work of processes
        self._backlog = False
        self._cursor = _BEGINNING
        self._refused = False

    async def claim(self, worker_id: str, limit: int, ttl: timedelta, endpoint_id: str | None) -> list[Lease]:
        """Lease what is due, the longest due first."""
        if limit <= 0:
            return []
        order = _Order(worker_id=worker_id, limit=limit, ttl=ttl, endpoint_id=endpoint_id)
        try:
            for attempt in range(_ROUNDS_MAX):
                if order.room <= 0 or not await self._round(order, crowded=attempt > 0):
                    break
        except UnavailableError:
            if not order.rows:
                raise
            # What was granted before is not to be lost; the next claim will tell.
        self._backlog = order.room <= 0
        self._refused = len(order.rows) < len(order.tried)
        order.rows.sort(key=longest_due)
        leases = (self._remembered(row) for row in order.rows)
        return [lease._replace(mechanism=self._mechanism) for lease in leases if lease is not None]

    async def next_due(self) -> NextDue | None:
        """When a claim will next find something."""
        (found,) = await self._database.alone(
            lambda connection: connection.fetch(
                NEXT_DUE, self._database.judged_us, self._database.shards, self._share.low, self._share.high,
                self._mechanism,
            )
        )  # fmt: skip
        now_at = instant_of(found["now_us"])
        due_at = self._first_due(found["free_us"], found["lost_us"], now_at)
        if due_at is not None and self._refused:
            due_at = max(due_at, now_at + _REFUSED_PAUSE)
        return NextDue.when(due_at, now_at)

    async def _round(self, order: _Order, *, crowded: bool) -> bool:
        """Try for what there is room for; answer whether more may be had."""
        wanted = order.room * _CROWD if crowded else order.room
        found = await self._candidates(order, wanted)
        if crowded:
            self._random.shuffle(found)
        chosen = found[: order.room]
        order.tried += [str(row["endpoint_id"]) for row in chosen]
        await self._acquire(chosen, order)
        return len(found) == wanted or len(chosen) < len(found)

    async def _candidates(self, order: _Order, wanted: int) -> list[Row]:
        """What is due and, as far as the database knows, nobody's."""
        ttl_us, in_turn = length_us(order.ttl), self._backlog and order.endpoint_id is None
        statement, more = self._own.candidates, tuple[Cell, ...]()
        if order.endpoint_id is not None:
            statement, more = self._own.candidate_named, (order.endpoint_id,)
        elif in_turn:
            statement, more = self._own.candidates_in_turn, (*self._cursor, _VISITS_MAX)

        async def ask(connection: Connection) -> list[asyncpg.Record]:
            # Who answers is known, and a trip begins, once there is a connection.
            self._clock.answered_by(self._database.server.identity, ttl_us)
            sent = self._clock.monotonic()
            found = await connection.fetch(
                statement, self._database.judged_us, self._database.shards, wanted, self._share.low, self._share.high,
                *self._clock.takeover_window_us(ttl_us), self._mechanism, order.tried, *more,
            )  # fmt: skip
            order.now_us = found[0]["now_us"]
            self._clock.observe(sent, order.now_us, ttl_us)
            return found

        records = await self._database.alone(ask)
        if in_turn:
            served = records[0]["served_shard"], records[0]["served_tenant_id"]
            self._cursor = _BEGINNING if served[0] is None else served
        return [dict(record) for record in records if record["endpoint_id"] is not None]

    async def _acquire(self, chosen: Sequence[Row], order: _Order) -> None:
        """Acquire *chosen* in the service, and stamp what it grants."""
        claims = [Claim(key=str(row["endpoint_id"]), claim_id=self._claim_id()) for row in chosen]
        await self._releaser.done({claim.key for claim in claims})  # What was just settled here may be due again.
        try:
            tokens = await self._service.acquire(claims, ttl=order.ttl)
        except UnavailableError:
            self._releaser.release_soon(claims)  # Nobody knows which of them it took.
            raise
        granted = [
            (row["shard"], claim, tokens[claim.claim_id])
            for row, claim in zip(chosen, claims, strict=True)
            if claim.claim_id in tokens
        ]
        if not granted:
            return
        stamped: set[Cell] = set()
        try:
            try:
                rows = await self._stamped(granted, order)
            except UnavailableError as error:
                rows = await self._recovered(granted, error)
            stamped = {row["claim_id"] for row in rows}
            order.rows += rows
        finally:
            await self._releaser.release([claim for _, claim, _ in granted if claim.claim_id not in stamped])

    async def _stamped(self, granted: Sequence[tuple[object, Claim, int]], order: _Order) -> list[Row]:
        ttl_us = length_us(order.ttl)
        records = await self._database.alone(
            lambda connection: connection.fetch(
                self._own.stamp,
                self._database.judged_us,
                [shard for shard, _, _ in granted],
                [claim.key for _, claim, _ in granted],
                [claim.claim_id for _, claim, _ in granted],
                [token for _, _, token in granted],
                *self._clock.takeover_window_us(ttl_us),
                self._mechanism,
                order.now_us,
                ttl_us,
                order.worker_id,
            )
        )
        return [dict(record) for record in records]

    async def _recovered(self, granted: Sequence[tuple[object, Claim, int]], error: UnavailableError) -> list[Row]:
        """The connection was lost: what was stamped before that. Raises *error* when nothing was, or nobody knows."""
        with suppress(UnavailableError):
            records = await self._database.alone(
                lambda connection: connection.fetch(
                    FIND_STAMPED,
                    [shard for shard, _, _ in granted],
                    [claim.key for _, claim, _ in granted],
                    [claim.claim_id for _, claim, _ in granted],
                )
            )
            if records:
                log.warning("claim_recovered", extra={"leases": len(records), "reason": str(error)})
                return [dict(record) for record in records]
        raise error
