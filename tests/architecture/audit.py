"""Whether a locked version has a known hole, as far as that can be asked from here: `make audit`."""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from tests.architecture.source import ROOT

LOCKED = "requirements/all.txt"
CLEAN, HOLES, NOT_ASKED = 0, 1, 3
_AWAY = "The list of known holes is out of reach from here"
_THEN = "That says nothing about them. Run `make audit` where the list can be reached, before a release at least."


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of asking, and what to say about it."""

    code: int
    lines: tuple[str, ...]


def verdict(report: str) -> Verdict:
    """What the JSON of pip-audit means. A version it has no answer for is not a sound one, though it ends well then."""
    try:
        asked: list[dict[str, Any]] = json.loads(report)["dependencies"]
    except ValueError:
        asked = []
    holes = [
        f"{each['name']} {each['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'no version'}"
        for each in asked
        for hole in each.get("vulns", [])
    ]
    unknown = [each["name"] for each in asked if "skip_reason" in each]
    if holes:
        return Verdict(HOLES, (*holes, "Take a version without it: `make lock UPGRADE=--upgrade`, then `make test`."))
    if unknown or not asked:
        return Verdict(
            NOT_ASKED, (f"{_AWAY}: {len(asked) - len(unknown)} of the versions in {LOCKED} could be looked up.", _THEN)
        )
    return Verdict(CLEAN, (f"None of the {len(asked)} versions in {LOCKED} has a known hole.",))


def main() -> int:
    command = [sys.executable, "-m", "pip_audit", "--requirement", LOCKED, "--disable-pip", "--require-hashes",
               "--progress-spinner", "off", "--format", "json"]  # fmt: skip
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found = verdict(ended.stdout)
    print("\n".join(found.lines), file=sys.stderr if found.code else sys.stdout)
    return found.code


if __name__ == "__main__":
    sys.exit(main())
