"""A condition in plain English, for a person to review."""

import re
from collections.abc import Iterable

from cronicorn.domain.condition.condition import Condition
from cronicorn.domain.condition.kinds import FieldKind
from cronicorn.domain.condition.nodes import (
    Arithmetic,
    Choice,
    Comparison,
    Conjunction,
    Constant,
    Disjunction,
    Membership,
    MethodCall,
    Negation,
    Node,
    Opposite,
    Presence,
)

_PLAIN = re.compile(r"[A-Za-z0-9_.:/-]+", re.ASCII)
_COMPARED = {"==": "", "<": "below ", "<=": "at most ", ">": "above ", ">=": "at least "}
_ASKED = {
    "contains": ("contains", "does not contain"),
    "endsWith": ("ends with", "does not end with"),
    "startsWith": ("begins with", "does not begin with"),
}
_SUMS = ("+", "-")
_LOOSE = (Conjunction, Disjunction, Choice)


def in_words(condition: Condition) -> str:
    """*condition* as a person would say it: `err is above 5, or st is one of degraded, critical`."""
    return _clause(condition.root, holds=True)


def _clause(node: Node, *, holds: bool) -> str:
    """That *node* holds, or that it does not."""
    match node:
        case Negation(operand=operand):
            return _clause(operand, holds=not holds)
        case Conjunction(parts=parts):
            return _joined(parts, "and" if holds else "or", holds=holds)
        case Disjunction(parts=parts):
            return _joined(parts, "or" if holds else "and", holds=holds)
        case Choice(test=test, yes=yes, no=no):
            condition = _bracketed(test, holds=True)
            return f"if {condition}, {_bracketed(yes, holds=holds)}, otherwise {_bracketed(no, holds=holds)}"
        case _:
            return _statement(node, holds=holds)


def _joined(parts: Iterable[Node], word: str, *, holds: bool) -> str:
    return f", {word} ".join(_bracketed(part, holds=holds) for part in parts)


def _bracketed(node: Node, *, holds: bool) -> str:
    clause = _clause(node, holds=holds)
    while isinstance(node, Negation):
        node = node.operand
    return f"({clause})" if isinstance(node, _LOOSE) else clause


def _statement(node: Node, *, holds: bool) -> str:
    match node:
        case Comparison():
            return _comparison(node, holds=holds)
        case Membership(operand=operand, options=options):
            listed = ", ".join(_value(option) for option in options)
            return f"{_value(operand)} is {'one' if holds else 'none'} of {listed}"
        case MethodCall(target=target, method=method, argument=argument) if argument is not None:
            return f"{_value(target)} {_ASKED[method][not holds]} {_value(argument)}"
        case Presence(name=name):
            return f"{name} is {'known' if holds else 'unknown'}"
        case Constant(value=value):
            return "always" if value is holds else "never"
        case _:
            return f"{_value(node)} is {'true' if holds else 'false'}"


def _comparison(node: Comparison, *, holds: bool) -> str:
    if node.operator == "!=":
        return _compared(node.left, "==", node.right, holds=not holds)
    return _compared(node.left, node.operator, node.right, holds=holds)


def _compared(left: Node, operator: str, right: Node, *, holds: bool) -> str:
    if left.kind is FieldKind.BOOL and isinstance(right, Constant):
        return _bracketed(left, holds=holds is right.value)
    if left.kind is FieldKind.BOOL:
        return f"{_bracketed(left, holds=True)} exactly when {_bracketed(right, holds=holds)}"
    return f"{_value(left)} is {'' if holds else 'not '}{_COMPARED[operator]}{_value(right)}"


def _value(node: Node) -> str:
    match node:
        case Constant(value=str(text)):
            return text if _PLAIN.fullmatch(text) else f'"{text}"'
        case Arithmetic(first=first, rest=rest):
            sign, _ = rest[0]
            return " ".join([_operand(first, sign), *(f"{sign} {_operand(each, sign)}" for sign, each in rest)])
        case Opposite(operand=operand):
            return f"-{_operand(operand, '*')}"
        case MethodCall(target=target):
            return f"{_operand(target, '*')} in lower case"
        case Choice(test=test, yes=yes, no=no):
            return f"({_value(yes)} if {_clause(test, holds=True)}, otherwise {_value(no)})"
        case _:
            return node.quote.text


def _operand(node: Node, sign: str) -> str:
    """*node* beside *sign*, in brackets unless it goes first anyway."""
    goes_first = not isinstance(node, Arithmetic) or (sign in _SUMS and node.rest[0][0] not in _SUMS)
    return _value(node) if goes_first else f"({_value(node)})"
