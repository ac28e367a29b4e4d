"""`python -m benchmarks [NAME ...] [--json] [--quick]`: all of them when none is named."""

import argparse

from benchmarks import (
    claims,
    cron,
    drain,
    fairness,
    flash_sale,
    held_snapshot,
    lateness,
    plan,
    quota,
    recovery,
    rules,
)  # fmt: skip
from benchmarks.adaptation import adaptbench
from benchmarks.compile_eval import compile_eval

ALL = {
    "plan": plan.run,
    "cron": cron.run,
    "drain": drain.run,
    "lateness": lateness.run,
    "claims": claims.run,
    "held-snapshot": held_snapshot.run,
    "fairness": fairness.run,
    "recovery": recovery.run,
    "rules": rules.run,
    "quota": quota.run,
    "flash-sale": flash_sale.run,
    "adaptation": adaptbench.run,
    "compile-eval": compile_eval.run,
}


def main() -> None:
    """Run the benchmarks that were named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*ALL, []], metavar="NAME", help=f"one of {', '.join(ALL)}")
    parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON instead of tables")
    parser.add_argument("--quick", action="store_true", help="only show that they run; the figures mean nothing")
    arguments = parser.parse_args()
    for name in arguments.names or ALL:
        ALL[name](as_json=arguments.as_json, quick=arguments.quick)


if __name__ == "__main__":
    main()
