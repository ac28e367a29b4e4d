"""How late slots of many tenants begin while one tenant has a long backlog.

Real schedulers with calls that end at once work off the backlog; meanwhile the other tenants' slots become due, and
how late they begin is what the recorded runs say. Beside it the same with claims that take whatever is longest due.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
import uvloop

from benchmarks.crew import begin_together, crew
from benchmarks.postgres import SERVER, new_database, postgres_server
from benchmarks.report import Report, Row
from benchmarks.world import CALLS_MAX
from cronicorn.adapters.cron.cronsim_cron import CronsimCron
from cronicorn.adapters.postgres.claim_statements import CLAIM
from cronicorn.adapters.postgres.job_store import PostgresJobStore
from cronicorn.adapters.postgres.lease_statements import LeaseStatements
from cronicorn.adapters.postgres.queries import altered
from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.adapters.system_clock import SystemClock
from cronicorn.cli.comparison.measures import quantile
from cronicorn.domain.fields import us
from cronicorn.scheduler.loop import Scheduler
from cronicorn.scheduler.settings import SchedulerSettings
from cronicorn.testing.dispatchers import ScriptedDispatcher
from tests.adapters.postgres.crowd import plant_crowd

_WORKERS = 3
_BIG = "big"
_OVERDUE = timedelta(hours=1)
_SAID = "1 AS turns, $14::int AS visited, $13::text AS last_visited, $13::text AS last_turn"
_LONGEST_DUE_FIRST = LeaseStatements(claim_in_turn=altered(CLAIM, " AS found,", f" AS found, {_SAID},"))
_DELAYS = """
WITH due AS (
       SELECT e.number, d.due_us FROM unnest($1::text[], $2::bigint[]) AS d(id, due_us)
         JOIN cronicorn.endpoints AS e ON e.id = d.id)
SELECT r.started_us - d.due_us AS late_us FROM due AS d
  LEFT JOIN cronicorn.runs AS r ON r.endpoint_number = d.number AND r.slot = 1
"""
_BACKLOG_DONE = """
SELECT count(*) FROM cronicorn.runs AS r JOIN cronicorn.endpoints AS e ON e.number = r.endpoint_number
 WHERE e.tenant_id = $1 AND r.slot = 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One tenant's backlog, and the slots of the others that become due while it is worked off."""

    backlog: int = 45_000
    tenants: int = 50
    slots_each: int = 100
    apart: timedelta = timedelta(milliseconds=100)
    first: timedelta = timedelta(seconds=3.5)
    """So long after they were planted the first of these slots become due: about when the workers have started."""
    seconds: float = 25.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What one worker does."""

    url: str
    worker_id: str
    seconds: float
    fair: bool


def run(*, as_json: bool, quick: bool) -> None:
    """Measure and show."""
    load = Load(backlog=500, tenants=5, slots_each=20, seconds=4.0) if quick else Load()
    workers = 1 if quick else _WORKERS
    rows: list[Row] = []
    with postgres_server() as server:
        for fair in (True, False):
            url = new_database(server, f"fair{fair}".lower())
            due = uvloop.run(_fill(url, load))
            orders = [
                Order(url=url, worker_id=f"w{number}", seconds=load.seconds, fair=fair) for number in range(workers)
            ]
            began = max(crew(_work, orders))
            rows.append(uvloop.run(_row("cronicorn" if fair else "bound: longest due first", url, due, began)))
    others = f"{load.tenants} tenants with {load.slots_each} slots each"
    about = f"{SERVER}, {workers} schedulers, a backlog of {load.backlog} of one tenant, and {others}"
    Report(name="fairness", about=about, rows=rows).show(as_json=as_json)


async def _fill(url: str, load: Load) -> dict[str, int]:
    """The other tenants' slots: when each is due, by endpoint, in microseconds."""
    stores = await PostgresStores.open(url)
    others = {f"t{number:03}": load.slots_each for number in range(load.tenants)}
    await plant_crowd(stores.database, {_BIG: load.backlog}, overdue=_OVERDUE)
    await plant_crowd(stores.database, others, overdue=-load.first, apart=load.apart)
    await stores.aclose()
    connection = await asyncpg.connect(url)
    found = await connection.fetch("SELECT endpoint_id, due_us FROM cronicorn.schedule WHERE tenant_id <> $1", _BIG)
    await connection.close()
    return {row["endpoint_id"]: row["due_us"] for row in found}


async def _row(what: str, url: str, due: dict[str, int], began: datetime) -> Row:
    """Of the slots that became due once all workers ran; one that never began counts as such."""
    counted = {endpoint: due_us for endpoint, due_us in due.items() if due_us > us(began)}
    connection = await asyncpg.connect(url)
    found = [row["late_us"] for row in await connection.fetch(_DELAYS, [*counted], [*counted.values()])]
    done = await connection.fetchval(_BACKLOG_DONE, _BIG)
    await connection.close()
    late = [each / 1_000 for each in found if each is not None]
    return {
        "what": what,
        "slots": len(found),
        "p50 ms": quantile(late, 0.5),
        "p99 ms": quantile(late, 0.99),
        "max ms": quantile(late, 1.0),
        "never began": len(found) - len(late),
        "of the backlog done": done,
    }


def _work(order: Order) -> datetime:
    logging.getLogger("cronicorn").setLevel(logging.ERROR)
    return uvloop.run(_schedule(order))


async def _schedule(order: Order) -> datetime:
    """Work for a while; answer when that began."""
    stores = await PostgresStores.open(order.url)
    try:
        statements = LeaseStatements() if order.fair else _LONGEST_DUE_FIRST
        store = PostgresJobStore(stores.database, statements=statements)
        settings = SchedulerSettings(worker_id=order.worker_id, calls_max=CALLS_MAX)
        scheduler = Scheduler(store, ScriptedDispatcher(), SystemClock(), CronsimCron(), settings)
        begin_together()
        began = datetime.now(UTC)
        task = asyncio.create_task(scheduler.run())
        await asyncio.sleep(order.seconds)
        scheduler.stop()
        await task
        await store.aclose()
        return began
    finally:
        await stores.aclose()
