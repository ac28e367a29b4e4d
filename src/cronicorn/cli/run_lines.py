"""Runs as lines, for programs and for people."""

import json
from collections.abc import Sequence
from typing import Protocol

from rich.console import Console
from rich.text import Text

from cronicorn.cli.instants import written
from cronicorn.cli.watched_runs import NamedRun
from cronicorn.domain.instant import ZERO
from cronicorn.domain.run import Run
from cronicorn.domain.slot import Skip
from cronicorn.domain.wording import length, outcome_in_words

_STYLES = {"success": "green", "failed": "red"}
_HEADINGS = ("STARTED", "STATUS", "CODE", "TOOK", "LATE", "SOURCE", "")
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
            self._console.print(Text(self._line("ENDPOINT", _HEADINGS), style="bold"), soft_wrap=True)
        for each in found:
            line = Text(self._line(each.name, _cells(each.run)))
            status = each.run.status.value
            line.highlight_words([f" {status} "], _STYLES.get(status, "yellow"))
            self._console.print(line, soft_wrap=True)

    def _line(self, name: str, cells: Sequence[str]) -> str:
        started, status, code, took, late, source, note = cells
        head = f"{started:<24}  {name:<{self._name_width}}  {status:<8}"
        return f"{head}  {code:<4}  {took:>10}  {late:>10}  {source:<{_SOURCE_WIDTH}}  {note}".rstrip()


def _cells(run: Run) -> Sequence[str]:
    code = "-" if run.outcome.status_code is None else str(run.outcome.status_code)
    took, late = length(run.outcome.duration), length(max(run.started_at - run.due_at, ZERO))
    return written(run.started_at), run.status.value, code, took, late, run.source.value, _note(run)


def skip_in_words(skip: Skip) -> str:
    """When no call was made, and why."""
    return f"the slot of {written(skip.last_at)}, as {skip.state.value}: {skip.reason}"


def _note(run: Run) -> str:
    attempt = f"attempt {run.attempt}" if run.attempt > 1 else ""
    again = "sent again with another token" if run.outcome.sent_again else ""
    return "  ".join(part for part in (attempt, again, outcome_in_words(run)) if part)


def _as_json(named: NamedRun) -> dict[str, object]:
    run, judged = named.run, named.run.outcome.judged
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
        "sent_again": run.outcome.sent_again,
        "judged": None if judged is None else {"class": judged.answer_class.value, "condition": judged.condition},
    }
