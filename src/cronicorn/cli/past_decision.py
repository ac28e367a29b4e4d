"""`cronicorn explain --at`: what had been decided last at an instant, and so why nothing else was done then."""

import json
from dataclasses import asdict
from datetime import datetime

from rich.text import Text
from rich.tree import Tree

from cronicorn.cli.endpoint_names import find_endpoint
from cronicorn.cli.instants import moment, read_instant, written
from cronicorn.cli.local import opened_to_read
from cronicorn.cli.steering_tree import add_steering
from cronicorn.cli.terminal import console
from cronicorn.control.decisions import PastDecision
from cronicorn.domain.explain import ExplainedStep
from cronicorn.domain.explain_steering import ExplainedRule, ExplainedSteering
from cronicorn.wiring.timekeeping import system_clock


async def explain_at(endpoint: str, at: str, where: tuple[str | None, str], *, as_json: bool) -> None:
    """Show what had been decided last of *endpoint* at the instant *at*."""
    instant = read_instant(at, system_clock().now())
    database, tenant = where
    async with opened_to_read(database) as local:
        principal = local.principal(tenant)
        named = await find_endpoint(local.control, principal, endpoint)
        past = await local.control.decisions.explain_at(principal, named.endpoint.id, instant)
    if as_json:
        print(json.dumps({"name": named.name, **_document(past)}, ensure_ascii=False, indent=2))
    else:
        console().print(past_decision_tree(named.name, past))


def past_decision_tree(name: str, past: PastDecision) -> Tree:
    """What there is to say of the endpoint *name* as it was then."""
    at, zone = past.at, past.endpoint.baseline.zone
    tree = Tree(Text(f"{name} ({past.endpoint.id}) at {at:%Y-%m-%d %H:%M:%S}Z", style="bold"))
    if past.run is None:
        tree.add("No run had ended by then, as far as is recorded.")
    else:
        status = past.run.status.value
        tree.add(Text(f"Last run: {past.run.id}, ended {moment(past.run.finished_at, at, zone)}, {status}"))
    following = past.following
    if following is not None and following.due_at is not None:
        branch = tree.add(Text(f"The next call was due {moment(following.due_at, at, zone)}, because"))
        for step in following.steps:
            branch.add(Text(f"{step.verdict} {_step(step, at)}"))
    else:
        tree.add("What was planned next is not on record: nothing was, or an edit or a sibling's order replaced it.")
    if past.steering is not None:
        add_steering(tree, past.steering, at, zone)
    elif past.run is not None:
        tree.add("Neither signals nor rules had anything to say to that run.")
    return tree


def _step(step: ExplainedStep, at: datetime) -> str:
    author = "" if step.author is None else f" by a {step.author}"
    when = "" if step.at is None else f" {moment(step.at, at)}"
    return f"{step.step}{author}{when}: {step.why}"


def _document(past: PastDecision) -> dict[str, object]:
    run, following = past.run, past.following
    due_at, steps = (following.due_at, following.steps) if following is not None else (None, ())
    return {
        "id": past.endpoint.id,
        "at": written(past.at),
        "run": None if run is None else run.id,
        "ended_at": None if run is None else written(run.finished_at),
        "next_due_at": None if due_at is None else written(due_at),
        "steps": [asdict(step) | {"at": None if step.at is None else written(step.at)} for step in steps],
        "steering": None if past.steering is None else _steering_document(past.steering),
    }


def _steering_document(steering: ExplainedSteering) -> dict[str, object]:
    return {
        "at": written(steering.at),
        "signals": [
            {"signal": note.signal.value, "place": note.place, "value": note.value, "asked": note.asked}
            for note in steering.notes
        ],
        "values": [{"name": read.name, "value": read.value, "place": read.place} for read in steering.values],
        "rules": [_rule_document(rule) for rule in steering.rules],
        "events": list(steering.events),
        "siblings": {name: [_rule_document(rule) for rule in rules] for name, rules in steering.siblings.items()},
    }


def _rule_document(rule: ExplainedRule) -> dict[str, object]:
    return {
        "rule": rule.rule,
        "was": rule.was,
        "phase": rule.phase,
        "verdict": rule.verdict,
        "condition": rule.asked,
        "why": rule.why,
        "did": list(rule.did),
        "comparisons": [{"text": part.text, "value": part.value} for part in rule.parts],
        "otherwise": rule.otherwise,
    }
