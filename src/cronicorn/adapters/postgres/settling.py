"""Settling: decided on the endpoint as it was claimed, and written together with what else is to be settled.

The statement writes only what is still as it was claimed. Whatever is not gets a closer look: one transaction that
locks the endpoint, decides on what is stored now, and says what became of the lease.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import TypeVar

from cronicorn.adapters.postgres.batches import Batches
from cronicorn.adapters.postgres.database import PostgresDatabase, Transaction
from cronicorn.adapters.postgres.endpoint_rows import (
    Found,
    apply,
    decided,
    find,
    lock,
    lock_job,
    record_run,
    record_skips,
)
from cronicorn.adapters.postgres.fleet_clock import FleetClock
from cronicorn.adapters.postgres.lease_memory import LeaseMemory
from cronicorn.adapters.postgres.lease_statements import LeaseStatements
from cronicorn.adapters.postgres.place import shard_of
from cronicorn.adapters.postgres.settle_statements import COUNT_RUNS, counting
from cronicorn.domain.cells import Cell
from cronicorn.domain.errors import LeaseLostError, NotFoundError, UnavailableError
from cronicorn.domain.fields import us
from cronicorn.domain.instant import EPOCH
from cronicorn.domain.lease import Lease
from cronicorn.domain.ports import Decide
from cronicorn.domain.rows import done_of, done_text, run_row, settled_row, skip_row, state_row
from cronicorn.domain.run import Run
from cronicorn.domain.settlement import Settlement, Siblings, SiblingsNotReadError, Stored, siblings_not_read

_RUN = itemgetter(
    "status", "source", "trace", "due_us", "nominal_us", "started_us", "finished_us", "duration_us", "outcome", "body",
    "steering",
)  # fmt: skip
_NO_RUN = (None,) * 11
_SKIP = itemgetter("state", "reason", "first_us", "last_us", "instants", "exact")
_NO_SKIPS: list[list[Cell]] = [[]] * 7
_DAY_US = 86_400_000_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """A lease, its run, and what was decided about the endpoint as it was claimed."""

    lease: Lease
    run: Run | None
    schedule_cells: tuple[Cell, ...]
    """What proves the lease, the columns of `schedule` to write, and which attempt was made."""
    run_cells: tuple[Cell, ...]
    """The columns of `runs` besides those."""
    settlement: Settlement


class Settler:
    """Settles for one process."""

    def __init__(
        self, database: PostgresDatabase, clock: FleetClock, memory: LeaseMemory, statements: LeaseStatements
    ) -> None:
        self._database = database
        self._clock = clock
        self._memory = memory
        self._statements = statements
        self._batches: Batches[Settling, bool] = Batches(self._write, key=lambda item: item.lease.endpoint.id)

    async def settle(self, lease: Lease, run: Run | None, decide: Decide) -> Settlement:
        """Settle as `JobStore.settle` promises."""
        try:
            settlement = await self._settle(lease, run, decide)
        except LeaseLostError:
            self._memory.forget(lease.claim_id)
            raise
        self._memory.forget(lease.claim_id)
        return settlement

    async def _settle(self, lease: Lease, run: Run | None, decide: Decide) -> Settlement:
        settling = self._decided(lease, run, decide)
        if settling is not None and await self._batches.add(settling):
            return settling.settlement
        return await _repeated(lambda: self._look_closer(lease, run, decide))

    def _decided(self, lease: Lease, run: Run | None, decide: Decide) -> Settling | None:
        """What follows if nothing has changed since the claim; None when that takes a closer look."""
        remembered, now = self._memory.of(lease.claim_id), self._clock.now()
        if remembered is None or now is None or us(now) >= remembered.until_us:
            return None
        try:
            settlement = decide(
                lease.endpoint, Stored(now=now, leased_slot=lease.slot, siblings=Siblings(siblings_not_read))
            )
        except SiblingsNotReadError:
            return None
        if settlement.siblings:
            return None
        endpoint = lease.endpoint
        schedule_cells = (
            shard_of(endpoint.tenant_id, self._database.shards), endpoint.id, lease.claim_id, lease.fence,
            remembered.plan_version, *settled_row(remembered.document, endpoint, settlement.state).values(),
            done_text(settlement),
            *((run.slot, run.attempt) if run is not None else (None, None)),
        )  # fmt: skip
        run_cells = _RUN(run_row(run, settlement.steering)) if run is not None else _NO_RUN
        return Settling(lease=lease, run=run, schedule_cells=schedule_cells, run_cells=run_cells, settlement=settlement)

    async def _write(self, batch: Sequence[Settling]) -> list[bool | BaseException]:
        """Settle what is as it was claimed; answer of each whether it was. One that can't be written fails alone."""
        try:
            return [*await _repeated(lambda: self._write_together(batch))]
        except UnavailableError as error:
            return [error] * len(batch)
        except Exception as error:  # noqa: BLE001 - whose fault it is shows when each is alone
            if len(batch) == 1:
                return [error]
        return [(await self._write([item]))[0] for item in batch]

    async def _write_together(self, batch: Sequence[Settling]) -> list[bool]:
        arguments = _arguments(batch)
        statement, counts = self._statements.settle, _counts(batch)
        if any(counts):
            statement, arguments = counting(statement), [*arguments, *counts]
        accepted = await self._database.alone(lambda connection: connection.fetchval(statement, *arguments)) or ()
        settled = [False] * len(batch)
        for number in accepted:
            settled[number - 1] = True
        return settled

    async def _look_closer(self, lease: Lease, run: Run | None, decide: Decide) -> Settlement:
        async def work(transaction: Transaction) -> Settlement:
            return await self._settle_stored(transaction, lease, run, decide, whole_job=False)

        async def work_on_job(transaction: Transaction) -> Settlement:
            return await self._settle_stored(transaction, lease, run, decide, whole_job=True)

        try:
            return await self._database.write(work)
        except _SiblingsChangedError:
            return await self._database.write(work_on_job)

    async def _settle_stored(
        self, transaction: Transaction, lease: Lease, run: Run | None, decide: Decide, *, whole_job: bool
    ) -> Settlement:
        try:
            before, siblings = await _locked(transaction, lease, whole_job=whole_job)
        except NotFoundError:
            raise _lost(lease) from None
        (proof,) = await transaction.connection.fetch(
            self._statements.find, before.shard, lease.endpoint.id, lease.claim_id, lease.fence
        )
        if not self._stands(lease, before, held=proof["held"]):
            if not proof["settled"]:
                raise _lost(lease)
            return done_of(proof["done"], before.endpoint.state)
        settlement = await decided(transaction, before, lambda stored: decide(before.endpoint, stored))
        if settlement.siblings and not whole_job:
            raise _SiblingsChangedError
        if run is not None:
            await record_run(transaction.connection, before.number, settlement.recorded(run))
            if settlement.month_at is not None:
                await transaction.connection.execute(COUNT_RUNS, [run.tenant_id], [us(settlement.month_at)])
        await record_skips(transaction.connection, before.number, settlement.skips)
        for sibling in siblings:
            if sibling.endpoint.id in settlement.siblings:
                await apply(transaction, sibling, settlement.siblings[sibling.endpoint.id])
        await transaction.connection.execute(
            self._statements.settle_one,
            before.shard, before.endpoint.id, *state_row(settlement.state).values(), lease.claim_id, lease.fence,
            done_text(settlement),
        )  # fmt: skip
        return settlement

    def _stands(self, lease: Lease, before: Found, *, held: bool) -> bool:
        """Whether *lease*, *held* as far as its row says, may settle what is stored."""
        return held and lease.fits(before.endpoint.state)


