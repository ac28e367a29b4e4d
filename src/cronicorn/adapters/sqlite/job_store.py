"""Due endpoints and leases in a SQLite file."""

import logging
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock
from typing import ClassVar, NamedTuple

from cronicorn.adapters.sqlite import lease_statements
from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.endpoint_rows import (
    apply,
    found,
    of_job_of,
    record_run,
    record_runs,
    record_skips,
    run_cells,
)
from cronicorn.adapters.sqlite.queries import dicts
from cronicorn.adapters.sqlite.run_book import count_run
from cronicorn.adapters.sqlite.writer import Transaction
from cronicorn.domain.cells import UNREADABLE, Cell
from cronicorn.domain.errors import LeaseLostError
from cronicorn.domain.fields import us
from cronicorn.domain.instant import instant_of, shifted
from cronicorn.domain.lease import Lease, NextDue, Renewal
from cronicorn.domain.mechanism import Mechanism, Share
from cronicorn.domain.ports import Decide, JobStore
from cronicorn.domain.rows import done_of, done_text, endpoint_from, settled_row, state_row
from cronicorn.domain.run import Run
from cronicorn.domain.settlement import (
    Change,
    Settlement,
    Siblings,
    SiblingsNotReadError,
    Stored,
    siblings_not_read,
)

log = logging.getLogger(__name__)

