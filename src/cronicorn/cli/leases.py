"""`cronicorn leases`: what keeps workers apart."""

from typing import TYPE_CHECKING, Annotated

import typer

from cronicorn.cli.local import run
from cronicorn.cli.showing import print_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cronicorn.cli.comparison.measures import Row
    from cronicorn.cli.comparison.trial import Trial

app = typer.Typer(help="Compare the mechanisms that keep workers apart.", no_args_is_help=True)


@app.command("compare")
def compare(
    *,
    mechanisms: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES",
            help="Which, separated by commas: lease, legacy, optimistic, redis, etcd. All that can be had, by default.",
        ),
    ] = None,
    seconds: Annotated[float, typer.Option(min=15, max=3_600, help="How long each is under load.")] = 30,
    workers: Annotated[int, typer.Option(min=2, max=64, help="Scheduler processes at once.")] = 4,
    endpoints: Annotated[int, typer.Option(min=1, max=1_000, help="Endpoints, each called every second.")] = 40,
    seed: Annotated[int, typer.Option(help="Decides the faults.")] = 1,
    database: Annotated[
        str | None,
        typer.Option("--database", metavar="URL", help="A scratch database, instead of a SQLite file for each."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list with one object for each mechanism.")] = False,
) -> None:
    """Run the same load and the same faults over each mechanism and print what each made of it.

    Workers are real processes; some are killed, some frozen for half a lease up to two, at the same moments for all.

    Without --database each mechanism gets a SQLite file of its own. Name a scratch database: one with jobs is refused.

    redis and etcd need a PostgreSQL there, and CRONICORN_REDIS_URL or CRONICORN_ETCD_URL. What is left out is said.

    Example: cronicorn leases compare --mechanisms lease,optimistic --seconds 30
    """
    import sys

    from cronicorn.cli.comparison.lineup import line_up
    from cronicorn.cli.comparison.trial import Trial

    lineup = line_up(mechanisms, database)
    for why in lineup.left_out.values():
        print(f"Left out: {why}", file=sys.stderr)
    trial = Trial(mechanisms=lineup.mechanisms, workers=workers, endpoints=endpoints, seconds=seconds, seed=seed)
    run(_compare(trial, database, as_json=as_json))


async def _compare(trial: "Trial", database: str | None, *, as_json: bool) -> None:
    import sys
    from dataclasses import asdict

    from cronicorn.cli.comparison.comparison import compare as compared

    rows = await compared(trial, database, lambda mechanism: print(f"{mechanism} ...", file=sys.stderr, flush=True))
    if as_json:
        print_json([asdict(row) for row in rows])
    else:
        _print_table(trial, rows)


def _print_table(trial: "Trial", rows: list["Row"]) -> None:
    from collections import Counter

    from rich.console import Console
    from rich.table import Table

    from cronicorn.cli.comparison.trial import FaultKind

    faults = Counter(fault.kind for fault in trial.faults())
    print(
        f"{trial.seconds:g} s each, {trial.workers} workers, {trial.endpoints} endpoints called every second, "
        f"{faults[FaultKind.KILL]} kills and {faults[FaultKind.FREEZE]} freezes, lease {trial.lease_ttl_s:g} s, "
        f"legacy lock {trial.legacy_lock_s:g} s, seed {trial.seed}"
    )
    table = Table("", *(row.mechanism.value for row in rows))
    for column in table.columns[1:]:
        column.justify = "right"
    for measure, shown in _MEASURES.items():
        table.add_row(measure, *map(shown, rows))
    Console().print(table)


def _shown(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


_MEASURES: "Mapping[str, Callable[[Row], str]]" = {
    "runs recorded": lambda row: str(row.runs),
    "slots called twice": lambda row: str(row.calls_doubled),
    "stale completions refused": lambda row: str(row.stale_refused),
    "leases lost": lambda row: str(row.leases_lost),
    "slots claimed": lambda row: str(row.claims),
    "empty claims": lambda row: str(row.claims_empty),
    "contended claims": lambda row: str(row.claims_contended),
    "claim time, p50": lambda row: _shown(row.claim_p50_s),
    "claim time, p99": lambda row: _shown(row.claim_p99_s),
    "calls cut off by a kill": lambda row: str(row.recoveries),
    "called again after, p50": lambda row: _shown(row.recovery_p50_s),
    "called again after, max": lambda row: _shown(row.recovery_max_s),
    "start delay, p99": lambda row: _shown(row.delay_p99_s),
    "violations found": lambda row: str(row.violations),
}