async def _locked(transaction: Transaction, lease: Lease, *, whole_job: bool) -> tuple[Found, list[Found]]:
    """The endpoint, and with *whole_job* the others of its job. Raises NotFoundError."""
    endpoint = lease.endpoint
    if not whole_job:
        return await lock(transaction, endpoint.tenant_id, endpoint.id), []
    job_number = (await find(transaction, endpoint.tenant_id, endpoint.id)).job_number
    job = await lock_job(transaction, endpoint.tenant_id, job_number)
    for found in job:
        if found.endpoint.id == endpoint.id:
            return found, [other for other in job if other is not found]
    raise NotFoundError(f"There is no endpoint {endpoint.id}.")


def _arguments(batch: Sequence[Settling]) -> list[Sequence[Cell] | int]:
    """The columns of the statement's lists, and between which ends an attempt recorded before is looked for."""
    runs = [item.run for item in batch if item.run is not None]
    earliest_us = us(min((run.due_at for run in runs), default=EPOCH)) - _DAY_US
    latest_us = us(max((run.finished_at for run in runs), default=EPOCH)) + _DAY_US
    return [
        *zip(*(item.schedule_cells for item in batch), strict=True),
        earliest_us,
        latest_us,
        *zip(*(item.run_cells for item in batch), strict=True),
        *_skips(batch),
    ]


def _skips(batch: Sequence[Settling]) -> Sequence[Sequence[Cell]]:
    """The columns of the list of skips, each with its settlement's place."""
    skips = [(place, *_SKIP(skip_row(skip))) for place, item in enumerate(batch, 1) for skip in item.settlement.skips]
    return list(zip(*skips, strict=True)) or _NO_SKIPS


def _counts(batch: Sequence[Settling]) -> list[list[Cell]]:
    """The columns of the list of runs to count; all empty where no tenant has a limit."""
    counted = [
        (place, item.run.tenant_id, us(item.settlement.month_at))
        for place, item in enumerate(batch, 1)
        if item.run is not None and item.settlement.month_at is not None
    ]
    return [[row[column] for row in counted] for column in range(3)]


async def _repeated(work: Callable[[], Awaitable[T]]) -> T:
    """Do *work*, and once more when the connection was lost: it is answered alike whether it was done before or not."""
    try:
        return await work()
    except UnavailableError:
        return await work()


def _lost(lease: Lease) -> LeaseLostError:
    return LeaseLostError(f"Lease {lease.claim_id} on {lease.run_id} has ended or was taken over.")


class _SiblingsChangedError(Exception):
    """A decision writes to the siblings, which nobody locked."""
