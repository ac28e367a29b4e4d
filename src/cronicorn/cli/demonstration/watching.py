"""Looking at the endpoints through REST: which runs are new, and when each comes next and why."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from cronicorn.cli.demonstration.board import Board, Call, Next, Row, SkipNote
from cronicorn.cli.demonstration.rest import Rest
from cronicorn.cli.demonstration.view import View

_RUNS_READ = 50
_SKIPS_READ = 100
_OVERDUE = "cronicorn_overdue_slots "
_HINT_OF_STEP = {"interval-hint": "interval", "one-shot-hint": "one-shot", "defer-hint": "defer", "pause": "pause"}
_DECIDED = {"won", "applied"}


class Watcher:
    """Follows the endpoints of one job."""

    def __init__(self, rest: Rest, job_id: str, board: Board, view: View) -> None:
        self._rest = rest
        self._job_id = job_id
        self._board = board
        self._view = view
        self._seen: dict[str, tuple[object, ...]] = {}

    def look(self) -> None:
        """Tell the view of everything that is new."""
        for endpoint in self._rest.get(f"/api/jobs/{self._job_id}/endpoints")["endpoints"]:
            row = self._board.rows[endpoint["name"]]
            for hint in endpoint["hints"]:
                row.reasons[hint["kind"], hint["author"]] = hint.get("reason", "")
            standing = tuple(endpoint.get(name) for name in ("version", "nextRunAt", "lastRunAt", "failureCount"))
            if self._seen.get(row.id) != standing:
                self._seen[row.id] = standing
                self._read_runs(row)
                self._read_plan(row)

    def check_overdue(self) -> None:
        """Note how many slots are overdue."""
        lines = str(self._rest.get("/metrics")).splitlines()
        counts = [float(line.removeprefix(_OVERDUE)) for line in lines if line.startswith(_OVERDUE)]
        self._board.overdue_max = max(self._board.overdue_max, *(int(count) for count in counts))

    def read_skips(self) -> None:
        """Note every instant that did not run."""
        for row in self._board.rows.values():
            found = self._rest.get(f"/api/endpoints/{row.id}/skips", limit=_SKIPS_READ)["skips"]
            self._board.skips.extend(_skip(row, skip) for skip in found)

    def _read_runs(self, row: Row) -> None:
        listed = self._rest.get(f"/api/endpoints/{row.id}/runs", limit=_RUNS_READ)["runs"]
        known = {call.id for call in row.calls}
        for run_id in reversed([run["runId"] for run in listed if run["runId"] not in known]):
            run = self._rest.get(f"/api/runs/{run_id}")
            call = _call(row, run)
            row.calls.append(call)
            hint = _hint_behind(row, _decisive(run.get("steps", [])))
            if hint is not None:
                self._board.steered[row.name, *hint] += 1
            self._view.ran(self._board, call)

    def _read_plan(self, row: Row) -> None:
        explained = self._rest.get(f"/api/endpoints/{row.id}/explain")["stored"]
        at = explained["plan"]["nextRunAt"]
        step = _decisive(explained["steps"])
        hint = _hint_behind(row, step)
        row.next = Next(
            at=datetime.fromisoformat(at) if at else None,
            source=explained["plan"]["source"],
            why=step["why"],
            steer="" if hint is None else f"a {hint[0]}: {hint[1]}",
        )
        self._view.planned(self._board, row)


def _call(row: Row, run: Mapping[str, Any]) -> Call:
    started_at, due_at = datetime.fromisoformat(run["startedAt"]), datetime.fromisoformat(run["dueAt"])
    return Call(
        id=run["id"],
        endpoint=row.name,
        ok=run["status"] == "success",
        answer=str(run.get("statusCode") or run["outcome"]),
        source=run["source"],
        attempt=run["attempt"],
        duration_ms=run["durationMs"],
        late_ms=(started_at - due_at).total_seconds() * 1_000,
    )


def _decisive(steps: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The step that had the last word."""
    return next((step for step in reversed(steps) if step["verdict"] in _DECIDED), {"step": "", "why": ""})


def _hint_behind(row: Row, step: Mapping[str, Any]) -> tuple[str, str] | None:
    """Author and reason of the hint behind *step*, if there is one."""
    kind = _HINT_OF_STEP.get(step["step"])
    authors = [author for hinted, author in row.reasons if hinted == kind]
    author = step.get("author", authors[-1] if authors else None)
    return None if kind is None or author is None else (author, row.reasons.get((kind, author), ""))


def _skip(row: Row, skip: Mapping[str, Any]) -> SkipNote:
    return SkipNote(endpoint=row.name, state=skip["state"], reason=skip["reason"], count=skip["count"])
