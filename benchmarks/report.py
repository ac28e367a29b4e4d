"""Printing and saving what a benchmark measured."""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"

Row = Mapping[str, str | float | int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One benchmark's rows, in one run, on one machine. Compare the rows of one report, never two reports."""

    name: str
    about: str
    rows: Sequence[Row]

    def show(self, *, as_json: bool) -> None:
        """Save the report to `results/` and print it."""
        document = {
            "name": self.name,
            "about": self.about,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "cpu": platform.machine()},
            "rows": list(self.rows),
        }
        text = json.dumps(document, indent=2)
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{self.name}.json").write_text(text + "\n", encoding="utf-8")
        if as_json:
            print(text)
        else:
            self._print_table()

    def _print_table(self) -> None:
        table = Table(title=f"{self.name}: {self.about}", title_justify="left")
        for column in self.rows[0]:
            table.add_column(column, justify="left" if isinstance(self.rows[0][column], str) else "right")
        for row in self.rows:
            table.add_row(*(_cell(value) for value in row.values()))
        Console(width=140).print(table)


def _cell(value: str | float | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.3g}" if abs(value) < 100 else f"{value:,.0f}"
    return str(value)


def microseconds_each(function: Callable[[], object], *, number: int, repeats: int = 7) -> float:
    """The median over *repeats* of the mean microseconds of *function*, after one warm-up round."""
    means = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        for _ in range(number):
            function()
        means.append((time.perf_counter() - start) / number * 1e6)
    return statistics.median(means[1:])
