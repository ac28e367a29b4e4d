"""Why an endpoint runs when it does, as a tree for people. Long texts go on beneath themselves."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from cronicorn.cli.analysis_lines import again_from
from cronicorn.cli.endpoint_words import file_sets_in_words, limits_in_words, schedule_in_words
from cronicorn.cli.instants import moment
from cronicorn.cli.run_lines import outcome_of
from cronicorn.cli.steering_tree import add_steering
from cronicorn.domain.durations import show_duration
from cronicorn.domain.wording import length

_STYLES = {"won": "green", "applied": "yellow"}
_VERDICT_WIDTH = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was answered about an endpoint, and how instants are told."""

    endpoint: Mapping[str, Any]
    explanation: Mapping[str, Any]
    latest: Mapping[str, Any] | None
    """Its newest run, with what its answer decided."""

    @property
    def now(self) -> datetime:
        """The instant of the explanation."""
        return datetime.fromisoformat(self.explanation["now"])

    @property
    def zone(self) -> str:
        """Where the endpoint's schedule is read."""
        return str(self.endpoint["timezone"])

    def moment(self, text: str) -> str:
        """The instant *text* for people."""
        return moment(datetime.fromisoformat(text), self.now, self.zone)


def explanation_tree(name: str, told: Told) -> Tree:
    """What there is to say of the endpoint *name*."""
    endpoint, explanation, latest = told.endpoint, told.explanation, told.latest
    tree = Tree(Text(f"{name} ({endpoint['id']}) at {told.now:%Y-%m-%d %H:%M:%S}Z", style="bold"))
    parts = [schedule_in_words(endpoint, told.moment), *limits_in_words(endpoint)]
    tree.add(_hanging("Schedule:", ", ".join(parts)))
    tree.add(_hanging("Last run:", _last_run(told)))
    for each in file_sets_in_words(endpoint):
        tree.add(_hanging("Files:", f"the set {each}"))
    if endpoint["failureCount"]:
        tree.add(_hanging("Failures:", f"{endpoint['failureCount']} in a row"))
    if "frozenUntil" in endpoint:
        until = told.moment(endpoint["frozenUntil"])
        tree.add(_hanging("Frozen:", f"its steering went to and fro; until {until}, or its hints are cleared"))
    if explanation.get("runningRunId") is not None:
        tree.add(_hanging("Running:", f"{explanation['runningRunId']}; it is planned again when the call ends"))
    _add_obstacles(tree, told)
    _add_plans(tree, told)
    for hint in explanation["hints"]:
        tree.add(_hanging("Hint:", _hint(hint, told)))
    _add_otherwise(tree, told)
    if latest is not None and "steering" in latest:
        add_steering(tree, latest["steering"], told.now, told.zone)
    return tree


def add_follow_up(tree: Tree, told: Told, analyses: Mapping[str, Any]) -> None:
    """When the model that steered the endpoint looks again."""
    if "nextAnalysisAt" in analyses:
        tree.add(_hanging("Analysis:", again_from(told.moment(analyses["nextAnalysisAt"]))))


def add_unexplained_skip(tree: Tree, told: Told, skip: Mapping[str, Any] | None) -> None:
    """The newest *skip* for a limit, if it was this month and the settings of this process name no such limit."""
    if told.explanation.get("overLimit") is not None or skip is None:
        return
    if skip["lastAt"][:7] != told.explanation["now"][:7]:
        return
    ended = f"the slot of {told.moment(skip['lastAt'])} ended without a call, as skipped_quota"
    said = f"{ended}: {skip['reason']} By the settings of who was asked there are runs left."
    tree.add(_hanging("Over limit:", said))


def _add_obstacles(tree: Tree, told: Told) -> None:
    """Why what is due does not run."""
    held, over = told.explanation.get("held"), told.explanation.get("overLimit")
    if held is not None:
        tree.add(_hanging("Held back:", f"{held['reason']}; it asks again {told.moment(held['until'])}"))
    if over is not None:
        tree.add(_hanging("Over limit:", _over_limit(over, told)))


