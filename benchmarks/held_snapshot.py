"""What an old snapshot that somebody holds does to claims: rows that were claimed can't be cleared away meanwhile.

Four processes claim and settle, each batch due again at once, beside an idle REPEATABLE READ transaction and without
one. The bound to beat is the same without watermark: every claim begins at the left end of the index.
"""

import asyncio
import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
import uvloop

from benchmarks.claimers import Pace, a_crowd, claim_and_settle, rate
from benchmarks.crew import begin_together, crew
from benchmarks.postgres import SERVER, new_database, postgres_server
from benchmarks.report import Report, Row
from cronicorn.adapters.postgres.job_store import PostgresJobStore
from cronicorn.adapters.postgres.stores import PostgresStores

_ROWS = 20_000
_SECONDS = 60.0
_BATCH = 50
_CLAIMERS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What one process measures."""

    url: str
    worker_id: str
    seconds: float
    watermark: bool


def run(*, as_json: bool, quick: bool) -> None:
    """Measure and show."""
    seconds, claimers, planted = (0.5, 1, 1_000) if quick else (_SECONDS, _CLAIMERS, _ROWS)
    rows: list[Row] = []
    first = 0.0
    with postgres_server() as server:
        for watermark in (True, False):
            for held in (False, True):
                url = new_database(server, f"held{held}{watermark}".lower())
                uvloop.run(a_crowd(url, planted))
                orders = [
                    Order(url=url, worker_id=f"w{number}", seconds=seconds, watermark=watermark)
                    for number in range(claimers)
                ]
                with _snapshot(url, held=held):
                    paces = crew(_work, orders)
                what = ("cronicorn" if watermark else "bound: no watermark") + (", a snapshot held" if held else "")
                first = first if held else rate(paces, seconds)
                rows.append(_row(what, paces, seconds, first))
    about = f"{SERVER}, {claimers} processes, batches of {_BATCH}, {seconds:g} s each; p50 of claims by quarter"
    Report(name="held-snapshot", about=about, rows=rows).show(as_json=as_json)


def _row(what: str, paces: Sequence[Pace], seconds: float, undisturbed: float) -> Row:
    quarters = [_median_ms(paces, seconds * part / 4, seconds * (part + 1) / 4) for part in range(4)]
    of_quarters = {f"{part + 1}. p50 ms": median for part, median in enumerate(quarters)}
    speed = rate(paces, seconds)
    return {"what": what, "rows/s": speed, "of undisturbed": speed / undisturbed, **of_quarters}


def _median_ms(paces: Sequence[Pace], low: float, high: float) -> float | None:
    took = [took for pace in paces for at, took, _ in pace.claims if low <= at < high]
    return statistics.median(took) * 1_000 if took else None


@contextmanager
def _snapshot(url: str, *, held: bool) -> Iterator[None]:
    """An idle transaction that sees the database as it is now, for as long as the block lasts."""
    if not held:
        yield
        return
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(url))
        runner.run(connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ"))
        runner.run(connection.execute("SELECT count(*) FROM cronicorn.schedule"))
        yield
        runner.run(connection.execute("COMMIT"))
        runner.run(connection.close())


def _work(order: Order) -> Pace:
    return uvloop.run(_measure(order))


async def _measure(order: Order) -> Pace:
    stores = await PostgresStores.open(order.url)
    try:
        store = stores.job_store if order.watermark else _without_watermark(stores)
        begin_together()
        return await claim_and_settle(store, order.worker_id, batch=_BATCH, seconds=order.seconds)
    finally:
        await stores.aclose()


def _without_watermark(stores: PostgresStores) -> PostgresJobStore:
    return PostgresJobStore(stores.database, sweep_interval=timedelta(0))
