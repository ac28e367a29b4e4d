"""Where the time of a run goes: py-spy looks at a worker that drains; each stack belongs to a part of the product.

All endpoints come due so often that what is seen of their first time, when the worker knows none, is a small part.
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.draining import Drain, fill_and_drain
from benchmarks.report import Report, Row
from benchmarks.rounds import both_stores
from benchmarks.stopwatch import Drained
from benchmarks.target import target_server

_SLOTS = 4_000
_ROUNDS = 5
_LOOKS_A_SECOND = 500
_DRAINING = ";drain (benchmarks/draining.py"
_WRITING = "_serve (cronicorn/adapters/sqlite/writer.py"
_PARTS = {
    "making calls": ("cronicorn/adapters/http/",),
    "steering, planning": (
        "cronicorn/domain/decision.py",
        "cronicorn/domain/planning.py",
        "cronicorn/domain/steering.py",
    ),
    "rows and documents": (
        "cronicorn/domain/rows.py",
        "cronicorn/domain/document.py",
        "cronicorn/domain/lately_read.py",
        "cronicorn/domain/history_document.py",
        "cronicorn/domain/steering_record.py",
    ),
    "statements": ("cronicorn/adapters/sqlite/", "cronicorn/adapters/postgres/"),
    "the loop that claims and runs": ("cronicorn/scheduler/",),
}
"""Files of the product; what they call elsewhere, libraries and the interpreter included, is theirs."""
_REST = "event loop, benchmark"


def run(*, as_json: bool, quick: bool) -> None:
    """Measure and show."""
    slots = 50 if quick else _SLOTS
    rows: list[Row] = []
    with target_server() as target, both_stores(quick=quick) as places:
        for name, place in places.items():
            with place() as database:
                rows.extend(_rows(name, *_watched(database, target.url, slots)))
            target.arrivals()
    about = f"CPU of a worker that drains {slots} slots {_ROUNDS} times, by part; {_LOOKS_A_SECOND} looks a second"
    Report(name="profile", about=about, rows=rows).show(as_json=as_json)


def _watched(database: str, target: str, slots: int) -> tuple[Drained, Counter[str]]:
    """Drain in another process, and count at what part it was seen how often."""
    with TemporaryDirectory() as folder:
        stacks = Path(folder) / "stacks"
        look = ["record", "--nonblocking", "--format", "raw", "--rate", str(_LOOKS_A_SECOND), "--output", str(stacks)]
        worker = [sys.executable, "-m", "benchmarks.profile", database, target, str(slots)]
        spy = Path(sys.executable).with_name("py-spy")
        done = subprocess.run([spy, *look, "--", *worker], check=True, capture_output=True, text=True)
        result = next((line for line in done.stdout.splitlines() if line.startswith("{")), None)
        assert result is not None, done.stderr
        return Drained(**json.loads(result)), _parts_in(stacks.read_text())


def _parts_in(stacks: str) -> Counter[str]:
    seen: Counter[str] = Counter()
    for line in stacks.splitlines():
        stack, _, times = line.rpartition(" ")
        if _DRAINING in stack or _WRITING in stack:
            seen[_part_of(stack)] += int(times)
    return seen


def _part_of(stack: str) -> str:
    """Of the innermost frame that any part claims."""
    return next((part for frame in reversed(stack.split(";")) for part in _claiming(frame)), _REST)


def _claiming(frame: str) -> Iterator[str]:
    return (part for part, files in _PARTS.items() if any(file in frame for file in files))


def _rows(name: str, drained: Drained, seen: Counter[str]) -> Iterator[Row]:
    for part, times in seen.most_common():
        share = times / seen.total()
        yield {"what": name, "part": part, "CPU µs/run": share * drained.cpu_us, "share": share}


if __name__ == "__main__":
    order = Drain(database=sys.argv[1], target=sys.argv[2], slots=int(sys.argv[3]), rounds=_ROUNDS)
    print(json.dumps(asdict(fill_and_drain(order))))
