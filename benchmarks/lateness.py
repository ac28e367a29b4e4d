"""How late calls begin, against timers of the bare event loop that make the same calls.

Measured at the server: the wall-clock arrival of each request against the grid of its endpoint, so that nothing the
product says of itself is believed. Phases are spread evenly over the interval.
"""

import asyncio
import math
import time
from datetime import UTC, datetime, timedelta

import uvloop

from benchmarks.report import Report, Row
from benchmarks.target import Target, target_server
from benchmarks.world import a_world, cpu_seconds, curl
from cronicorn.domain.call import Request
from cronicorn.domain.endpoint import Baseline
from cronicorn.domain.fixtures import an_endpoint
from cronicorn.domain.outgoing import call_for

_SECONDS = 15.0
_WARM_UP = 3
_LOADS = ((100, 1.0), (500, 1.0), (1_000, 10.0))
"""Endpoints, and the interval of each in seconds."""


def run(*, as_json: bool, quick: bool) -> None:
    """Measure and show."""
    rows: list[Row] = []
    seconds, loads = (1.0, ((20, 0.5),)) if quick else (_SECONDS, _LOADS)
    with target_server() as target:
        for endpoints, interval in loads:
            bound = uvloop.run(_bound(target, endpoints, interval, seconds))
            product = uvloop.run(_product(target, endpoints, interval, seconds))
            load = f"{endpoints} each {interval:g} s"
            rows.append({"endpoints": load, "what": "bound: bare timers", **bound})
            rows.append({"endpoints": load, "what": "cronicorn, SQLite", **product})
    about = f"ms from the grid to the request's arrival, over {seconds:g} s after {_WARM_UP} s of warm-up"
    Report(name="lateness", about=about, rows=rows).show(as_json=as_json)


def _path(number: int, phase: float, interval: float) -> str:
    return f"/{number}?phase={phase:.6f}&interval={interval}"


async def _product(target: Target, endpoints: int, interval: float, seconds: float) -> dict[str, float | int]:
    async with a_world() as world:
        begin = math.ceil(time.time()) + 1
        for number in range(endpoints):
            phase = begin + number * interval / endpoints
            anchor = datetime.fromtimestamp(phase, UTC)
            url = target.url + _path(number, phase, interval)
            await world.add(number, Baseline(interval=timedelta(seconds=interval), anchor_at=anchor), url, None)
        async with world.scheduler():
            return await _watched(target, endpoints, interval, seconds)


async def _bound(target: Target, endpoints: int, interval: float, seconds: float) -> dict[str, float | int]:
    async with curl() as dispatcher:
        begin = math.ceil(time.time()) + 1

        async def timer(number: int) -> None:
            phase = begin + number * interval / endpoints
            call = call_for(
                an_endpoint(id=f"ep{number}", request=Request(url=target.url + _path(number, phase, interval))), 1
            )
            for tick in range(10_000):
                await asyncio.sleep(max(0.0, phase + tick * interval - time.time()) + 0.001)
                await dispatcher.dispatch(call)

        timers = [asyncio.create_task(timer(number)) for number in range(endpoints)]
        try:
            return await _watched(target, endpoints, interval, seconds)
        finally:
            for task in timers:
                task.cancel()
            await asyncio.gather(*timers, return_exceptions=True)


async def _watched(target: Target, endpoints: int, interval: float, seconds: float) -> dict[str, float | int]:
    await asyncio.sleep(_WARM_UP)
    target.arrivals()
    cpu, start = cpu_seconds(), time.monotonic()
    await asyncio.sleep(seconds)
    elapsed = time.monotonic() - start
    arrivals = target.arrivals()
    late = sorted(_late_ms(path, at) for path, at in arrivals)
    return {
        "delivered %": 100 * len(arrivals) / (endpoints / interval * elapsed),
        "p50 ms": late[len(late) // 2],
        "p99 ms": late[int(len(late) * 0.99)],
        "max ms": late[-1],
        "early": sum(lateness > interval * 900 for lateness in late),
        "CPU %": 100 * (cpu_seconds() - cpu) / elapsed,
    }


def _late_ms(path: str, at: float) -> float:
    fields = dict(part.split("=") for part in path.split("?")[1].split("&"))
    return (at - float(fields["phase"])) % float(fields["interval"]) * 1_000
