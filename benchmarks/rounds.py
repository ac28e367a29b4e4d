"""Contenders that work off the same due slots in turn, so that a machine shared with others is as fast for all."""

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from benchmarks.bounds import Pattern, sqlite_bound
from benchmarks.draining import Drain, drained
from benchmarks.postgres import SERVER, passing_database, postgres_server
from benchmarks.postgres_bound import postgres_bound
from benchmarks.report import Row
from benchmarks.stopwatch import Drained
from benchmarks.target import Target
from benchmarks.world import sqlite_file

SQLITE_BOUND = "bound, SQLite: calls and rows"
SQLITE = "cronicorn, SQLite"
POSTGRES_BOUND = f"bound, {SERVER}: calls and rows"
POSTGRES = f"cronicorn, {SERVER}"
BOUND_OF = {
    SQLITE: SQLITE_BOUND,
    SQLITE_BOUND: SQLITE_BOUND,
    POSTGRES: POSTGRES_BOUND,
    POSTGRES_BOUND: POSTGRES_BOUND,
}

Place: TypeAlias = Callable[[], AbstractContextManager[str]]
"""Makes an empty store, and names it."""
Work: TypeAlias = Callable[[Drain], Drained]


@contextmanager
def both_stores(*, quick: bool) -> Iterator[dict[str, Place]]:
    """Where the product may work, by its name there; on SQLite alone where it is to be *quick*."""
    if quick:
        yield {SQLITE: sqlite_file}
        return
    with postgres_server() as server:
        yield {SQLITE: sqlite_file, POSTGRES: partial(passing_database, server)}


def product_and_bounds(target: Target, places: Mapping[str, Place], rounds: int = 1) -> dict[str, tuple[Place, Work]]:
    """The product at *places*, and the bound of each, which writes what the product does in the last of *rounds*."""
    contenders: dict[str, tuple[Place, Work]] = {}
    for name, place in places.items():
        with place() as database:
            pattern = Pattern.of_product(database, target.url, rounds)
        bound = sqlite_bound if name == SQLITE else postgres_bound
        contenders[BOUND_OF[name]] = place, partial(bound, pattern=pattern)
        contenders[name] = place, drained
    return contenders


def side_by_side(
    contenders: Mapping[str, tuple[Place, Work]], target: Target, order: Drain, repeats: int
) -> dict[str, Sequence[Drained]]:
    """What each took for *order*, at its own place, in *repeats* turns after one to warm up; with 0, what that took."""
    measured: dict[str, list[Drained]] = {name: [] for name in contenders}
    for _ in range(repeats + 1):
        for name, (place, work) in contenders.items():
            target.arrivals()
            with place() as database:
                done = work(replace(order, database=database))
            assert len(target.arrivals()) == order.slots * done.rounds
            measured[name].append(done)
    return {name: found[1:] or found for name, found in measured.items()}


def figures(name: str, measured: Mapping[str, Sequence[Drained]], bound: str | None) -> Row:
    """Medians of one of them, beside its *bound*."""
    rate = median_rate(measured[name])
    return {
        "what": name,
        "runs/s": rate,
        "of its bound": rate / median_rate(measured[bound]) if bound is not None else None,
        **costs(measured[name]),
    }


def costs(measured: Sequence[Drained]) -> Row:
    """Medians of what a run costs."""
    written = [each.written_each for each in measured if each.written_each is not None]
    database = [each.database_cpu_us for each in measured if each.database_cpu_us is not None]
    return {
        "CPU µs/run": statistics.median(each.cpu_us for each in measured),
        "database CPU µs/run": statistics.median(database) if database else None,
        "bytes written/run": statistics.median(written) if written else None,
    }


def median_cold_rate(measured: Sequence[Drained]) -> float:
    """Runs a second when all came due for the first time."""
    return statistics.median(each.rate if each.cold_rate is None else each.cold_rate for each in measured)


def median_rate(measured: Sequence[Drained]) -> float:
    """Runs a second."""
    return statistics.median(each.rate for each in measured)