def _add_plans(tree: Tree, told: Told) -> None:
    stored, current = told.explanation["stored"], told.explanation["current"]
    if stored is not None:
        branch = _add_plan(tree, "The plan in force", stored, told)
        if told.explanation["leftLying"]:
            branch.add(
                "It lies in the past, because no scheduler has taken it yet: is `cronicorn up` running on this store?"
            )
    if told.explanation["replanned"]:
        _add_plan(tree, "If it were planned now", current, told)


def _add_otherwise(tree: Tree, told: Told) -> None:
    """What each thing that steers the plan changes about it."""
    if not told.explanation["otherwise"]:
        return
    branch = tree.add("Otherwise, if it were planned now")
    for each in told.explanation["otherwise"]:
        at = each["nextRunAt"]
        when = "nothing would be planned" if at is None else told.moment(at)
        said = f"{when}, source {each['source']}" if each["matters"] else "the same"
        branch.add(_hanging(f"without {each['without']}:", said, style="" if each["matters"] else "dim"))


def _hanging(head: str, text: str, *, width: int = 0, style: str = "") -> Table:
    """*text* beside *head*; what does not fit into a line goes on below, on words."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True, min_width=width)
    grid.add_column(overflow="fold")
    grid.add_row(Text(head, style=style), Text(text))
    return grid


def _last_run(told: Told) -> str:
    latest = told.latest
    if latest is None:
        at = told.endpoint.get("lastRunAt")
        return "none yet" if at is None else told.moment(at)
    took = length(timedelta(milliseconds=latest["durationMs"]))
    parts = [latest["status"], str(latest.get("statusCode", "")), f"in {took}"]
    said = outcome_of(latest)
    return f"{told.moment(latest['startedAt'])}, {' '.join(filter(None, parts))}" + (f", {said}" if said else "")


def _over_limit(over: Mapping[str, Any], told: Told) -> str:
    said = [over["reason"]]
    if over["lastAt"] is not None:
        said.append(f"the slot of {told.moment(over['lastAt'])} ended without a call, as skipped_quota")
    if over["nextAt"] is not None:
        said.append(f"the next one, of {told.moment(over['nextAt'])}, will be skipped_quota")
    said.append(f"calls are made again from {told.moment(over['until'])} on")
    return "; ".join(said)


def _add_plan(tree: Tree, title: str, explained: Mapping[str, Any], told: Told) -> Tree:
    at, source = explained["plan"]["nextRunAt"], explained["plan"]["source"]
    when = "nothing planned" if at is None else told.moment(at)
    branch = tree.add(Text.assemble(f"{title}: ", (when, "bold green"), f", source {source}"))
    for step in explained["steps"]:
        style = _STYLES.get(step["verdict"], "dim")
        branch.add(_hanging(step["verdict"], step_in_words(step, told.now), width=_VERDICT_WIDTH, style=style))
    return branch


def step_in_words(step: Mapping[str, Any], now: datetime) -> str:
    """A step of a plan: who said what, for when, and why it won or lost."""
    author = f" by a {step['author']}" if "author" in step else ""
    at = f" {moment(datetime.fromisoformat(step['at']), now)}" if "at" in step else ""
    return f"{step['step']}{author}{at}: {step['why']}"


def _hint(hint: Mapping[str, Any], told: Told) -> str:
    what = hint["kind"]
    if "intervalMs" in hint:
        what += f" of {show_duration(timedelta(milliseconds=hint['intervalMs']))}"
    elif "at" in hint:
        what += f" {told.moment(hint['at'])}"
    reason = f": {hint['reason']}" if "reason" in hint else ""
    expires = moment(datetime.fromisoformat(hint["expiresAt"]), told.now)
    return f"{what} by a {hint['author']}, until {expires}{reason}"
