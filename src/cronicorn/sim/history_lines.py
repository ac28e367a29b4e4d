"""A simulation in words: what each endpoint did, what steered it, and whether it was as expected."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from cronicorn.domain.hint import Hint, HintKind
from cronicorn.sim.chronicle import Fate, HintChange, SimulatedCall
from cronicorn.sim.phases import CadencePhase, phases_of
from cronicorn.sim.simulation import Simulated
from cronicorn.sim.times import clocked, spanned

SHOWN_MAX = 20
"""Of more endpoints only the first are told of one by one."""
_LINES_MAX = 12
HEADINGS = ("ENDPOINT", "CALLS", "FAILED", "LOST", "FIRST", "LAST", "GAPS: LEAST", "USUAL", "MOST")


def heading(simulated: Simulated) -> str:
    """What was simulated."""
    scenario = simulated.scenario
    workers = "" if scenario.workers == 1 else f", {scenario.workers} workers"
    start = scenario.start.isoformat().replace("+00:00", "Z")
    return f"{scenario.name}: {spanned(scenario.length)} from {start}, seed {scenario.seed}{workers}"


def rows(simulated: Simulated) -> list[tuple[str, ...]]:
    """A row for each endpoint, under HEADINGS."""
    return [_row(name, simulated.chronicle.of(name)) for name in _names(simulated)[:SHOWN_MAX]]


def details(simulated: Simulated) -> list[str]:
    """The cadence of each endpoint, and what was written and happened to it."""
    told: list[str] = []
    names = _names(simulated)
    for name in names[:SHOWN_MAX]:
        told += _of_endpoint(simulated, name)
    if len(names) > SHOWN_MAX:
        calls = sum(len(simulated.chronicle.of(name)) for name in names[SHOWN_MAX:])
        told.append(f"and {len(names) - SHOWN_MAX} more endpoints with {calls} calls; --json tells all")
    general = [f"  {clocked(each.at)} {each.what}" for each in simulated.chronicle.happenings if each.endpoint is None]
    return [*told, *(["", "workers", *_some(general)] if general else [])]


def expectations(simulated: Simulated) -> list[str]:
    """A line for each expectation."""
    return [
        f"{'held   ' if verdict.held else 'BROKEN '} {each.name} ({verdict.seen})"
        for each, verdict in simulated.verdicts
    ]


def _names(simulated: Simulated) -> list[str]:
    return [each.endpoint.name for each in simulated.scenario.endpoints]


def _row(name: str, calls: Sequence[SimulatedCall]) -> tuple[str, ...]:
    times = [call.at for call in calls]
    gaps = sorted(after - before for before, after in pairwise(times))
    shown = [spanned(gap) for gap in (gaps[0], gaps[len(gaps) // 2], gaps[-1])] if gaps else ["", "", ""]
    counted = [str(sum(call.fate is fate for call in calls)) for fate in (Fate.FAILED, Fate.LOST)]
    ends = [clocked(time) for time in (times[0], times[-1])] if times else ["", ""]
    return (name, str(len(calls)), *counted, *ends, *shown)


def _of_endpoint(simulated: Simulated, name: str) -> list[str]:
    chronicle = simulated.chronicle
    phases = phases_of(call.at for call in chronicle.of(name))
    steers = [_steered(steer) for steer in chronicle.steers if steer.endpoint == name]
    happened = [f"    {clocked(each.at)} {each.what}" for each in chronicle.happenings if each.endpoint == name]
    told = ["", name]
    if len(phases) > 1 or (phases and (steers or happened)):
        told += ["  cadence", *_some([_phase(each) for each in phases])]
    if steers:
        told += ["  hints", *_some(steers)]
    if happened:
        told += ["  events", *_some(happened)]
    return told if len(told) > 2 else []  # noqa: PLR2004 (an endpoint that just runs is in the table)


def _some(lines: list[str]) -> list[str]:
    left = len(lines) - _LINES_MAX
    return lines if left <= 1 else [*lines[:_LINES_MAX], f"    and {left} more"]


def _phase(phase: CadencePhase) -> str:
    times = f", {phase.calls} times" if phase.calls > 1 else ""
    return f"    {clocked(phase.begin)} every {spanned(phase.gap)}{times}"


def _steered(steer: HintChange) -> str:
    hint = steer.hint
    author = f"{hint.author.value} {hint.key}".strip()
    what = f"{author} ends" if steer.ended else f"{author}: {_asked(hint, steer.at)}"
    return f"    {clocked(steer.at)} {what}"


def _asked(hint: Hint, at: float) -> str:
    if hint.interval is not None:
        return f"every {spanned(hint.interval.total_seconds())}"
    assert hint.at is not None
    wait = max(hint.at - hint.written_at, timedelta(0)).total_seconds()
    when = "now" if not wait else f"at {clocked(at + wait)}"
    match hint.kind:
        case HintKind.ONE_SHOT:
            return f"run {when}"
        case HintKind.DEFER:
            return f"not before {clocked(at + wait)}"
        case _:
            return f"pause until {clocked(at + wait)}"
