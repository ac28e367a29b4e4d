"""How many due slots a second are called and recorded, on SQLite and on PostgreSQL, against what is possible.

All call the same server, at most 100 at once. All endpoints come due twice, and the second time is measured, as is
usual for a scheduler; beside it stands the first time, when the process has just started. The bound of each store
writes the same rows (`bounds`). With rules, each endpoint has the policy of `rules`, and each answer the fields that it
reads. Peers (`contest`) make the same calls once: each job of theirs is a new one.
"""

from dataclasses import replace
from functools import partial

from benchmarks.bounds import calls_only
from benchmarks.capacity import capacity
from benchmarks.contest import peers
from benchmarks.draining import Drain, drained
from benchmarks.postgres import passing_database, postgres_server
from benchmarks.report import Report, Row
from benchmarks.rounds import (
    BOUND_OF,
    POSTGRES,
    SQLITE,
    SQLITE_BOUND,
    Place,
    Work,
    figures,
    median_cold_rate,
    median_rate,
    product_and_bounds,
    side_by_side,
)
from benchmarks.rules import POLICY, QUIET
from benchmarks.stopwatch import Drained
from benchmarks.target import target_server
from benchmarks.world import CALLS_MAX, sqlite_file
from cronicorn.domain.policy.reading import policy_of
from cronicorn.domain.policy.text import policy_text

_SLOTS = 4_000
_REPEATS = 7
_ROUNDS = 2
_RULES = "cronicorn, SQLite, 5 rules over 10 fields"
_BOUND_OF = {**BOUND_OF, _RULES: SQLITE_BOUND}


def run(*, as_json: bool, quick: bool) -> None:
    """Measure and show."""
    slots, repeats, rounds, begins_in_s = (50, 0, 1, 15) if quick else (_SLOTS, _REPEATS, _ROUNDS, 5)
    with target_server(QUIET.encode()) as target, postgres_server(fsync=not quick) as server:
        asked = capacity(target, 0.1 if quick else 2.0)
        places: dict[str, Place] = {SQLITE: sqlite_file, POSTGRES: partial(passing_database, server)}
        others = {} if quick else peers(server)
        contenders: dict[str, tuple[Place, Work]] = {
            "calls only": (sqlite_file, calls_only),
            _RULES: (sqlite_file, _with_rules),
            **product_and_bounds(target, places, rounds),
            **others,
        }
        order = Drain(database="", target=target.url, slots=slots, rounds=rounds, begins_in_s=begins_in_s)
        measured = side_by_side(contenders, target, order, repeats)
    rows: list[Row] = [
        {**figures(name, measured, _BOUND_OF.get(name)), "cold runs/s": median_cold_rate(measured[name])}
        for name in measured
    ]
    if others:
        best = max(median_rate(measured[name]) for name in others)
        rows = [{**row, "times the best peer": median_rate(measured[str(row["what"])]) / best} for row in rows]
    rows.append(dict.fromkeys(rows[0]) | {"what": "target: a client that only asks", "runs/s": asked})
    about = (
        f"{slots} slots due for the second time, {CALLS_MAX} calls at once, every run recorded; medians of {repeats}"
    )
    Report(name="drain", about=about, rows=rows).show(as_json=as_json)


def _with_rules(order: Drain) -> Drained:
    """Always for the second time, also where the others are to be quick."""
    return drained(replace(order, policy=policy_text(policy_of(POLICY)), rounds=_ROUNDS))
