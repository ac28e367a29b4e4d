"""How many runs a second there are where every answer takes 200 ms and 2,000 calls are in progress at once."""

from benchmarks.draining import Drain
from benchmarks.report import Report, Row
from benchmarks.rounds import BOUND_OF, both_stores, figures, product_and_bounds, side_by_side
from benchmarks.target import target_server
from cronicorn.wiring.descriptors import raise_descriptor_limit

_SLOTS = 40_000
"""So many that the 200 ms at the beginning and at the end, while fewer calls are in progress, count for little."""
_REPEATS = 3
_CALLS_MAX = 2_000
_ANSWERS_AFTER_S = 0.2


def run(*, as_json: bool, quick: bool) -> None:
    """Measure and show."""
    slots, calls_max, repeats = (100, 50, 0) if quick else (_SLOTS, _CALLS_MAX, _REPEATS)
    raise_descriptor_limit()
    with target_server(answers_after_s=_ANSWERS_AFTER_S) as target, both_stores(quick=quick) as places:
        order = Drain(database="", target=target.url, slots=slots, calls_max=calls_max)
        measured = side_by_side(product_and_bounds(target, places), target, order, repeats)
    ideal = calls_max / _ANSWERS_AFTER_S
    rows: list[Row] = [
        {**(found := figures(name, measured, BOUND_OF[name])), "of the ideal": float(str(found["runs/s"])) / ideal}
        for name in measured
    ]
    about = (
        f"{slots} due slots, {calls_max} calls at once, each answered after {_ANSWERS_AFTER_S * 1_000:g} ms: at best "
        f"{ideal:,.0f} runs/s; medians of {repeats} after a warm-up"
    )
    Report(name="slow-targets", about=about, rows=rows).show(as_json=as_json)
