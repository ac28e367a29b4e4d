"""Working off due slots with the product, and what that takes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import uvloop

from benchmarks.crew import begin_together, crew
from benchmarks.planting import due_now, plant
from benchmarks.stopwatch import Drained, Stopwatch
from benchmarks.world import CALLS_MAX, opened, rows_of
from cronicorn.domain.cells import Row
from cronicorn.domain.policy.policy import Policy

_LOOK_EVERY_S = 0.02


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


async def fill(order: Drain, policy: Policy | None = None) -> None:
    """Make what is due."""
    async with opened(order.database) as world:
        await plant(world.stores, due_now(order.slots, order.target, policy))


def drained(order: Drain, *, processes: int = 1, policy: Policy | None = None) -> Drained:
    """Fill the empty store that *order* names, and have the product work it off."""
    uvloop.run(fill(order, policy))
    if processes == 1:
        measured = [drain(order)]
    else:
        measured = crew(drain, [replace(order, worker_id=f"bench{number}") for number in range(processes)])
    assert uvloop.run(_successes(order)) == order.slots
    return together(measured)


def together(measured: Sequence[Drained]) -> Drained:
    """What it took workers that began together and shared the slots."""
    written = [each.written or 0 for each in measured]
    on_server = measured[0].database_cpu_s is not None
    return Drained(
        slots=measured[0].slots,
        seconds=max(each.seconds for each in measured),
        cpu_s=sum(each.cpu_s for each in measured),
        database_cpu_s=measured[0].database_cpu_s,
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
            while await rows.last_run() < last:  # noqa: ASYNC110 - others record as well
                await asyncio.sleep(_LOOK_EVERY_S)
            return await watch.stopped(order.slots)


def left_by_the_product(order: Drain) -> tuple[Row, Row]:
    """A row of `runs` and its row of `schedule` as the product leaves them: *order* is for one slot, in an empty store.

    What a bound writes is as long as these.
    """
    drained(order)
    return uvloop.run(_left(order))


async def _left(order: Drain) -> tuple[Row, Row]:
    async with rows_of(order.database) as rows:
        return await rows.one("runs"), await rows.one("schedule")


async def _successes(order: Drain) -> int:
    async with rows_of(order.database) as rows:
        return await rows.successes()
