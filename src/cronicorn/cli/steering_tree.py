"""What signals and rules made of an answer, as branches of a tree for people."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rich.text import Text
from rich.tree import Tree

from cronicorn.cli.instants import moment
from cronicorn.cli.showing import cell
from cronicorn.domain.condition.kinds import Scalar

_VERDICTS = {True: "yes", False: "no", None: "unknown"}


def add_steering(tree: Tree, steering: Mapping[str, Any], now: datetime, zone: str) -> None:
    """Add what there is to say of the answer that was looked at last."""
    at = datetime.fromisoformat(steering["at"])
    branch = tree.add(Text.assemble("What the last answer did, at ", (moment(at, now, zone), "bold")))
    for note in steering["signals"]:
        branch.add(Text(cell(f"signal {note['signal']}: {note['place']} is {note['value']}; {note['asked']}")))
    for read in steering["values"]:
        branch.add(Text(f"{read['name']} = {_shown(read['value'])} ({read['place']})", style="dim"))
    for rule in steering["rules"]:
        _add_rule(branch, rule)
    for endpoint_id, rules in steering["siblings"].items():
        theirs = branch.add(Text(f"rules of sibling {endpoint_id}"))
        for rule in rules:
            _add_rule(theirs, rule)
    for event in steering["events"]:
        branch.add(Text(event, style="yellow"))


def _add_rule(branch: Tree, rule: Mapping[str, Any]) -> None:
    moved = rule["phase"] if rule["was"] == rule["phase"] else f"{rule['was']} -> {rule['phase']}"
    did = f" Did: {', '.join(rule['did'])}." if rule["did"] else ""
    style = "green" if rule["phase"] in {"active", "clearing"} else ""
    inside = branch.add(Text(f"rule {rule['rule']}: {moved}. {rule['why']}{did}", style=style))
    for part in rule["comparisons"]:
        inside.add(Text(f"{part['text']}: {_VERDICTS[part['value']]}{_read(part)}", style="dim"))
    if "otherwise" in rule:
        inside.add(Text(f"otherwise if {rule['otherwise']}", style="dim"))


def _read(part: Mapping[str, Any]) -> str:
    return "".join(f", {name} is {_shown(value)}" for name, value in part["read"].items())


def _shown(value: Scalar | None) -> str:
    match value:
        case None:
            return "unknown"
        case bool():
            return str(value).lower()
        case str():
            return repr(value)
        case _:
            return f"{value:g}"
