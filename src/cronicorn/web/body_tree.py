"""Bodies that are JSON as trees that people can open: of bounded size in a page, whatever was answered."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from markupsafe import escape

from cronicorn.domain.call import Outcome
from cronicorn.domain.json_body import parsed

TREE_MAX = 8_000
"""Bytes that a tree takes in a page; what comes after that is counted only."""
DEPTH_MAX = 16
TEXT_MAX = 120
_MARKUP = 120
"""What the markup of one value takes."""


@dataclass(slots=True, kw_only=True)
class BodyNode:
    """A value of a body, under its name or number."""

    name: str
    text: str
    """A plain value as JSON writes it; of an object or a list how much it holds."""
    children: list["BodyNode"] = field(default_factory=list)
    left_out: int = 0
    """Children that are not shown."""


def tree_of(outcome: Outcome) -> BodyNode | None:
    """The body of *outcome* as a tree; None where it is no object or list, or holds nothing."""
    value = parsed(outcome)
    return _Drawing().node("", value, 0) if isinstance(value, dict | list) and value else None


class _Drawing:
    """Makes one tree, and keeps count of what it takes."""

    def __init__(self) -> None:
        self._left = TREE_MAX

    def node(self, name: str, value: object, depth: int) -> BodyNode:
        text = _held(value) if isinstance(value, dict | list) else json.dumps(value, ensure_ascii=False)
        node = BodyNode(name=_cut(name), text=_cut(text))
        self._left -= _MARKUP + _taken(node.name) + _taken(node.text)
        if isinstance(value, dict | list):
            if depth < DEPTH_MAX:
                self._fill(node, value, depth)
            node.left_out = len(value) - len(node.children)
        return node

    def _fill(self, node: BodyNode, value: dict[str, object] | list[object], depth: int) -> None:
        for member, each in _members(value):
            if self._left <= 0:
                return
            node.children.append(self.node(member, each, depth + 1))


def _members(value: dict[str, object] | list[object]) -> Iterable[tuple[str, object]]:
    if isinstance(value, dict):
        return value.items()
    return ((str(number), each) for number, each in enumerate(value))


def _taken(text: str) -> int:
    return len(escape(text).encode())


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_MAX else f"{text[:TEXT_MAX]}…"


def _held(value: dict[str, object] | list[object]) -> str:
    one, many = ("member", "members") if isinstance(value, dict) else ("item", "items")
    return f"{len(value)} {one if len(value) == 1 else many}"
