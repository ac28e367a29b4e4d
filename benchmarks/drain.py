"""How many due slots a second are called and recorded, against a bound with the same calls and the same rows.

Both call the same server over the product's own HTTP client, at most 100 at once, and write one run with its body and
one schedule row for each call to SQLite in WAL mode. The bound does nothing else: no plan, no lease, no fence, no skip.
With rules, each endpoint has the policy of `rules`, and each answer the fields that it reads.
"""

import asyncio
import sqlite3
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import uvloop

from benchmarks.report import Report, Row
from benchmarks.rules import POLICY, QUIET
from benchmarks.target import Target, target_server
from benchmarks.world import CALLS_MAX, a_world, cpu_seconds, curl
from cronicorn.domain.call import Outcome, Request
from cronicorn.domain.endpoint import Baseline
from cronicorn.domain.fixtures import an_endpoint
from cronicorn.domain.outgoing import call_for
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.policy.reading import policy_of
from cronicorn.domain.ports import Dispatcher

_SLOTS = 4_000
_REPEATS = 7
_BATCH = 100
_LONG = timedelta(days=1)
_BOUND = "bound: calls and rows only"
_PRODUCT = "cronicorn, SQLite"
_RULES = "cronicorn, SQLite, 5 rules over 10 fields"
_STATE = "x" * 400
"""As long as the state of an endpoint without hints is when stored."""


def run(*, as_json: bool, quick: bool) -> None:
    """Measure and show."""
    slots, repeats = (200, 1) if quick else (_SLOTS, _REPEATS)
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in (_BOUND, _PRODUCT, _RULES)}
    with target_server(QUIET.encode()) as target:
        for _ in range(repeats + 1):  # Side by side: a machine shared with others is not as fast all the time.
            measured[_BOUND].append(uvloop.run(_bound(target, slots)))
            measured[_PRODUCT].append(uvloop.run(_product(target, slots, None)))
            measured[_RULES].append(uvloop.run(_product(target, slots, policy_of(POLICY))))
    rows = [_row(name, each[1:], measured[_BOUND][1:]) for name, each in measured.items()]
    about = f"{slots} due slots, {CALLS_MAX} calls at once, every run recorded; medians of {repeats} after a warm-up"
    Report(name="drain", about=about, rows=rows).show(as_json=as_json)


def _row(name: str, measured: list[tuple[float, float]], bound: list[tuple[float, float]]) -> Row:
    rate = statistics.median(rate for rate, _ in measured)
    cpu = statistics.median(cpu for _, cpu in measured)
    bound_rate = statistics.median(rate for rate, _ in bound)
    return {"what": name, "runs/s": rate, "of the bound": rate / bound_rate, "CPU µs/run": cpu * 1e6}


async def _product(target: Target, slots: int, policy: Policy | None) -> tuple[float, float]:
    async with a_world() as world:
        now = datetime.now(UTC)
        baseline = Baseline(interval=_LONG, anchor_at=now)
        urls = (f"{target.url}/{number}" for number in range(slots))
        await asyncio.gather(*(world.add(number, baseline, url, now, policy) for number, url in enumerate(urls)))

        async def drain() -> None:
            async with world.scheduler():
                while await world.stores.health.overdue(timedelta(0)) or _in_progress(world.file):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)

        measured = await _measured(drain, slots)
        assert _successes(world.file) == slots
        return measured


def _successes(file: Path) -> int:
    with sqlite3.connect(file) as connection:
        return int(connection.execute("SELECT count(*) FROM runs WHERE status = 'success'").fetchone()[0])


def _in_progress(file: Path) -> list[object]:
    with sqlite3.connect(file) as connection:
        return connection.execute("SELECT 1 FROM schedule WHERE claim_id IS NOT NULL LIMIT 1").fetchall()


async def _bound(target: Target, slots: int) -> tuple[float, float]:
    with TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder) / "bound.db", isolation_level=None)
        connection.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
            "CREATE TABLE schedule (number INTEGER PRIMARY KEY, due_us INTEGER, state TEXT);"
            "CREATE TABLE runs (number INTEGER, slot INTEGER, started_us INTEGER, status TEXT, body TEXT);"
        )
        connection.executemany("INSERT INTO schedule VALUES (?, 0, ?)", [(number, _STATE) for number in range(slots)])

        async def drain() -> None:
            async with curl() as dispatcher:
                await _call_and_write(dispatcher, target, connection, slots)

        return await _measured(drain, slots)


async def _call_and_write(dispatcher: Dispatcher, target: Target, connection: sqlite3.Connection, slots: int) -> None:
    numbers, answers = iter(range(slots)), list[tuple[int, Outcome]]()

    async def worker() -> None:
        for number in numbers:
            endpoint = an_endpoint(id=f"ep{number}", request=Request(url=f"{target.url}/{number}"))
            answers.append((number, await dispatcher.dispatch(call_for(endpoint, 1))))
            if len(answers) >= _BATCH:
                _write(connection, answers)

    await asyncio.gather(*(worker() for _ in range(CALLS_MAX)))
    _write(connection, answers)


def _write(connection: sqlite3.Connection, answers: list[tuple[int, Outcome]]) -> None:
    now_us = time.time_ns() // 1_000
    connection.execute("BEGIN IMMEDIATE")
    rows = [(number, 1, now_us, outcome.kind.value, outcome.body) for number, outcome in answers]
    assert all(outcome.status_code == 200 for _, outcome in answers)  # A bound of failures would be no bound.
    connection.executemany("INSERT INTO runs VALUES (?, ?, ?, ?, ?)", rows)
    updates = [(now_us, _STATE, number) for number, _ in answers]
    connection.executemany("UPDATE schedule SET due_us = ?, state = ? WHERE number = ?", updates)
    connection.execute("COMMIT")
    answers.clear()


async def _measured(drain: Callable[[], Awaitable[None]], slots: int) -> tuple[float, float]:
    """Slots a second, and CPU seconds of this process for each."""
    start, cpu = time.perf_counter(), cpu_seconds()
    await drain()
    elapsed = time.perf_counter() - start
    return slots / elapsed, (cpu_seconds() - cpu) / slots
