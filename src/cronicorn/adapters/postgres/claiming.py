"""Claiming: shard by shard, the longest due first, no tenant before another, within the caps."""

import logging
import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil

from cronicorn.adapters.postgres import claim_statements, fair_claim_statements
from cronicorn.adapters.postgres.caps import Caps
from cronicorn.adapters.postgres.database import PostgresDatabase, Transaction
from cronicorn.adapters.postgres.fleet_clock import NEVER, FleetClock
from cronicorn.adapters.postgres.lease_memory import LeaseMemory, Remembered
from cronicorn.adapters.postgres.lease_statements import LeaseStatements
from cronicorn.adapters.postgres.options import Feature
from cronicorn.adapters.postgres.place import shard_of
from cronicorn.adapters.postgres.queries import Connection
from cronicorn.adapters.postgres.watermark import LOWEST, Pass, Watermark
from cronicorn.domain.cells import UNREADABLE, Cell, Row, number_in
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.fields import length_us
from cronicorn.domain.instant import instant_of
from cronicorn.domain.lease import Lease, NextDue
from cronicorn.domain.mechanism import Share
from cronicorn.domain.rows import lease_from

log = logging.getLogger(__name__)

_VISITS_MAX = 2_000
"""So many tenants are visited by one claim; the next one goes on from there."""
_ROUNDS_MAX = 8
"""So often a claim looks again for what it could not have at first."""
_SECOND_US = 1_000_000
_CAPPED_PAUSE = timedelta(milliseconds=50)
"""After so long a slot that waits for a cap is looked for again."""


def new_nonce() -> str:
    """What all leases of one claim share: random, never the same twice."""
    return secrets.token_hex(16)


