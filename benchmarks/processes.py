"""How many runs a second one and two scheduler processes make of the same due slots, and what each run costs."""

from benchmarks.draining import Drain, drained
from benchmarks.report import Report, Row
from benchmarks.rounds import both_stores, costs, median_rate
from benchmarks.stopwatch import Drained
from benchmarks.target import target_server
from benchmarks.world import CALLS_MAX

_SLOTS = 8_000
_REPEATS = 5
_PROCESSES = (1, 2)


def run(*, as_json: bool, quick: bool) -> None:
    """Measure and show."""
    slots, repeats = (50, 0) if quick else (_SLOTS, _REPEATS)
    with target_server() as target, both_stores(quick=quick) as places:
        measured: dict[tuple[str, int], list[Drained]] = {(name, n): [] for name in places for n in _PROCESSES}
        for _ in range(repeats + 1):
            for (name, processes), found in measured.items():
                with places[name]() as database:
                    order = Drain(database=database, target=target.url, slots=slots)
                    found.append(drained(order, processes=processes))
            target.arrivals()
    warm = {key: found[1:] or found for key, found in measured.items()}
    rows = [_row(name, processes, warm) for name, processes in warm]
    about = f"{slots} due slots, {CALLS_MAX} calls at once in each process; medians of {repeats} after a warm-up"
    Report(name="processes", about=about, rows=rows).show(as_json=as_json)


def _row(name: str, processes: int, measured: dict[tuple[str, int], list[Drained]]) -> Row:
    rate = median_rate(measured[name, processes])
    return {
        "what": name,
        "processes": processes,
        "runs/s": rate,
        "times one": rate / median_rate(measured[name, 1]),
        **costs(measured[name, processes]),
    }
