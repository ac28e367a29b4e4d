"""Runs as lines, for programs and for people."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from rich.console import Console
from rich.text import Text

from cronicorn.cli.instants import length, written
from cronicorn.cli.watched_runs import NamedRun
from cronicorn.domain.instant import ZERO
from cronicorn.domain.run import Run

_STYLES = {"success": "green", "failed": "red"}
_SOURCE_WIDTH = len("baseline-interval")
_NAME_WIDTH_MAX = 40


class RunLines(Protocol):
    """A way to show runs."""

    def show(self, found: Sequence[NamedRun]) -> None:
        """Show *found*, a line each, at once."""
        ...


class JsonRunLines(RunLines):
    """One JSON object a line."""

    def show(self, found: Sequence[NamedRun]) -> None:
        """Show *found* with all that is known of each."""
        for each in found:
            print(json.dumps(_as_json(each), ensure_ascii=False), flush=True)


class TextRunLines(RunLines):
    """Columns under headings, which come with the first run."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._name_width = 0

    def show(self, found: Sequence[NamedRun]) -> None:
        """Show *found* in columns; the first ones decide how wide that of the names is."""
        if found and not self._name_width:
            self._name_width = min(max(len("endpoint"), *(len(each.name) for each in found)), _NAME_WIDTH_MAX)
            heads = self._line("started", "endpoint", Text(f"{'status':<8}"), "code", "took", "late", "source", "")
            self._console.print(Text(heads.plain.upper(), style="bold"), soft_wrap=True)
        for each in found:
            self._console.print(self._row(each), soft_wrap=True)

    def _row(self, named: NamedRun) -> Text:
        run, outcome = named.run, named.run.outcome
        status = Text(f"{run.status.value:<8}", style=_STYLES.get(run.status.value, "yellow"))
        code = "-" if outcome.status_code is None else str(outcome.status_code)
        took, late = length(outcome.duration), length(_lateness(run))
        return self._line(written(run.started_at), named.name, status, code, took, late, run.source.value, _note(run))

    def _line(
        self, started: str, name: str, status: Text, code: str, took: str, late: str, source: str, note: str
    ) -> Text:  # noqa: PLR0917
        rest = f"{code:<4}  {took:>7}  {late:>7}  {source:<{_SOURCE_WIDTH}}  {note}".rstrip()
        return Text.assemble(f"{started:<24}  {name:<{self._name_width}}  ", status, f"  {rest}")


def outcome_in_words(run: Run) -> str:
    """What is worth saying of how *run* ended beyond its status and code; often nothing."""
    outcome = run.outcome
    if outcome.error is not None:
        return f"{outcome.kind.value}: {outcome.error}"
    return outcome.kind.value if outcome.status_code is None else ""


def _note(run: Run) -> str:
    attempt = f"attempt {run.attempt}" if run.attempt > 1 else ""
    return "  ".join(part for part in (attempt, outcome_in_words(run)) if part)


def _lateness(run: Run) -> timedelta:
    return max(run.started_at - run.due_at, ZERO)


def _as_json(named: NamedRun) -> dict[str, object]:
    run = named.run
    return {
        "id": run.id,
        "endpoint": named.name,
        "endpoint_id": run.endpoint_id,
        "slot": run.slot,
        "attempt": run.attempt,
        "status": run.status.value,
        "outcome": run.outcome.kind.value,
        "status_code": run.outcome.status_code,
        "source": run.source.value,
        "due_at": written(run.due_at),
        "started_at": written(run.started_at),
        "finished_at": written(run.finished_at),
        "duration_ms": round(run.outcome.duration.total_seconds() * 1_000, 3),
        "error": run.outcome.error,
    }
