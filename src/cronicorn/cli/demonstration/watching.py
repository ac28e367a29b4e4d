"""Looking at the endpoints through REST: which runs are new, and when each comes next and why."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from cronicorn.cli.demonstration.board import Board, Call, Happening, Next, Row, SkipNote, Steer, Voice
from cronicorn.cli.demonstration.rest import Rest
from cronicorn.cli.demonstration.view import View

_RUNS_READ = 50
_SKIPS_READ = 100
_OVERDUE = "cronicorn_overdue_slots "
_HINT_OF_STEP = {"interval-hint": "interval", "one-shot-hint": "one-shot", "defer-hint": "defer", "pause": "pause"}
_DECIDED = {"won", "applied"}
_AS_EVER = ("baseline", "dormant", "manual", "paused", "retry")
"""Sources of plans that are no turn of the story: the person's deed, or the failed run beside it, says it already."""


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
        changed = []
        for endpoint in self._rest.get(f"/api/jobs/{self._job_id}/endpoints")["endpoints"]:
            row = self._board.rows[endpoint["name"]]
            row.hints.update({(hint["kind"], hint["author"]): hint for hint in endpoint["hints"]})
            standing = tuple(endpoint.get(name) for name in ("version", "nextRunAt", "lastRunAt", "failureCount"))
            if self._seen.get(row.id) != standing:
                self._seen[row.id] = standing
                changed.append(row)
        new = [(row, self._new_calls(row)) for row in changed]
        for call in sorted((call for _, calls in new for call in calls), key=lambda call: call.began_s):
            self._view.ran(self._board, call)
        for row, calls in new:
            self._read_plan(row, calls[-1].began_s if calls else self._board.elapsed)

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

    def _new_calls(self, row: Row) -> list[Call]:
        listed = self._rest.get(f"/api/endpoints/{row.id}/runs", limit=_RUNS_READ)["runs"]
        known = {call.id for call in row.calls}
        new = [run["runId"] for run in reversed(listed) if run["runId"] not in known]
        for run_id in new:
            row.calls.append(_call(self._board, row, self._rest.get(f"/api/runs/{run_id}")))
        return row.calls[len(row.calls) - len(new) :]

    def _read_plan(self, row: Row, planned_s: float) -> None:
        explained = self._rest.get(f"/api/endpoints/{row.id}/explain")["stored"]
        at = explained["plan"]["nextRunAt"]
        step = _decisive(explained["steps"])
        before, steer = row.next, _steer_behind(row, step)
        row.next = Next(
            at=datetime.fromisoformat(at) if at else None,
            source=explained["plan"]["source"],
            why=step["why"],
            steer=steer,
            pace=_pace(row, step, steer),
            planned_s=planned_s,
        )
        self._view.planned(self._board, row)
        turn = _turn(self._board, row, before)
        if turn:
            phase = self._board.phase
            self._view.note(self._board, Happening(at_s=planned_s, voice=Voice.PLANNER, text=turn, phase=phase))


def _turn(board: Board, row: Row, before: Next) -> str:
    """What changed in when *row* comes, if that belongs to the story."""
    planned = row.next
    same = (planned.source, planned.steer) == (before.source, before.steer)
    if planned.at is None or planned.source.startswith(_AS_EVER):
        return ""
    if same and (planned.source != "deferred" or planned.at == before.at):
        return ""
    at = f"{board.story_seconds(planned.at):.1f} s"
    if planned.pace:
        return f"{row.name}: {planned.pace}, not {row.schedule.partition(',')[0]}; {planned.reason}"
    if planned.steer is not None and planned.steer.author == "signal":
        return f"{row.name} waits until {at}: {planned.steer.reason}"
    if planned.steer is None and row.calls and not row.calls[-1].ok:
        return f"{row.name} keeps failing and backs off: next at {at} ({planned.source})"
    return f"{row.name}: next at {at}; {planned.reason}"


def _call(board: Board, row: Row, run: Mapping[str, Any]) -> Call:
    started_at, due_at = datetime.fromisoformat(run["startedAt"]), datetime.fromisoformat(run["dueAt"])
    began_s = board.story_seconds(started_at)
    return Call(
        id=run["id"],
        endpoint=row.name,
        ok=run["status"] == "success",
        answer=str(run.get("statusCode") or run["outcome"]),
        source=run["source"],
        attempt=run["attempt"],
        duration_ms=run["durationMs"],
        late_ms=(started_at - due_at).total_seconds() * 1_000,
        began_s=began_s,
        gap_s=began_s - row.calls[-1].began_s if row.calls else None,
        steer=_steer_behind(row, _decisive(run.get("steps", []))),
    )


def _decisive(steps: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The step that had the last word."""
    return next((step for step in reversed(steps) if step["verdict"] in _DECIDED), {"step": "", "why": ""})


def _steer_behind(row: Row, step: Mapping[str, Any]) -> Steer | None:
    """Who wrote the hint behind *step* and why, if there is one."""
    kind = _HINT_OF_STEP.get(step["step"])
    authors = [author for hinted, author in row.hints if hinted == kind]
    author = step.get("author", authors[-1] if authors else None)
    if kind is None or author is None:
        return None
    return Steer(author=author, reason=row.hints.get((kind, author), {}).get("reason", ""))


def _pace(row: Row, step: Mapping[str, Any], steer: Steer | None) -> str:
    if steer is None or step["step"] != "interval-hint":
        return ""
    hint = row.hints.get(("interval", steer.author), {})
    return f"every {hint['intervalMs'] / 1_000:g} s" if "intervalMs" in hint else ""


def _skip(row: Row, skip: Mapping[str, Any]) -> SkipNote:
    return SkipNote(endpoint=row.name, state=skip["state"], reason=skip["reason"], count=skip["count"])
