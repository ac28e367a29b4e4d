"""JSON shortened so that it stays JSON: what is named comes first, values before containers, heads of lists."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from cronicorn.domain.untrusted.cleaning import cleaned

BUDGET_MIN = 16
"""Room for the least that can be said."""
OMITTED = "~omitted"
"""The key under which the number of members that were left out stands."""

_DEPTH_MAX = 12
_KEY_MAX = 64
"""Longer keys are left out: names are short, and prose is not a name."""
_WIDTH_MAX = 1_000
_NODES_MAX = 10_000
"""However large a value is, only so much of it is looked at."""
_NUMBER_MAX = 1 << 64

_Scalar = int | float | bool | None


@dataclass(frozen=True, slots=True)
class _Text:
    head: str
    beyond: int
    """Characters that came after the head."""


@dataclass(frozen=True, slots=True)
class _Object:
    wanted: Sequence[tuple[str, "_Node"]]
    """Members that are named, and those that hold a named one."""
    others: Sequence[tuple[str, "_Node"]]
    length: int


@dataclass(frozen=True, slots=True)
class _Array:
    items: Sequence["_Node"]
    length: int
    is_wanted: bool
    """Whether any item holds a named member."""


_Node = _Scalar | _Text | _Object | _Array


@dataclass(frozen=True, slots=True, kw_only=True)
class _Level:
    """How much of everything is shown."""

    wanted: int
    others: int
    text: int
    head: int
    depth: int


_LEVELS = (
    _Level(wanted=_WIDTH_MAX, others=_WIDTH_MAX, text=10_000, head=_WIDTH_MAX, depth=_DEPTH_MAX),
    _Level(wanted=64, others=64, text=500, head=20, depth=8),
    _Level(wanted=64, others=32, text=200, head=10, depth=6),
    _Level(wanted=32, others=16, text=120, head=5, depth=4),
    _Level(wanted=32, others=8, text=80, head=3, depth=3),
    _Level(wanted=16, others=4, text=60, head=2, depth=2),
    _Level(wanted=16, others=0, text=60, head=1, depth=1),
    _Level(wanted=6, others=0, text=30, head=1, depth=1),
    _Level(wanted=2, others=0, text=16, head=1, depth=1),
    _Level(wanted=1, others=0, text=8, head=0, depth=0),
)


def fit(value: object, budget: int, keep: Iterable[str] = ()) -> str:
    """*value*, which is JSON, as JSON text of at most *budget* characters, cleaned; whole when it fits.

    *keep* names members that matter most, by name or by path (`data.orders.pending`, `/data/orders/pending`), in any
    case and at any depth. Texts are cut with `~+` and the number of characters that are missing, objects and arrays
    end with `~omitted` and the number of members that are. What JSON can't say, NaN for one, becomes null.
    """
    assert budget >= BUDGET_MIN, "a budget that holds something"
    names = frozenset(part.lower() for each in keep for part in (each, *re.split(r"[./]", each)) if part)
    reading = _Reading(names, budget)
    tree = reading.node(value, _DEPTH_MAX)
    for level in _LEVELS if reading.seen <= budget else _LEVELS[1:]:  # Whatever was seen takes a character at least.
        text = json.dumps(_shown(tree, level, level.depth), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        if len(text) <= budget:
            return text
    return '"~"'


class _Reading:
    """Looks at a value once, cheaply, and puts what matters first."""

    def __init__(self, names: frozenset[str], budget: int) -> None:
        self._names = names
        self._text_max = 2 * budget
        self.seen = 0

    def node(self, value: object, depth: int) -> _Node:
        """What is to be known of *value*."""
        self.seen += 1
        match value:
            case str():
                return _Text(cleaned(value[: self._text_max]), max(0, len(value) - self._text_max))
            case bool() | None:
                return value
            case int():
                return value if abs(value) < _NUMBER_MAX else _Text("~a long number", 0)
            case float():
                return value if abs(value) < float("inf") else None
            case Mapping():
                return self._object(value, depth)
            case list() | tuple():
                return self._array(value, depth)
            case _:
                raise TypeError(f"{type(value).__name__} is not JSON")

    def _object(self, value: Mapping[str, object], depth: int) -> _Object:
        if depth == 0 or self.seen >= _NODES_MAX:
            return _Object((), (), len(value))
        named = [key for key in value if key.lower() in self._names][:_WIDTH_MAX]
        others = (key for key in value if key.lower() not in self._names)
        wanted, simple, nested = [], [], []
        for key in chain(named, islice(others, _WIDTH_MAX)):
            name = cleaned(key[: _KEY_MAX + 1])
            if len(name) > _KEY_MAX:
                continue
            child = self.node(value[key], depth - 1)
            if key.lower() in self._names or _holds_wanted(child):
                wanted.append((name, child))
            elif isinstance(child, _Object | _Array):
                nested.append((name, child))
            else:
                simple.append((name, child))
        return _Object(wanted, [*simple, *nested], len(value))

    def _array(self, value: Sequence[object], depth: int) -> _Array:
        if depth == 0 or self.seen >= _NODES_MAX:
            return _Array((), len(value), is_wanted=False)
        items = [self.node(item, depth - 1) for item in value[:_WIDTH_MAX]]
        return _Array(items, len(value), is_wanted=any(_holds_wanted(item) for item in items))


def _holds_wanted(node: _Node) -> bool:
    match node:
        case _Object():
            return bool(node.wanted)
        case _Array():
            return node.is_wanted
        case _:
            return False


def _shown(node: _Node, level: _Level, depth: int) -> object:
    match node:
        case _Text():
            return _cut(node, level.text)
        case _Object():
            others = node.others[: level.others] if depth > 0 else ()
            members: dict[str, object] = {}
            for name, child in (*node.wanted[: level.wanted], *others):
                if name not in members:  # A name that only looks the same once it is cleaned does not take its place.
                    members[name] = _shown(child, level, depth - 1)
            return members | _omission(node.length - len(members))
        case _Array():
            head = node.items[: level.head] if depth > 0 or node.is_wanted else ()
            items = [_shown(item, level, depth - 1) for item in head]
            left_out = _omission(node.length - len(items))
            return [*items, left_out] if left_out else items
        case _:
            return node


def _cut(text: _Text, length_max: int) -> str:
    shown = text.head[:length_max]
    missing = len(text.head) - len(shown) + text.beyond
    return f"{shown}~+{missing}" if missing else shown


def _omission(count: int) -> dict[str, object]:
    return {OMITTED: count} if count > 0 else {}
