"""`cronicorn explain --at`: what had been decided last at an instant, and so why nothing else was done then."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rich.text import Text
from rich.tree import Tree

from cronicorn.cli.explanation_tree import step_in_words
from cronicorn.cli.finding import find_endpoint
from cronicorn.cli.instants import moment, read_instant, written
from cronicorn.cli.interface import segment
from cronicorn.cli.place import Place
from cronicorn.cli.reaching import reached
from cronicorn.cli.showing import print_json, snaked
from cronicorn.cli.steering_tree import add_steering
from cronicorn.cli.terminal import console
from cronicorn.wiring.timekeeping import system_clock

_RULE = ("rule", "was", "phase", "verdict", "condition", "why", "did")


async def explain_at(place: Place, endpoint: str, at: str, *, as_json: bool) -> None:
    """Show what had been decided last of *endpoint* at the instant *at*."""
    instant = read_instant(at, system_clock().now())
    async with reached(place, to_read=True) as there:
        named = await find_endpoint(there, endpoint)
        past = await there.get(f"/endpoints/{named.id}/steering", at=written(instant))
        run = None if past["runId"] is None else await there.get(f"/runs/{segment(past['runId'])}")
    if as_json:
        print_json({"name": named.name, **past_document(past)})
    else:
        zone = str(named.document["timezone"])
        console().print(past_decision_tree(named.name, past, zone, None if run is None else run["status"]))


def past_decision_tree(name: str, past: Mapping[str, Any], zone: str, status: str | None) -> Tree:
    """What there is to say of the endpoint *name* as it was then; *status* is how its last run had ended."""
    at = datetime.fromisoformat(past["at"])
    tree = Tree(Text(f"{name} ({past['endpointId']}) at {at:%Y-%m-%d %H:%M:%S}Z", style="bold"))
    if past["runId"] is None:
        tree.add("No run had ended by then, as far as is recorded.")
    else:
        ended = moment(datetime.fromisoformat(past["endedAt"]), at, zone)
        tree.add(Text(f"Last run: {past['runId']}, ended {ended}, {status}"))
    if past["nextDueAt"] is not None:
        due = moment(datetime.fromisoformat(past["nextDueAt"]), at, zone)
        branch = tree.add(Text(f"The next call was due {due}, because"))
        for step in past["steps"]:
            branch.add(Text(f"{step['verdict']} {step_in_words(step, at)}"))
    else:
        tree.add("What was planned next is not on record: nothing was, or an edit or a sibling's order replaced it.")
    if past["steering"] is not None:
        add_steering(tree, past["steering"], at, zone)
    elif past["runId"] is not None:
        tree.add("Neither signals nor rules had anything to say to that run.")
    return tree


def past_document(past: Mapping[str, Any]) -> dict[str, object]:
    """What had been decided, with the keys that `cronicorn explain --at --json` prints."""
    steering = past["steering"]
    return {
        "id": past["endpointId"],
        "at": past["at"],
        "run": past["runId"],
        **snaked(past, "ended_at", "next_due_at"),
        "steps": [snaked(step, "step", "verdict", "at", "why", "author") for step in past["steps"]],
        "steering": None if steering is None else _steering_document(steering),
    }


def _steering_document(steering: Mapping[str, Any]) -> dict[str, object]:
    siblings = {name: [_rule_document(rule) for rule in rules] for name, rules in steering["siblings"].items()}
    return {**steering, "rules": [_rule_document(rule) for rule in steering["rules"]], "siblings": siblings}


def _rule_document(rule: Mapping[str, Any]) -> dict[str, object]:
    return {
        **snaked(rule, *_RULE),
        "comparisons": [snaked(part, "text", "value") for part in rule["comparisons"]],
        "otherwise": rule.get("otherwise"),
    }
