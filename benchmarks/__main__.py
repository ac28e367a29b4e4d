"""`python -m benchmarks [NAME ...] [--json] [--quick]`: when none is named, all but those that have to be."""

import argparse
from importlib import import_module

ALL = {
    "plan": "plan",
    "cron": "cron",
    "drain": "drain",
    "processes": "processes",
    "slow-targets": "slow_targets",
    "lateness": "lateness",
    "claims": "claims",
    "held-snapshot": "held_snapshot",
    "fairness": "fairness",
    "recovery": "recovery",
    "memory": "memory",
    "api": "api",
    "scale": "scale",
    "rules": "rules",
    "quota": "quota",
    "flash-sale": "flash_sale",
    "adaptation": "adaptation.adaptbench",
    "compile-eval": "compile_eval.compile_eval",
}
"""Each with its module, which is imported when it is run: every process that a benchmark starts imports this one."""
ONLY_NAMED = {"profile": "profile", "scale-large": "scale_large", "api-large": "api_large", "pages": "pages"}
"""What may not be allowed or there, as it looks into another process or needs a browser, and what takes too long."""


def main() -> None:
    """Run the benchmarks that were named."""
    known = ALL | ONLY_NAMED
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*known, []], metavar="NAME", help=f"one of {', '.join(known)}")
    parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON instead of tables")
    parser.add_argument("--quick", action="store_true", help="only show that they run; the figures mean nothing")
    arguments = parser.parse_args()
    for name in arguments.names or ALL:
        import_module(f"benchmarks.{known[name]}").run(as_json=arguments.as_json, quick=arguments.quick)


if __name__ == "__main__":
    main()
