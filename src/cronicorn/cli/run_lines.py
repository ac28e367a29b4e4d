"""Runs as lines, for programs and for people."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from rich.console import Console
from rich.text import Text

from cronicorn.cli.showing import cell
from cronicorn.cli.watched_runs import NamedRun
from cronicorn.domain.call import AnswerClass, OutcomeKind
from cronicorn.domain.instant import ZERO
from cronicorn.domain.wording import length

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
            print(json.dumps(run_document(each), ensure_ascii=False), flush=True)


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
            status = each.run["status"]
            line.highlight_words([f" {status} "], _STYLES.get(status, "yellow"))
            self._console.print(line, soft_wrap=True)

    def _line(self, name: str, cells: Sequence[str]) -> str:
        started, status, code, took, late, source, note = cells
        head = f"{started:<24}  {name:<{self._name_width}}  {status:<8}"
        return f"{head}  {code:<4}  {took:>10}  {late:>10}  {source:<{_SOURCE_WIDTH}}  {note}".rstrip()


def _cells(run: Mapping[str, Any]) -> Sequence[str]:
    code = str(run.get("statusCode", "-"))
    started_at, due_at = (datetime.fromisoformat(run[name]) for name in ("startedAt", "dueAt"))
    took, late = length(timedelta(milliseconds=run["durationMs"])), length(max(started_at - due_at, ZERO))
    return run["startedAt"], run["status"], code, took, late, run["source"], _note(run)


def skip_in_words(skip: Mapping[str, Any]) -> str:
    """When no call was made, and why."""
    return f"the slot of {skip['lastAt']}, as {skip['state']}: {skip['reason']}"


def _note(run: Mapping[str, Any]) -> str:
    attempt = f"attempt {run['attempt']}" if run["attempt"] > 1 else ""
    again = "sent again with another token" if "sentAgain" in run else ""
    return "  ".join(part for part in (attempt, again, outcome_of(run)) if part)


def outcome_of(run: Mapping[str, Any]) -> str:
    """What is worth saying of how *run* ended beyond its status and code; often nothing."""
    judged = run.get("judged")
    if run["outcome"] != OutcomeKind.RESPONDED:
        return f"{run['outcome']}: {cell(run['errorMessage'])}" if "errorMessage" in run else str(run["outcome"])
    if judged is not None and judged["answerClass"] != AnswerClass.SUCCESS:
        return f"{judged['answerClass']}: {judged['condition']}"
    return ""


def run_document(named: NamedRun) -> dict[str, object]:
    """A run, with the keys that `cronicorn runs --json` prints."""
    run, judged = named.run, named.run.get("judged")
    return {
        "id": run["runId"],
        "endpoint": named.name,
        "endpoint_id": run["endpointId"],
        "slot": run["slot"],
        "attempt": run["attempt"],
        "status": run["status"],
        "outcome": run["outcome"],
        "status_code": run.get("statusCode"),
        "source": run["source"],
        "due_at": run["dueAt"],
        "started_at": run["startedAt"],
        "finished_at": run["finishedAt"],
        "duration_ms": run["durationMs"],
        "error": run.get("errorMessage"),
        "sent_again": "sentAgain" in run,
        "judged": None if judged is None else {"class": judged["answerClass"], "condition": judged["condition"]},
    }
