"""AdaptBench: every policy in every scenario, against the oracle."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean

from benchmarks.adaptation.contestants import CONTESTANTS
from benchmarks.adaptation.oracle import Best, oracle
from benchmarks.adaptation.plot import Line, plot
from benchmarks.adaptation.scenarios import SCENARIOS
from benchmarks.adaptation.score import Scored, percentile, scored, total_of
from benchmarks.adaptation.simulation import Requests, simulate
from benchmarks.adaptation.world import World
from benchmarks.report import RESULTS, Report, Row

VERSION = "adaptbench-v1"
SEEDS = tuple(range(1, 21))
QUICK = ("S2", "S5", "S8")

Results = dict[str, dict[str, list[Scored]]]
"""By policy and scenario, one for each seed."""


def run(*, as_json: bool, quick: bool, seeds: Sequence[int] = SEEDS) -> None:
    """Measure, show, and draw the scenarios of the first seed."""
    names = QUICK if quick else tuple(SCENARIOS)
    results: Results = {policy: {name: [] for name in names} for policy in CONTESTANTS}
    for seed in seeds[:1] if quick else seeds:
        for name in names:
            world = SCENARIOS[name](seed)
            best = oracle(world)
            played = {policy: simulate(world, driver(world)) for policy, driver in CONTESTANTS.items()}
            for policy, requests in played.items():
                results[policy][name].append(scored(world, requests, best.loss))
            if seed == seeds[0] and not quick:
                draw(world, best, played)
    count = 1 if quick else len(seeds)
    about = f"{VERSION}, scores of 100, mean of {count} seeds; total is their geometric mean"
    Report(name="adaptation", about=about, rows=rows_of(results)).show(as_json=as_json)


def rows_of(results: Results) -> list[Row]:
    """One row for each policy."""
    return [{"policy": policy, **_scores(scenarios), **_figures(scenarios)} for policy, scenarios in results.items()]


def _scores(scenarios: Mapping[str, list[Scored]]) -> dict[str, float]:
    means = {name: fmean(each.score for each in found) for name, found in scenarios.items()}
    return means | {"total": total_of(list(means.values()))}


def _figures(scenarios: Mapping[str, list[Scored]]) -> dict[str, float | int | None]:
    every = [each for found in scenarios.values() for each in found]
    delays = [delay for each in every for delay in each.delays]
    return {
        "p50 s": percentile(delays, 0.5),
        "p95 s": percentile(delays, 0.95),
        "wrong %": 100 * fmean(each.wrong_share for each in every),
        "flips/h": fmean(each.flips_per_hour for each in every),
        "calls": fmean(each.requests for each in every),
        "tokens/day": fmean(each.tokens_per_day for each in every),
        "broken": sum(len(each.violations) for each in every),
    }


def draw(world: World, best: Best, played: Mapping[str, Requests]) -> None:
    """Save the picture of one world to `results/adaptation/`."""
    folder = RESULTS / "adaptation"
    folder.mkdir(parents=True, exist_ok=True)
    watched = next(iter(world.endpoints.values()))
    lines = list(_lines(watched.name, best, played))
    (folder / f"{world.name}.svg").write_text(plot(world, watched, lines), encoding="utf-8")


def _lines(name: str, best: Best, played: Mapping[str, Requests]) -> Iterator[Line]:
    yield Line(label="oracle", times=best.times[name])
    for policy, requests in played.items():
        yield Line(label=policy, times=requests.times[name])
