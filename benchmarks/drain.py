"""How many due slots a second are called and recorded, on SQLite and on PostgreSQL, against what is possible.

All call the same server, at most 100 at once. The bound of each store writes the same rows (`bounds`). With rules, each
endpoint has the policy of `rules`, and each answer the fields that it reads.
"""

import statistics
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial

from benchmarks.bounds import Pattern, calls_only, postgres_bound, sqlite_bound
from benchmarks.capacity import capacity
from benchmarks.contest import Place, Work, peers
from benchmarks.draining import Drain, drained
from benchmarks.postgres import SERVER, passing_database, postgres_server
from benchmarks.report import Report, Row
from benchmarks.rules import POLICY, QUIET
from benchmarks.stopwatch import Drained
from benchmarks.target import target_server
from benchmarks.world import CALLS_MAX, sqlite_file
from cronicorn.domain.policy.reading import policy_of
from tests.servers.postgres import RestartableServer

_SLOTS = 4_000
_REPEATS = 7
_CALLS = "calls only"
_SQLITE_BOUND = "bound, SQLite: calls and rows"
_SQLITE = "cronicorn, SQLite"
_RULES = "cronicorn, SQLite, 5 rules over 10 fields"
_POSTGRES_BOUND = f"bound, {SERVER}: calls and rows"
_POSTGRES = f"cronicorn, {SERVER}"
_BOUND_OF = {
    _SQLITE_BOUND: _SQLITE_BOUND, _SQLITE: _SQLITE_BOUND, _RULES: _SQLITE_BOUND,
    _POSTGRES_BOUND: _POSTGRES_BOUND, _POSTGRES: _POSTGRES_BOUND,
}  # fmt: skip


def run(*, as_json: bool, quick: bool) -> None:
    """Measure and show."""
    slots, repeats = (50, 0) if quick else (_SLOTS, _REPEATS)
    with target_server(QUIET.encode()) as target, postgres_server(fsync=not quick) as server:
        asked = capacity(target, 0.1 if quick else 2.0)
        others = {} if quick else peers(server)
        contenders = _contenders(target.url, server) | others
        measured: dict[str, list[Drained]] = {name: [] for name in contenders}
        for _ in range(repeats + 1):  # Side by side: a machine shared with others is not as fast all the time.
            for name, (place, work) in contenders.items():
                with place() as database:
                    measured[name].append(work(Drain(database=database, target=target.url, slots=slots)))
                assert len(target.arrivals()) >= slots
    warm = {name: found[1:] or found for name, found in measured.items()}
    best = max((_rate(warm[name]) for name in others), default=None)
    rows = [_row(name, warm, best) for name in warm]
    rows.append(dict.fromkeys(rows[0]) | {"what": "target: a client that only asks", "runs/s": asked})
    about = f"{slots} due slots, {CALLS_MAX} calls at once, every run recorded; medians of {repeats} after a warm-up"
    Report(name="drain", about=about, rows=rows).show(as_json=as_json)


def _contenders(target: str, server: RestartableServer) -> dict[str, tuple[Place, Work]]:
    """Who works off the same, each in an empty store."""

    def postgres() -> AbstractContextManager[str]:
        return passing_database(server)

    with sqlite_file() as file:
        in_file = Pattern.of_product(file, target)
    with postgres() as database:
        on_server = Pattern.of_product(database, target)
    return {
        _CALLS: (sqlite_file, calls_only),
        _SQLITE_BOUND: (sqlite_file, partial(sqlite_bound, pattern=in_file)),
        _SQLITE: (sqlite_file, drained),
        _RULES: (sqlite_file, partial(drained, policy=policy_of(POLICY))),
        _POSTGRES_BOUND: (postgres, partial(postgres_bound, pattern=on_server)),
        _POSTGRES: (postgres, drained),
    }


def _row(name: str, measured: Mapping[str, Sequence[Drained]], best_peer: float | None) -> Row:
    rate, bound = _rate(measured[name]), _BOUND_OF.get(name)
    return {
        "what": name,
        "runs/s": rate,
        "of its bound": rate / _rate(measured[bound]) if bound is not None else None,
        "times the best peer": rate / best_peer if best_peer is not None else None,
        "CPU µs/run": statistics.median(each.cpu_us for each in measured[name]),
    }


def _rate(measured: Sequence[Drained]) -> float:
    return statistics.median(each.rate for each in measured)
