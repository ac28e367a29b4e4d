"""What memory and CPU time a scheduler process takes: idle, by how many endpoints are registered, and with calls.

The process is `cronicorn scheduler`, seen from outside. Calls in progress are calls that the target does not answer.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import uvloop

from benchmarks.draining import Drain, fill
from benchmarks.planting import plant, waiting
from benchmarks.report import Report, Row
from benchmarks.rounds import Place, both_stores
from benchmarks.stopwatch import cpu_seconds_of
from benchmarks.target import Target, target_server
from benchmarks.world import opened
from cronicorn.domain.endpoint import Baseline
from cronicorn.domain.instant import DAY
from tests.waiting import eventually
from tests.wiring.up_process import Service, service

_MIB = 1 << 20
_NEVER_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What is looked at, and for how long."""

    endpoints: tuple[int, ...] = (1_000, 10_000, 100_000)
    calls: int = 2_000
    settle_in_s: float = 5.0
    seconds: float = 15.0


def run(*, as_json: bool, quick: bool) -> None:
    """Measure and show."""
    sizes = Sizes(endpoints=(5,), calls=5, settle_in_s=0.0, seconds=0.2) if quick else Sizes()
    with target_server(answers_after_s=_NEVER_S) as target, both_stores(quick=quick) as places:
        rows = [row for name in places for row in _rows(name, places[name], sizes, target)]
    about = (
        f"`cronicorn scheduler`, resident memory and CPU over {sizes.seconds:g} s; extra: of each beyond the first row"
    )
    Report(name="memory", about=about, rows=rows).show(as_json=as_json)


def _rows(name: str, place: Place, sizes: Sizes, target: Target) -> list[Row]:
    first, *_ = sizes.endpoints
    least = 0.0
    rows: list[Row] = []
    for endpoints in sizes.endpoints:
        with place() as database:
            uvloop.run(_register(database, endpoints, target))
            resident, cpu = _seen(database, sizes, lambda _: True)
        least = least or resident
        extra = (resident - least) / (endpoints - first) if endpoints > first else None
        rows.append(_row(name, f"idle, {endpoints} endpoints", resident, cpu, extra))
    with place() as database:
        uvloop.run(fill(Drain(database=database, target=target.url, slots=sizes.calls)))
        target.arrivals()
        asked: list[tuple[str, float]] = []

        def all_called(_: Service) -> bool:
            asked.extend(target.arrivals())
            return len(asked) == sizes.calls

        resident, cpu = _seen(database, sizes, all_called)
    rows.append(_row(name, f"{sizes.calls} calls in progress", resident, cpu, (resident - least) / sizes.calls))
    return rows


def _row(what: str, state: str, resident: float, cpu: float, extra: float | None) -> Row:
    return {
        "what": what, "process": state, "RSS MiB": resident / _MIB, "extra bytes each": extra, "CPU %": 100 * cpu,
    }  # fmt: skip


async def _register(database: str, endpoints: int, target: Target) -> None:
    """None of them is due before tomorrow."""
    baseline = Baseline(interval=DAY, anchor_at=datetime.now(UTC))
    async with opened(database) as world:
        await plant(world.stores, (waiting(number, f"{target.url}/{number}", baseline) for number in range(endpoints)))


def _seen(database: str, sizes: Sizes, begun: Callable[[Service], bool]) -> tuple[float, float]:
    """Resident bytes and the share of a core, once a scheduler has settled in."""
    with TemporaryDirectory() as folder, _scheduler(Path(folder), database, sizes.calls) as scheduler:
        eventually(lambda: scheduler.events("process_started") and begun(scheduler), within_s=120)
        time.sleep(sizes.settle_in_s)
        pid = scheduler.process.pid
        cpu, start = cpu_seconds_of(pid), time.monotonic()
        time.sleep(sizes.seconds)
        share = (cpu_seconds_of(pid) - cpu) / (time.monotonic() - start)
        return _resident(pid), share


def _scheduler(folder: Path, database: str, calls: int) -> AbstractContextManager[Service]:
    settings = {"DATABASE_URL": database, "CALLS_MAX": str(calls)}
    return service(folder, "scheduler", ("scheduler",), **settings)


def _resident(pid: int) -> float:
    """Bytes."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
    return float(line.split()[1]) * 1_024
