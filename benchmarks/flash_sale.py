"""A flash sale: a thousand endpoints of one tenant change what they answer at once, and all want an analysis.

Eight processes of the whole product, each with an API, a scheduler and a planner; real servers are called and asked.
What each mode spends beside what it promises, and how late the calls of both tenants begin, before and in the sale.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.postgres import SERVER, new_database, postgres_server
from benchmarks.product_sale import BOUND, LIMIT, LOUD, QUIET, ProductSale, RunningSale, Runs, holding
from benchmarks.report import Report, Row
from cronicorn.cli.comparison.measures import quantile
from cronicorn.domain.quota.decision import Mode
from cronicorn.wiring.engine import OVERDUE_SLACK

_MODES = (Mode.RESERVE, Mode.SOFT)
_SETTLE_IN_S = 5.0
_POLL_S = 1.0
LATE_S = OVERDUE_SLACK.total_seconds() + _POLL_S
"""A slot that is due for longer without a worker is overdue: what `cronicorn_overdue_slots` counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phases:
    """How long is measured, in seconds."""

    before: float = 30.0
    sale: float = 45.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one sale showed of one tenant."""

    before: Runs
    sale: Runs
    by_the_books: int
    by_the_model: int
    analyses: int


def run(*, as_json: bool, quick: bool) -> None:
    """Measure and show."""
    sale = ProductSale(processes=2, endpoints=30, quiet=10, interval_s=2, model_s=0.1) if quick else ProductSale()
    phases = Phases(before=2.0, sale=4.0) if quick else Phases()
    rows: list[Row] = []
    with postgres_server() as server:
        for mode in _MODES:
            measured = asyncio.run(_measured(sale, phases, mode, new_database(server, f"sale_{mode}")))
            rows += [_row(mode, tenant, found) for tenant, found in measured.items()]
    about = (
        f"{sale.endpoints} and {sale.quiet} endpoints of two tenants each {sale.interval_s} s, {sale.processes} "
        f"processes, limit {LIMIT}, a model that takes {sale.model_s:g} s, {SERVER}; late is more than {LATE_S:g} s; "
        f"load of the machine {os.getloadavg()[1]:.1f}"
    )
    Report(name="flash-sale", about=about, rows=rows).show(as_json=as_json)


async def _measured(sale: ProductSale, phases: Phases, mode: Mode, database: str) -> dict[str, Measured]:
    with tempfile.TemporaryDirectory(prefix="cronicorn-sale-", ignore_cleanup_errors=True) as folder:
        async with holding(sale, mode, database, Path(folder)) as running:
            await asyncio.sleep(_SETTLE_IN_S)
            before = await _passed(phases.before)
            began_at = await running.begin()
            during = began_at, (await _passed(phases.sale))[1]
            await running.all_called(since=during[1])
            await running.at_rest()
            return {tenant: await _of(running, tenant, before, during) for tenant in (LOUD, QUIET)}


async def _passed(seconds: float) -> tuple[float, float]:
    """From now until *seconds* have passed."""
    since = time.time()
    await asyncio.sleep(seconds)
    return since, time.time()


async def _of(running: RunningSale, tenant: str, before: tuple[float, float], during: tuple[float, float]) -> Measured:
    used, _ = await running.standing(tenant)
    return Measured(
        before=await running.runs(tenant, *before),
        sale=await running.runs(tenant, *during),
        by_the_books=used,
        by_the_model=running.model.tokens[tenant],
        analyses=running.model.analyses[tenant],
    )


def _row(mode: Mode, tenant: str, found: Measured) -> Row:
    before, sale = ([1_000 * late for late in runs.late_s] for runs in (found.before, found.sale))
    return {
        "mode": mode.value,
        "tenant": "of the sale" if tenant == LOUD else "beside it",
        "slots": len(sale),
        "not called": found.before.not_called + found.sale.not_called,
        "late before": _late(found.before),
        "late in it": _late(found.sale),
        "p50 ms": quantile(sale, 0.5),
        "p50 times": _times(before, sale, 0.5),
        "p99 ms": quantile(sale, 0.99),
        "p99 times": _times(before, sale, 0.99),
        "max ms": max(sale),
        "analyses": found.analyses,
        "spent": found.by_the_books,
        "by the model": found.by_the_model,
        "at most": LIMIT + (BOUND.overrun_max if mode is Mode.SOFT else 0),
    }


def _times(before: Sequence[float], sale: Sequence[float], share: float) -> float | None:
    """The quantile in the sale by that before it."""
    usual, now = quantile(before, share), quantile(sale, share)
    return now / usual if usual and now is not None else None


def _late(runs: Runs) -> int:
    return sum(late > LATE_S for late in runs.late_s)
