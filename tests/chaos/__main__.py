"""`python -m tests.chaos run --minutes 2 --seed 7`, `python -m tests.chaos check FOLDER`."""

import argparse
import secrets
import sys
import tempfile
from pathlib import Path

from cronicorn.domain.mechanism import Mechanism
from tests.chaos.plan import Plan
from tests.chaos.run import check, run
from tests.chaos.stores import MUTANTS


def main() -> int:
    """1 when a promise was broken."""
    arguments = _parser().parse_args()
    if arguments.command == "run":
        folder = arguments.folder or Path(tempfile.mkdtemp(prefix="cronicorn-chaos-"))
        folder.mkdir(parents=True, exist_ok=True)
        plan = Plan.of(
            arguments.backend,
            Mechanism(arguments.mechanism),
            seed=arguments.seed,
            seconds=arguments.minutes * 60,
            mutant=arguments.mutant,
        )
        _say(f"seed {plan.seed}, history in {folder}")
        run(plan, folder)
    else:
        folder = arguments.folder
    found, figures = check(folder)
    _say(figures)
    for violation in found[:20]:
        _say(violation)
    _say(f"{len(found)} promises broken")
    return 1 if found else 0


def _say(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Break things, and see what holds.")
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run", help="run workers under faults, then check")
    running.add_argument("--minutes", type=float, default=2.0)
    running.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    running.add_argument("--backend", choices=["postgres", "sqlite"], default="postgres")
    running.add_argument("--mechanism", choices=list(Mechanism), default=Mechanism.LEASE)
    running.add_argument("--mutant", choices=MUTANTS, help="run with a guard known to be too weak")
    running.add_argument("--folder", type=Path, help="where the history goes; a new folder by default")
    checking = commands.add_parser("check", help="check the history of a run again")
    checking.add_argument("folder", type=Path)
    return parser


if __name__ == "__main__":
    sys.exit(main())
