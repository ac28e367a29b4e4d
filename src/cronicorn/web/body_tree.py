"""Bodies that are JSON as trees that people can open: of bounded size, whatever was answered."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

NODES_MAX = 300
"""Of a larger body only the first are shown as a tree; the text beside it has all that was kept."""
DEPTH_MAX = 24
TEXT_MAX = 300


@dataclass(slots=True, kw_only=True)
class BodyNode:
    """A value of a body, under its name or number."""

    name: str
    text: str
    """A plain value as JSON writes it; of an object or a list how much it holds."""
    children: list["BodyNode"] = field(default_factory=list)
    left_out: int = 0
    """Children that are not shown."""


def tree_of(text: str | None) -> BodyNode | None:
    """The JSON document *text* as a tree; None for what is none, and for a plain value, which needs no tree."""
    try:
        value = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    return _node("", value, iter(range(NODES_MAX)), 0) if isinstance(value, dict | list) and value else None


def _node(name: str, value: object, places: Iterator[int], depth: int) -> BodyNode:
    if not isinstance(value, dict | list):
        told = json.dumps(value, ensure_ascii=False)
        return BodyNode(name=name, text=told if len(told) <= TEXT_MAX else f"{told[:TEXT_MAX]}…")
    node = BodyNode(name=name, text=_held(value))
    members = _members(value) if depth < DEPTH_MAX else ()
    for member, each in members:
        if next(places, None) is None:
            break
        node.children.append(_node(member[:TEXT_MAX], each, places, depth + 1))
    node.left_out = len(value) - len(node.children)
    return node


def _members(value: dict[str, object] | list[object]) -> Iterable[tuple[str, object]]:
    if isinstance(value, dict):
        return value.items()
    return ((str(number), each) for number, each in islice(enumerate(value), NODES_MAX))


def _held(value: dict[str, object] | list[object]) -> str:
    one, many = ("member", "members") if isinstance(value, dict) else ("item", "items")
    return f"{len(value)} {one if len(value) == 1 else many}"
