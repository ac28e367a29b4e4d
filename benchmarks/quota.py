"""How many reservations a second one tenant gets of a token quota, when all its processes ask at once, by mode.

The bound is the mode `reserve`, which decides within one statement; `advisory` is the classical way, a lock around a
look and a charge. The modes take turns, round by round, on one server; first on one that waits for the disk at every
commit, where the one row of the tenant can't be written more often than that, then on one that does not.
"""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median

import uvloop

from benchmarks.crew import begin_together, crew
from benchmarks.postgres import new_database, postgres_server
from benchmarks.report import Report, Row
from cronicorn.adapters.postgres.database import PostgresDatabase
from cronicorn.adapters.postgres.options import PostgresOptions
from cronicorn.adapters.postgres.quota import PostgresQuota
from cronicorn.domain.quota.allowance import TOKENS_MAX, Allowance, Budget, Tiers
from cronicorn.domain.quota.decision import Granted, Mode

_PROCESSES = 4
_TASKS = 4
_ROUNDS = 3
_SECONDS = 5.0
_WARM_UP_S = 0.5
_TTL = timedelta(minutes=5)
_TIERS = Tiers(allowances={"free-tier": Allowance(limit=TOKENS_MAX, burst=None)})
_MODES = (Mode.RESERVE, Mode.ADVISORY, Mode.SOFT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What one process measures."""

    url: str
    mode: Mode
    name: str
    """Differs between all processes of all rounds."""
    seconds: float


@dataclass(slots=True)
class Admissions:
    """How long each decision took, in seconds."""

    waits: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What all processes together did in one mode."""

    grants_per_s: float
    wait_p50_s: float


def run(*, as_json: bool, quick: bool) -> None:
    """Measure and show."""
    rounds, seconds = (1, 0.2) if quick else (_ROUNDS, _SECONDS)
    rows = [row for fsync in (True, False) for row in _rows(rounds, seconds, fsync=fsync)]
    about = (
        f"reservations of one tenant on PostgreSQL 18, {_PROCESSES} processes with {_TASKS} tasks each, median of "
        f"{rounds} rounds of {seconds:g} s in turn"
    )
    Report(name="quota", about=about, rows=rows).show(as_json=as_json)


def _rows(rounds: int, seconds: float, *, fsync: bool) -> list[Row]:
    measured: dict[Mode, list[Round]] = {mode: [] for mode in _MODES}
    with postgres_server(fsync=fsync) as server:
        for number in range(rounds):
            for mode in _MODES:
                url = new_database(server, f"{mode}{number}")
                measured[mode].append(_round(url, mode, number, seconds))
    bound = _rate(measured[Mode.RESERVE])
    return [_row(mode, "on" if fsync else "off", taken, bound) for mode, taken in measured.items()]


def _round(url: str, mode: Mode, number: int, seconds: float) -> Round:
    orders = [
        Order(url=url, mode=mode, name=f"{mode} {number} {process}", seconds=seconds) for process in range(_PROCESSES)
    ]
    waits = [wait for done in crew(_spend, orders) for wait in done.waits]
    return Round(grants_per_s=len(waits) / seconds, wait_p50_s=median(waits))


def _rate(rounds: list[Round]) -> float:
    return median(each.grants_per_s for each in rounds)


def _row(mode: Mode, fsync: str, rounds: list[Round], bound: float) -> Row:
    rate = _rate(rounds)
    return {
        "mode": mode.value,
        "fsync": fsync,
        "reservations/s": rate,
        "slowest round": min(each.grants_per_s for each in rounds),
        "fastest round": max(each.grants_per_s for each in rounds),
        "decided after, p50, ms": 1_000 * median(each.wait_p50_s for each in rounds),
        "reserve is faster, times": bound / rate,
    }


def _spend(order: Order) -> Admissions:
    return uvloop.run(_measure(order))


async def _measure(order: Order) -> Admissions:
    database = await PostgresDatabase.open(order.url, PostgresOptions(connections_max=_TASKS))
    quota, done = PostgresQuota(database, _TIERS, order.mode), Admissions()
    await quota.remaining("hot")
    begin_together()
    warm_at = time.monotonic() + _WARM_UP_S
    await asyncio.gather(*(_ask_again_and_again(quota, order, task, warm_at, done) for task in range(_TASKS)))
    await database.aclose()
    return done


async def _ask_again_and_again(quota: PostgresQuota, order: Order, task: int, warm_at: float, done: Admissions) -> None:
    number = 0
    while (asked := time.monotonic()) < warm_at + order.seconds:
        number += 1
        key = f"{order.name} {task} {number}"
        decision = await quota.reserve("hot", 1_000, budget=Budget.ANALYSIS, key=key, ttl=_TTL)
        decided = time.monotonic()
        assert isinstance(decision, Granted)
        if asked >= warm_at:
            done.waits.append(decided - asked)