@dataclass(slots=True, kw_only=True)
class _Order:
    """What a caller asked for, and what was found so far."""

    worker_id: str
    limit: int
    ttl_us: int
    nonce: str
    rows: list[Row] = field(default_factory=list)
    sent: bool = False
    """Whether anything was asked that a lost connection leaves open."""

    @property
    def room(self) -> int:
        return self.limit - len(self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """One statement about one shard."""

    statement: str
    shard: int
    how: Pass
    more: tuple[Cell, ...] = ()
    """The parameters after those that all claims have."""


class Claimer:
    """Claims for one process."""

    def __init__(
        self,
        database: PostgresDatabase,
        clock: FleetClock,
        memory: LeaseMemory,
        *,
        statements: LeaseStatements,
        share: Share,
        caps: Caps,
        sweep_interval_s: float,
        nonce: Callable[[], str] = new_nonce,
    ) -> None:
        self._database = database
        self._clock = clock
        self._memory = memory
        self._skips_locked = database.options.has(Feature.SKIP_LOCKED)
        self._statements = statements
        self._share = share
        self._caps = caps
        self._nonce = nonce
        chance = random.Random()  # noqa: S311 - spreads the work of processes
        self._watermarks = [Watermark(sweep_interval_s, chance) for _ in range(database.shards)]
        self._cursors = [""] * database.shards
        self._first = chance.randrange(database.shards)
        self._held_back = False

    async def claim(self, worker_id: str, limit: int, ttl: timedelta, endpoint_id: str | None) -> list[Lease]:
        """Lease what is due, the longest due first."""
        if limit <= 0:
            return []
        order = _Order(worker_id=worker_id, limit=limit, ttl_us=length_us(ttl), nonce=self._nonce())
        for shard in await self._shards(endpoint_id):
            if order.room <= 0:
                break
            try:
                await self._claim_in(shard, order, endpoint_id)
            except UnavailableError as error:
                await self._recover(shard, order, error)
        order.rows.sort(key=longest_due)
        return [lease for lease in map(self._remembered, order.rows) if lease is not None]

    async def next_due(self) -> NextDue | None:
        """When a claim will next find something."""
        now = self._clock.monotonic()
        waits = [watermark.until_sweep(now) for watermark in self._watermarks]
        marks = [
            LOWEST[0] if wait is None else watermark.mark[0]
            for wait, watermark in zip(waits, self._watermarks, strict=True)
        ]
        sweeps_in_us = [None if wait is None else ceil(wait * _SECOND_US) for wait in waits]
        (found,) = await self._database.alone(
            lambda connection: connection.fetch(
                claim_statements.NEXT_DUE, self._database.judged_us, list(range(self._database.shards)), marks,
                self._share.low, self._share.high, sweeps_in_us,
            )
        )  # fmt: skip
        now_at = instant_of(found["now_us"])
        due_at = self._first_due(found["free_us"], found["lost_us"], now_at)
        if due_at is not None and due_at <= now_at and self._held_back:
            due_at = now_at + _CAPPED_PAUSE
        return NextDue.when(due_at, now_at)

    def given_back(self, shards: Sequence[int]) -> None:
        """Leases of these shards were abandoned: their slots may lie below the mark."""
        for shard in shards:
            self._watermarks[shard].sweep_soon()

    def _first_due(self, free_us: int | None, lost_us: int | None, now_at: datetime) -> datetime | None:
        """The first of what is free and what was lost, which nobody takes over before the clock's grace is over."""
        free_at = instant_of(free_us) if free_us is not None else None
        lost_at = instant_of(lost_us) if lost_us is not None else None
        if lost_at is not None and (grace_s := self._clock.grace_left()):
            lost_at = max(lost_at, now_at + timedelta(seconds=grace_s))
        return min((instant for instant in (free_at, lost_at) if instant is not None), default=None)

    async def _shards(self, endpoint_id: str | None) -> list[int]:
        """Where to look, and in which order: each claim begins with another shard."""
        count = self._database.shards
        if endpoint_id is not None and count > 1:
            rows = await self._database.alone(
                lambda connection: connection.fetch(claim_statements.TENANT_OF, endpoint_id)
            )
            return [shard_of(row["tenant_id"], count) for row in rows]
        self._first = (self._first + 1) % count
        return [(self._first + offset) % count for offset in range(count)]

    async def _claim_in(self, shard: int, order: _Order, endpoint_id: str | None) -> None:
        if not self._caps.none:
            await self._claim_within_caps(shard, order, endpoint_id)
        elif endpoint_id is not None:
            await self._rounds(
                order,
                _Question(statement=self._statements.claim_named, shard=shard, how=self._all(), more=(endpoint_id,)),
            )
        else:
            await self._claim_due(shard, order)

    async def _claim_due(self, shard: int, order: _Order) -> None:
        watermark, room = self._watermarks[shard], order.room
        how = watermark.begin(self._clock.monotonic())
        if how.in_turn:
            more = (self._cursors[shard], _VISITS_MAX)
            question = _Question(statement=self._statements.claim_in_turn, shard=shard, how=how, more=more)
        else:
            question = _Question(statement=self._statements.claim, shard=shard, how=how)
        seen = await self._rounds(order, question)
        taken, ended = order.rows[len(order.rows) - (room - order.room) :], self._clock.monotonic()
        earliest = min(map(longest_due, taken), default=LOWEST)
        watermark.done(how, ended, full=order.room <= 0, earliest=earliest, now_us=number_in(seen["now_us"]))
        if how.in_turn:
            self._cursors[shard] = _next_cursor(seen, room)
            if number_in(seen["turns"]) <= 1:
                watermark.one_tenant(ended)

    async def _rounds(self, order: _Order, question: _Question) -> Mapping[str, Cell]:
        """Claim, again as long as others took what was chosen; answer what the last round saw."""
        for _ in range(_ROUNDS_MAX - 1):
            seen = await self._database.alone(lambda connection: self._take(connection, order, question))
            if self._skips_locked or order.room <= 0 or not seen["found"]:
                return seen
        return await self._database.alone(lambda connection: self._take(connection, order, question))

    async def _claim_within_caps(self, shard: int, order: _Order, endpoint_id: str | None) -> None:
        before, how = list(order.rows), self._all()
        visits = _VISITS_MAX if endpoint_id is None else 0

        async def claim(transaction: Transaction) -> None:
            order.rows = list(before)
            await transaction.connection.fetch(fair_claim_statements.LOCK_CAPS)
            for _ in range(_ROUNDS_MAX):
                room, cursor = order.room, self._cursors[shard]
                more = (self._caps.per_tenant, self._caps.per_host, endpoint_id, cursor, visits)
                question = _Question(statement=self._statements.claim_within_caps, shard=shard, how=how, more=more)
                seen = await self._take(transaction.connection, order, question)
                self._cursors[shard] = _next_cursor_within_caps(seen, cursor)
                if order.room <= 0 or order.room == room:
                    break

        try:
            await self._database.write(claim)
            self._held_back = order.room > 0  # what is due and was not had waits for a cap
        except BaseException:
            order.rows = before
            raise

    async def _take(self, connection: Connection, order: _Order, question: _Question) -> Mapping[str, Cell]:
        """One statement; adds to the rows of *order*. Answers what it saw besides."""
        self._clock.answered_by(self._database.server.identity, order.ttl_us)
        window = self._clock.takeover_window_us(order.ttl_us) if question.how.sweep else NEVER
        sent, order.sent = self._clock.monotonic(), True
        (mark_us, mark_number), share = question.how.mark, self._share
        rows = await connection.fetch(
            question.statement, self._database.judged_us, question.shard, order.room, mark_us, share.low, share.high,
            *window, order.nonce, order.worker_id, order.ttl_us, mark_number, *question.more,
        )  # fmt: skip
        self._clock.observe(sent, rows[0]["now_us"], order.ttl_us)
        order.rows += [dict(row) for row in rows if row["claim_id"] is not None]
        return dict(rows[0])

    def _all(self) -> Pass:
        """Look everywhere."""
        return Pass(began=self._clock.monotonic(), mark=LOWEST, sweep=True, in_turn=False)

    async def _recover(self, shard: int, order: _Order, error: UnavailableError) -> None:
        """The connection was lost: find what the server gave before that. Raises *error* when nothing is known."""
        known = {row["claim_id"] for row in order.rows}
        try:
            if not order.sent:
                raise error
            records = await self._database.alone(
                lambda connection: connection.fetch(
                    claim_statements.FIND_CLAIMED, self._database.judged_us, shard, f"{order.nonce}-"
                )
            )
        except UnavailableError:
            if order.rows:
                return  # What other shards gave is not to be lost.
            raise
        found = [dict(record) for record in records if record["claim_id"] not in known]
        if not found and not order.rows:
            raise error
        log.warning("claim_recovered", extra={"leases": len(found), "reason": str(error)})
        order.rows += found

    def _remembered(self, row: Row) -> Lease | None:
        lease = lease_of(row)
        if lease is not None:
            remembered = Remembered(
                document=str(row["document"]),
                plan_version=number_in(row["plan_version"]),
                until_us=number_in(row["lease_until_us"]),
            )
            self._memory.keep(lease.claim_id, remembered)
        return lease


def lease_of(row: Row) -> Lease | None:
    """The lease; None for an endpoint that can't be read: it runs out, and the slot rests like any that is lost."""
    try:
        return lease_from(row)
    except UNREADABLE:
        log.exception("endpoint_unreadable", extra={"number": row["endpoint_number"]})
        return None


def _next_cursor(seen: Mapping[str, Cell], room: int) -> str:
    """After which tenant the next claim goes on; after nobody when all were served."""
    if number_in(seen["turns"]) >= room:
        return str(seen["last_turn"])
    if number_in(seen["visited"]) >= _VISITS_MAX:
        return str(seen["last_visited"])
    return ""


def _next_cursor_within_caps(seen: Mapping[str, Cell], cursor: str) -> str:
    """After which tenant the next claim goes on: as before where all who might have something got it."""
    if seen["last_turn"] is not None:
        return str(seen["last_turn"])
    return str(seen["last_visited"]) if number_in(seen["visited"]) >= _VISITS_MAX else cursor


def longest_due(row: Mapping[str, Cell]) -> tuple[int, int]:
    """The order in which claims answer."""
    return number_in(row["due_us"]), number_in(row["endpoint_number"])
