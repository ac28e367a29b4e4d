"""How late calls begin, against timers of the bare event loop that make the same calls.

Measured at the server: the wall-clock arrival of each request against the grid of its endpoint, so that nothing the
product says of itself is believed. Phases are spread evenly over the interval. Drift is by how much the median of the
last quarter of the time is later than that of the first.
"""

import asyncio
import math
import statistics
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import uvloop

from benchmarks.planting import plant, waiting
from benchmarks.report import Report, Row
from benchmarks.rounds import both_stores
from benchmarks.stopwatch import cpu_seconds
from benchmarks.target import Target, target_server
from benchmarks.world import curl, opened
from cronicorn.cli.comparison.measures import quantile
from cronicorn.domain.call import Request
from cronicorn.domain.endpoint import Baseline
from cronicorn.domain.fixtures import an_endpoint
from cronicorn.domain.outgoing import call_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Endpoints on a grid, and how long they are watched."""

    endpoints: int
    interval_s: float
    seconds: float = 30.0
    warm_up_s: float = 5.0

    def path(self, number: int, begin: float) -> str:
        """What the endpoint asks for: where its grid lies."""
        return f"/{number}?phase={self.phase(number, begin):.6f}&interval={self.interval_s}"

    def phase(self, number: int, begin: float) -> float:
        """An instant of the grid of an endpoint."""
        return begin + number * self.interval_s / self.endpoints


_TIMER_SLACK_S = 0.001
"""Event loops round timers to milliseconds."""
_LOADS = (
    Load(endpoints=100, interval_s=1.0),
    Load(endpoints=1_000, interval_s=1.0),
    Load(endpoints=10_000, interval_s=10.0, warm_up_s=10.0),  # What became due while they were made is late.
)
_QUICK = (Load(endpoints=20, interval_s=0.5, seconds=0.6, warm_up_s=0.3),)


def run(*, as_json: bool, quick: bool) -> None:
    """Measure and show."""
    rows: list[Row] = []
    loads = _QUICK if quick else _LOADS
    with target_server() as target, both_stores(quick=quick) as places:
        for load in loads:
            rows.append(_row(load, "bound: bare timers", uvloop.run(_bound(target, load))))
            for name, place in places.items():
                with place() as database:
                    rows.append(_row(load, name, uvloop.run(_product(target, load, database))))
    about = f"ms from the grid to the request's arrival at the target, over {loads[0].seconds:g} s after a warm-up"
    Report(name="lateness", about=about, rows=rows).show(as_json=as_json)


def _row(load: Load, what: str, found: dict[str, float | None]) -> Row:
    return {"endpoints": f"{load.endpoints} each {load.interval_s:g} s", "what": what, **found}


async def _product(target: Target, load: Load, database: str) -> dict[str, float | None]:
    async with opened(database) as world:
        begin = math.floor(time.time())
        interval = timedelta(seconds=load.interval_s)
        baselines = (
            Baseline(interval=interval, anchor_at=datetime.fromtimestamp(load.phase(number, begin), UTC))
            for number in range(load.endpoints)
        )
        endpoints = (
            waiting(number, target.url + load.path(number, begin), baseline)
            for number, baseline in enumerate(baselines)
        )
        await plant(world.stores, endpoints)
        async with world.scheduler():
            return await _watched(target, load)


async def _bound(target: Target, load: Load) -> dict[str, float | None]:
    async with curl(load.endpoints) as dispatcher:
        begin = math.floor(time.time())

        async def timer(number: int) -> None:
            phase = load.phase(number, begin)
            endpoint = an_endpoint(id=f"ep{number}", request=Request(url=target.url + load.path(number, begin)))
            call = call_for(endpoint, 1)
            for tick in range(math.ceil((time.time() - phase) / load.interval_s), 10_000):
                while (wait := phase + tick * load.interval_s - time.time()) > 0:  # noqa: ASYNC110 - a clock
                    await asyncio.sleep(wait + _TIMER_SLACK_S)
                await dispatcher.dispatch(call)

        timers = [asyncio.create_task(timer(number)) for number in range(load.endpoints)]
        try:
            return await _watched(target, load)
        finally:
            for task in timers:
                task.cancel()
            await asyncio.gather(*timers, return_exceptions=True)


async def _watched(target: Target, load: Load) -> dict[str, float | None]:
    await asyncio.sleep(load.warm_up_s)
    target.arrivals()
    cpu, start = cpu_seconds(), time.monotonic()
    await asyncio.sleep(load.seconds)
    elapsed = time.monotonic() - start
    arrivals = target.arrivals()
    late = [_late_ms(path, at) for path, at in arrivals]
    quarter = max(1, len(late) // 4)
    return {
        "delivered %": 100 * len(late) / (load.endpoints / load.interval_s * elapsed),
        "p50 ms": quantile(late, 0.5),
        "p99 ms": quantile(late, 0.99),
        "p99.9 ms": quantile(late, 0.999),
        "max ms": max(late),
        "drift ms": statistics.median(late[-quarter:]) - statistics.median(late[:quarter]),
        "early": sum(each > load.interval_s * 900 for each in late),
        "CPU %": 100 * (cpu_seconds() - cpu) / elapsed,
    }


def _late_ms(path: str, at: float) -> float:
    fields = dict(part.split("=") for part in path.split("?")[1].split("&"))
    return (at - float(fields["phase"])) % float(fields["interval"]) * 1_000