_CLAIMED_MAX = 20_000
"""More leases are hardly in progress in one process. What is forgotten is settled all the same, with a closer look."""
_TOGETHER_MAX = 32
"""So many settlements go in one statement. sqlite3 gives up the interpreter at every step, and has it again when the
event loop lets go of it: with a statement for each settlement a run took a sixth more CPU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseStatements:
    """The statements that a lease depends on, so that a test can show what a weaker one would let through."""

    claim: str = lease_statements.CLAIM
    renew: str = lease_statements.RENEW
    settle_claimed: str = lease_statements.SETTLE_CLAIMED
    find: str = lease_statements.FIND
    settle: str = lease_statements.SETTLE
    abandon: str = lease_statements.ABANDON


class SqliteJobStore(JobStore):
    """Leases endpoints of a share of the tenants to any number of processes that share the file."""

    mechanism: ClassVar[Mechanism] = Mechanism.LEASE

    def __init__(
        self, database: SqliteDatabase, statements: LeaseStatements | None = None, share: Share | None = None
    ) -> None:
        self._database = database
        self._statements = statements if statements is not None else LeaseStatements()
        share = share if share is not None else Share()
        self._share: dict[str, Cell] = {"share_low": share.low, "share_high": share.high}
        self._renewing = Lock()
        self._claimed: OrderedDict[str, tuple[int, str, str]] = OrderedDict()
        """What leases in progress were claimed with, by claim id: the number, document and state of their endpoints.
        The writer's thread adds, the event loop takes, and the heartbeat's thread forgets what is lost.
        """

    async def claim_due(
        self, *, worker_id: str, limit: int, ttl: timedelta, endpoint_id: str | None = None
    ) -> Sequence[Lease]:
        def claim(transaction: Transaction) -> list[Lease]:
            return self._claim(transaction, worker_id, limit, ttl, endpoint_id)

        # A caller that is cancelled meanwhile would leave its leases to expire.
        return await self._database.write(claim, undo=self._abandon)

    def renew(self, leases: Sequence[Lease], *, ttl: timedelta) -> Renewal:
        with self._renewing:
            return self._database.write_here(
                lambda transaction: self._renew(transaction, leases, ttl, self._statements.renew)
            )

    async def settle(self, lease: Lease, run: Run | None, decide: Decide) -> Settlement:
        assert run is None or run.id == lease.run_id

        def look_closer(transaction: Transaction) -> Settlement:
            return self._look_closer(transaction, lease, run, decide)

        decided = self._decided(lease, run, decide)
        if decided is None:
            return await self._database.write(look_closer)
        return await self._database.write(look_closer, many=self._settle_claimed, item=decided)

    async def abandon(self, leases: Sequence[Lease]) -> None:
        await self._database.write(lambda transaction: self._abandon(transaction, leases))

    async def next_due(self) -> NextDue | None:
        def query(transaction: Transaction) -> NextDue | None:
            (due_us,) = transaction.connection.execute(lease_statements.NEXT_DUE, self._share).fetchone()
            return NextDue.when(instant_of(due_us) if due_us is not None else None, transaction.now)

        return await self._database.read(query)

    def _claim(
        self, transaction: Transaction, worker_id: str, limit: int, ttl: timedelta, endpoint_id: str | None
    ) -> list[Lease]:
        leases = []
        for due in self._due(transaction, worker_id, limit, ttl, endpoint_id):
            lease = readable(due, self.mechanism)
            if lease is not None:
                leases.append(lease)
                self._claimed[lease.claim_id] = (due.number, due.document, due.state)
                if len(self._claimed) > _CLAIMED_MAX:
                    self._claimed.popitem(last=False)
        return leases

    def _due(
        self, transaction: Transaction, worker_id: str, limit: int, ttl: timedelta, endpoint_id: str | None
    ) -> list["Due"]:
        """What `claim` takes, the longest due first."""
        parameters: dict[str, Cell] = {
            **self._share,
            "endpoint_id": endpoint_id,
            "worker_id": worker_id,
            "mechanism": self.mechanism.value,
            "now_us": us(transaction.now),
            "until_us": us(shifted(transaction.now, ttl)),
            "limit": limit,
        }
        rows = transaction.connection.execute(self._statements.claim, parameters).fetchall()
        rows.sort()
        return [Due._make(row) for row in rows]

    def _renew(self, transaction: Transaction, leases: Sequence[Lease], ttl: timedelta, statement: str) -> Renewal:
        lost, cancelled = set(), set()
        until_us = us(shifted(transaction.now, ttl))
        for lease in leases:
            parameters = {"until_us": until_us, **_proof(lease)}
            row = transaction.connection.execute(statement, parameters).fetchone()
            if row is None:
                lost.add(lease.claim_id)
                self._claimed.pop(lease.claim_id, None)
            elif row[0]:
                cancelled.add(lease.claim_id)
        return Renewal(lost=frozenset(lost), cancelled=frozenset(cancelled))

    def _decided(self, lease: Lease, run: Run | None, decide: Decide) -> "_Decided | None":
        """What follows if nothing has changed since the claim; None when that takes a closer look."""
        claimed = self._claimed.pop(lease.claim_id, None)
        if claimed is None or lease.watched:  # Siblings that watch are read in the transaction.
            return None
        number, document, state = claimed
        now = self._database.now()
        try:
            settlement = decide(lease.endpoint, Stored(now=now, leased_slot=lease.slot, siblings=_UNREAD))
        except SiblingsNotReadError:
            return None
        if settlement.siblings:
            return None
        cells = (
            *settled_row(document, lease.endpoint, settlement.state).values(), done_text(settlement),
            number, lease.claim_id, lease.fence, us(now), state, document,
        )  # fmt: skip
        recorded = run_cells(number, run, settlement.steering) if run is not None else None
        return _Decided(settlement, number, cells, run, recorded)

    def _settle_claimed(self, transaction: Transaction, batch: "Sequence[_Decided]") -> list[Settlement | None]:
        """Settle what is as it was claimed; None, and nothing written, for each that is not."""
        parts = (batch[begin : begin + _TOGETHER_MAX] for begin in range(0, len(batch), _TOGETHER_MAX))
        return [settled for part in parts for settled in self._settle_together(transaction, part)]

    def _settle_together(self, transaction: Transaction, batch: "Sequence[_Decided]") -> list[Settlement | None]:
        """As `_settle_claimed`: in one statement, or, where one has changed since its claim, in one for each."""
        if len(batch) > 1:
            transaction.connection.execute("SAVEPOINT together")
        cells = [cell for decided in batch for cell in decided.cells]
        statement = lease_statements.settling(self._statements.settle_claimed, len(batch))
        settled = transaction.connection.execute(statement, cells).rowcount == len(batch)
        if len(batch) > 1:
            if not settled:
                transaction.connection.execute("ROLLBACK TO together")
            transaction.connection.execute("RELEASE together")
        if settled:
            _record(transaction, batch)
            return [decided.settlement for decided in batch]
        if len(batch) == 1:
            return [None]
        return [each for decided in batch for each in self._settle_together(transaction, [decided])]

    def _look_closer(self, transaction: Transaction, lease: Lease, run: Run | None, decide: Decide) -> Settlement:
        """Settle what is stored now, or say what became of the lease."""
        row = self._find(transaction, lease)
        before = found(row, transaction.now) if row.get("held") else None
        if before is None or not lease.fits(before.endpoint.state):
            return self._settled_before(transaction, lease)
        settlement = decide(before.endpoint, before.stored(transaction))
        if run is not None:
            record_run(transaction.connection, before.number, run, settlement.steering)
        _record_more(transaction, before.number, run, settlement)
        cells = {
            **state_row(settlement.state),
            **_proof(lease),
            "done": done_text(settlement),
            "number": before.number,
        }
        transaction.connection.execute(self._statements.settle, cells)
        return settlement

    def _find(self, transaction: Transaction, lease: Lease) -> dict[str, Cell]:
        parameters = {**_proof(lease), "now_us": us(transaction.now)}
        rows = dicts(transaction.connection.execute(self._statements.find, parameters))
        return rows[0] if rows else {}

    def _settled_before(self, transaction: Transaction, lease: Lease) -> Settlement:
        """The answer to a lease settled before. Raises LeaseLostError for any other that is not held."""
        row = self._find(transaction, lease)
        if not row.get("settled"):
            raise LeaseLostError(f"Lease {lease.claim_id} on {lease.run_id} has ended or was taken over.")
        done = row["done"]
        assert done is None or isinstance(done, str)
        return done_of(done, found(row, transaction.now).endpoint.state)

    def _abandon(self, transaction: Transaction, leases: Sequence[Lease]) -> None:
        transaction.connection.executemany(self._statements.abandon, [_proof(lease) for lease in leases])
        for lease in leases:
            self._claimed.pop(lease.claim_id, None)


_UNREAD = Siblings(siblings_not_read)


class _Decided(NamedTuple):
    """What was decided about an endpoint as it was claimed."""

    settlement: Settlement
    number: int
    cells: tuple[Cell, ...]
    """What `SETTLE_CLAIMED` takes."""
    run: Run | None
    recorded: tuple[Cell, ...] | None
    """What `record_runs` takes of the run."""


def _record(transaction: Transaction, batch: Sequence[_Decided]) -> None:
    """Write what is left of settlements whose endpoints are in their new state."""
    runs = [decided.recorded for decided in batch if decided.recorded is not None]
    if runs:
        record_runs(transaction.connection, runs)
    for decided in batch:
        _record_more(transaction, decided.number, decided.run, decided.settlement)


def _record_more(transaction: Transaction, number: int, run: Run | None, settlement: Settlement) -> None:
    """Write what a settlement leaves besides the state of the endpoint and its run."""
    if run is not None and settlement.month_at is not None:
        count_run(transaction.connection, run.tenant_id, settlement.month_at)
    if settlement.skips:
        record_skips(transaction.connection, number, settlement.skips)
    if settlement.siblings:
        _change_siblings(transaction, number, settlement.siblings)


def _change_siblings(transaction: Transaction, number: int, changes: Mapping[str, Change]) -> None:
    for sibling in of_job_of(transaction, number):
        change = changes.get(sibling.endpoint.id)
        if change is not None and sibling.number != number:
            apply(transaction, sibling, change)


class Due(NamedTuple):
    """A row that `LeaseStatements.claim` returns, by place: by name it takes 10,000 instructions more.

    Its first two columns put the longest due first.
    """

    due_us: int
    number: int
    claim_id: str
    fence: int
    slot: int
    attempt: int
    manual: int
    lost_claims: int
    claimed_us: int
    until_us: int
    state: str
    document: str
    watched: int | None


def readable(due: Due, mechanism: Mechanism) -> Lease | None:
    """The lease; None for an endpoint that can't be read: its lease runs out, and it rests like any that is lost."""
    try:
        endpoint = endpoint_from(due.document, due.state)
    except UNREADABLE:
        log.exception("endpoint_unreadable", extra={"number": due.number})
        return None
    return Lease(
        endpoint=endpoint,
        claim_id=due.claim_id,
        fence=due.fence,
        slot=due.slot,
        attempt=due.attempt,
        manual=bool(due.manual),
        taken_over=bool(due.lost_claims),
        watched=bool(due.watched),
        claimed_at=instant_of(due.claimed_us),
        expires_at=instant_of(due.until_us),
        mechanism=mechanism,
    )


def _proof(lease: Lease) -> dict[str, Cell]:
    return {"endpoint_id": lease.endpoint.id, "claim_id": lease.claim_id, "fence": lease.fence}
