"""Why an endpoint runs when it does, as a tree for people. Long texts go on beneath themselves."""

from collections.abc import Sequence
from datetime import datetime

from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from cronicorn.cli.analysis_lines import again_from
from cronicorn.cli.instants import moment
from cronicorn.cli.steering_tree import add_steering
from cronicorn.control.analyses import AnalysisList
from cronicorn.control.schedules import ExplainedPlan, Explanation, OverLimit
from cronicorn.domain.durations import show_duration
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.explain import ExplainedStep
from cronicorn.domain.explain_steering import explained_steering
from cronicorn.domain.hint import Hint
from cronicorn.domain.run import Run
from cronicorn.domain.slot import Skip
from cronicorn.domain.steering_record import SteeringRecord
from cronicorn.domain.wording import length, outcome_in_words, schedule_parts

_STYLES = {"won": "green", "applied": "yellow"}
_VERDICT_WIDTH = 7


def explanation_tree(name: str, explanation: Explanation, latest: Run | None) -> Tree:
    """What there is to say of the endpoint *name*, whose newest run is *latest*."""
    now, endpoint = explanation.now, explanation.endpoint
    zone = endpoint.baseline.zone
    tree = Tree(Text(f"{name} ({endpoint.id}) at {now:%Y-%m-%d %H:%M:%S}Z", style="bold"))
    tree.add(_hanging("Schedule:", _schedule(endpoint, now)))
    tree.add(_hanging("Last run:", _last_run(endpoint, latest, now)))
    if endpoint.state.failure_count:
        tree.add(_hanging("Failures:", f"{endpoint.state.failure_count} in a row"))
    if explanation.frozen_until is not None:
        until = moment(explanation.frozen_until, now, zone)
        tree.add(_hanging("Frozen:", f"its steering went to and fro; until {until}, or its hints are cleared"))
    if explanation.running is not None:
        tree.add(_hanging("Running:", f"{explanation.running}; it is planned again when the call ends"))
    _add_obstacles(tree, explanation, now, zone)
    stored, current = explanation.stored, explanation.current
    if stored is not None:
        branch = _add_plan(tree, "The plan in force", stored, now, zone)
        if explanation.left_lying:
            branch.add(
                "It lies in the past, because no scheduler has taken it yet: is `cronicorn up` running on this store?"
            )
    if explanation.replanned:
        _add_plan(tree, "If it were planned now", current, now, zone)
    for hint in explanation.hints:
        tree.add(_hanging("Hint:", _hint(hint, now, zone)))
    _add_otherwise(tree, explanation, now, zone)
    if latest is not None and latest.steering is not None:
        add_steering(tree, explained_steering(SteeringRecord.decode(latest.steering), endpoint.policy), now, zone)
    return tree


def add_follow_up(tree: Tree, analyses: AnalysisList, explanation: Explanation) -> None:
    """When the model that steered the endpoint looks again."""
    at = analyses.follow_up_at
    if at is not None:
        when = moment(at, explanation.now, explanation.endpoint.baseline.zone)
        tree.add(_hanging("Analysis:", again_from(when)))


def add_unexplained_skip(tree: Tree, skips: Sequence[Skip], explanation: Explanation) -> None:
    """The newest of *skips* for a limit, if it was this month and the settings of this process name no such limit."""
    now, zone = explanation.now, explanation.endpoint.baseline.zone
    skip = explanation.unexplained(skips)
    if skip is None:
        return
    ended = f"the slot of {moment(skip.last_at, now, zone)} ended without a call, as skipped_quota"
    said = f"{ended}: {skip.reason} By the settings of this terminal there are runs left."
    tree.add(_hanging("Over limit:", said))


def _add_obstacles(tree: Tree, explanation: Explanation, now: datetime, zone: str) -> None:
    """Why what is due does not run."""
    if explanation.held is not None:
        until = moment(explanation.held.until, now, zone)
        tree.add(_hanging("Held back:", f"{explanation.held.reason}; it asks again {until}"))
    if explanation.over_limit is not None:
        tree.add(_hanging("Over limit:", _over_limit(explanation.over_limit, now, zone)))


def _add_otherwise(tree: Tree, explanation: Explanation, now: datetime, zone: str) -> None:
    """What each thing that steers the plan changes about it."""
    if not explanation.otherwise:
        return
    branch = tree.add("Otherwise, if it were planned now")
    for each in explanation.otherwise:
        at = each.plan.next_run_at
        when = "nothing would be planned" if at is None else moment(at, now, zone)
        said = f"{when}, source {each.plan.source.value}" if each.matters else "the same"
        branch.add(_hanging(f"without {each.without}:", said, style="" if each.matters else "dim"))


def _hanging(head: str, text: str, *, width: int = 0, style: str = "") -> Table:
    """*text* beside *head*; what does not fit into a line goes on below, on words."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True, min_width=width)
    grid.add_column(overflow="fold")
    grid.add_row(Text(head, style=style), Text(text))
    return grid


def _schedule(endpoint: JobEndpoint, now: datetime) -> str:
    return ", ".join(schedule_parts(endpoint, lambda instant: moment(instant, now, endpoint.baseline.zone)))


def _last_run(endpoint: JobEndpoint, latest: Run | None, now: datetime) -> str:
    zone = endpoint.baseline.zone
    if latest is None:
        at = endpoint.state.last_run_at
        return "none yet" if at is None else moment(at, now, zone)
    parts = [latest.status.value, str(latest.outcome.status_code or ""), f"in {length(latest.outcome.duration)}"]
    said = outcome_in_words(latest)
    return f"{moment(latest.started_at, now, zone)}, {' '.join(filter(None, parts))}" + (f", {said}" if said else "")


def _over_limit(over: OverLimit, now: datetime, zone: str) -> str:
    said = [over.ration.reason]
    if over.last_at is not None:
        said.append(f"the slot of {moment(over.last_at, now, zone)} ended without a call, as skipped_quota")
    if over.next_at is not None:
        said.append(f"the next one, of {moment(over.next_at, now, zone)}, will be skipped_quota")
    said.append(f"calls are made again from {moment(over.ration.month.end_at, now, zone)} on")
    return "; ".join(said)


def _add_plan(tree: Tree, title: str, explained: ExplainedPlan, now: datetime, zone: str) -> Tree:
    at, source = explained.plan.next_run_at, explained.plan.source.value
    when = "nothing planned" if at is None else moment(at, now, zone)
    branch = tree.add(Text.assemble(f"{title}: ", (when, "bold green"), f", source {source}"))
    for step in explained.steps:
        style = _STYLES.get(step.verdict, "dim")
        branch.add(_hanging(step.verdict, _step(step, now), width=_VERDICT_WIDTH, style=style))
    return branch


def _step(step: ExplainedStep, now: datetime) -> str:
    author = "" if step.author is None else f" by a {step.author}"
    at = "" if step.at is None else f" {moment(step.at, now)}"
    return f"{step.step}{author}{at}: {step.why}"


def _hint(hint: Hint, now: datetime, zone: str) -> str:
    what = hint.kind.value
    if hint.interval is not None:
        what += f" of {show_duration(hint.interval)}"
    elif hint.at is not None:
        what += f" {moment(hint.at, now, zone)}"
    reason = f": {hint.reason}" if hint.reason else ""
    return f"{what} by a {hint.author.value}, until {moment(hint.expires_at, now)}{reason}"
