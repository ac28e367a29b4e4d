"""Working off due slots with the product, and what that takes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import uvloop

from benchmarks.crew import begin_together, crew
from benchmarks.planting import due_now, plant
from benchmarks.stopwatch import Drained, Stopwatch, last_of
from benchmarks.world import CALLS_MAX, Rows, opened, rows_of
from cronicorn.domain.cells import Row
from cronicorn.domain.policy.text import policy_from

_LOOK_EVERY_S = 0.02
_SLOW_RATE = 600
"""Runs a second that are worked off before the same endpoints come due again, also by a machine that others use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """What a worker is to do."""

    database: str
    target: str
    """Its URL."""
    slots: int
    """So many are due, for all workers together."""
    calls_max: int = CALLS_MAX
    """At once."""
    worker_id: str = "bench"
    policy: str | None = None
    """Of every endpoint, as stores keep it."""
    rounds: int = 1
    """How often all of them come due. What is measured is the last time; until then one worker has had them all."""
    begins_in_s: int = 5
    """How long it may take a busy machine to begin: they come due again no sooner."""
    due_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    """For the first time."""

    @property
    def every(self) -> timedelta:
        """How long after that again: in a day, or soon after whoever is slow has worked them off."""
        return timedelta(days=1) if self.rounds == 1 else timedelta(seconds=self.begins_in_s + self.slots // _SLOW_RATE)


async def fill(order: Drain) -> None:
    """Make what is due."""
    policy = policy_from(order.policy) if order.policy is not None else None
    async with opened(order.database) as world:
        await plant(world.stores, due_now(order.slots, order.target, policy, now=order.due_at, every=order.every))


def drained(order: Drain, *, processes: int = 1) -> Drained:
    """Fill the empty store that *order* names, and have the product work it off, in processes that know nothing yet."""
    if processes == 1:
        measured = crew(fill_and_drain, [order])
    else:
        uvloop.run(fill(order))
        measured = crew(drain, [replace(order, worker_id=f"bench{number}") for number in range(processes)])
    assert uvloop.run(_successes(order)) == order.slots * order.rounds
    return together(measured)


def fill_and_drain(order: Drain) -> Drained:
    """Fill the empty store that *order* names, and work it off: all endpoints come due from now on."""
    order = replace(order, due_at=datetime.now(UTC))
    uvloop.run(fill(order))
    return drain(order)


def together(measured: Sequence[Drained]) -> Drained:
    """What it took workers that began together and shared the slots."""
    written = [each.written or 0 for each in measured]
    on_server = measured[0].database_cpu_s is not None
    return replace(
        measured[0],
        seconds=max(each.seconds for each in measured),
        cpu_s=sum(each.cpu_s for each in measured),
        written=written[0] if on_server else sum(written),
    )


def drain(order: Drain) -> Drained:
    """Work off what is due, as one of several workers or alone."""
    return uvloop.run(_drain(order))


async def _drain(order: Drain) -> Drained:
    async with opened(order.database) as world, rows_of(order.database) as rows:
        last = await rows.last_run() + order.slots
        begin_together()
        watch = await Stopwatch.begun(rows)
        async with world.scheduler(order.worker_id, order.calls_max):
            measured = [await _recorded(rows, last, watch, order.slots)]
            for number in range(1, order.rounds):
                due_in = order.due_at + number * order.every - datetime.now(UTC)
                assert due_in > timedelta(), "All came due again before the last of them was recorded."
                await asyncio.sleep(due_in.total_seconds())
                watch = await Stopwatch.begun(rows)
                measured.append(await _recorded(rows, last + number * order.slots, watch, order.slots))
    return last_of(measured)


async def _recorded(rows: Rows, last: int, watch: Stopwatch, slots: int) -> Drained:
    """What it takes until the run of this number is recorded, by whomever."""
    while await rows.last_run() < last:  # noqa: ASYNC110 - others record as well
        await asyncio.sleep(_LOOK_EVERY_S)
    return await watch.stopped(slots)


def left_by_the_product(order: Drain) -> tuple[Row, Row]:
    """A row of `runs` and its row of `schedule` as the product leaves them: *order* is for one slot, in an empty store.

    What a bound writes is as long as these.
    """
    drained(order)
    return uvloop.run(_left(order))


async def _left(order: Drain) -> tuple[Row, Row]:
    async with rows_of(order.database) as rows:
        return await rows.run(), await rows.schedule()


async def _successes(order: Drain) -> int:
    async with rows_of(order.database) as rows:
        return await rows.successes()
