"""Putting the tree of a condition together, each operand of a kind that its operator takes."""

import re
from collections.abc import Sequence

from cronicorn.domain.condition.kinds import FieldKind
from cronicorn.domain.condition.misreading import MisreadError
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
    Quote,
)

_CALLED = {FieldKind.NUMBER: "a number", FieldKind.STRING: "a string", FieldKind.BOOL: "true or false"}
_EQUALITY = ("==", "!=")
_QUOTED_MAX = 40
_READS_AS = {
    FieldKind.NUMBER: re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+|ms|[smhd])?", re.ASCII | re.IGNORECASE),
    FieldKind.BOOL: re.compile(r"true|false"),
    FieldKind.STRING: re.compile(r".*", re.DOTALL),
}


def whole(node: Node) -> Node:
    """*node* as a condition: something that holds or does not."""
    _must_hold(node, "A condition")
    return node


def joined(quote: Quote, operator: str, operands: Sequence[Node]) -> Node:
    """`a && b && c` or `a || b || c`."""
    for operand in operands:
        _must_hold(operand, operator)
    if operator == "&&":
        return Conjunction(quote=quote, kind=FieldKind.BOOL, parts=tuple(operands))
    return Disjunction(quote=quote, kind=FieldKind.BOOL, parts=tuple(operands))


def negated(quote: Quote, operand: Node) -> Node:
    """`!operand`."""
    _must_hold(operand, "!")
    return Negation(quote=quote, kind=FieldKind.BOOL, operand=operand)


def opposite(quote: Quote, operand: Node) -> Node:
    """`-operand`; of a number as it is written, that number."""
    _must_be_number(operand, "-")
    if isinstance(operand, Constant) and not isinstance(operand.value, str):
        return Constant(quote=quote, kind=FieldKind.NUMBER, value=-operand.value)
    return Opposite(quote=quote, kind=FieldKind.NUMBER, operand=operand)


def compared(quote: Quote, operator: str, left: Node, right: Node) -> Node:
    """`left == right` and its like."""
    if left.kind is not right.kind:
        raise _mismatch(left, right)
    if left.kind is FieldKind.BOOL and operator not in _EQUALITY:
        raise MisreadError(left.quote.at, f"{_shown(left)} is true or false, which {operator} does not order.")
    return Comparison(quote=quote, kind=FieldKind.BOOL, operator=operator, left=left, right=right)


def chosen_from(quote: Quote, operand: Node, options: Sequence[Constant]) -> Node:
    """`operand in [options]`."""
    for option in options:
        if option.kind is not operand.kind:
            raise _mismatch(operand, option)
    return Membership(quote=quote, kind=FieldKind.BOOL, operand=operand, options=tuple(options))


def calculated(quote: Quote, first: Node, rest: Sequence[tuple[str, Node]]) -> Node:
    """`first + b - c`, from the left."""
    for operator, operand in rest:
        if first.kind is FieldKind.STRING and operator == "+":
            if operand.kind is not FieldKind.STRING:
                raise MisreadError(operand.quote.at, f"+ puts strings together; {_what(operand)}.")
        else:
            _must_be_number(first, operator)
            _must_be_number(operand, operator)
    return Arithmetic(quote=quote, kind=first.kind, first=first, rest=tuple(rest))


def chosen(quote: Quote, test: Node, yes: Node, no: Node) -> Node:
    """`test ? yes : no`."""
    _must_hold(test, "?")
    if yes.kind is not no.kind:
        raise MisreadError(no.quote.at, f"Both sides of : are of one kind; {_what(yes)}, {_what(no)}.")
    return Choice(quote=quote, kind=yes.kind, test=test, yes=yes, no=no)


def called(quote: Quote, target: Node, method: str, arguments: Sequence[Node]) -> Node:
    """`target.method(argument)`."""
    if target.kind is not FieldKind.STRING:
        raise MisreadError(target.quote.at, f".{method}() is for strings; {_what(target)}.")
    if method == "lowerAscii":
        if arguments:
            raise MisreadError(arguments[0].quote.at, "lowerAscii() takes nothing between its brackets.")
        return MethodCall(quote=quote, kind=FieldKind.STRING, target=target, method=method, argument=None)
    if len(arguments) != 1:
        raise MisreadError(quote.at, f".{method}() takes one string, as in {_shown(target)}.{method}('a').")
    if arguments[0].kind is not FieldKind.STRING:
        raise MisreadError(arguments[0].quote.at, f".{method}() takes a string; {_what(arguments[0])}.")
    return MethodCall(quote=quote, kind=FieldKind.BOOL, target=target, method=method, argument=arguments[0])


def _must_hold(node: Node, operator: str) -> None:
    if node.kind is FieldKind.BOOL:
        return
    shown = f"({_shown(node)})" if isinstance(node, Choice) else _shown(node)
    example = f"{shown} > 5" if node.kind is FieldKind.NUMBER else f"{shown} == 'a'"
    raise MisreadError(
        node.quote.at, f"{operator} needs what is true or false; {_what(node)}. Compare it, as in {example}."
    )


def _must_be_number(node: Node, operator: str) -> None:
    if node.kind is not FieldKind.NUMBER:
        raise MisreadError(
            node.quote.at, f"{operator} is for numbers; {_what(node)}.{_unquoted(node, FieldKind.NUMBER)}"
        )


def _mismatch(left: Node, right: Node) -> MisreadError:
    constant, other = (left, right) if isinstance(left, Constant) else (right, left)
    told = f"{_what(left)} and {_what(right)}, which cannot be compared."
    if isinstance(constant, Constant):
        return MisreadError(constant.quote.at, told + _remedy(constant, other))
    return MisreadError(right.quote.at, told)


def _remedy(constant: Constant, other: Node) -> str:
    if constant.is_duration and other.kind is FieldKind.STRING:
        return f" A duration is a number of seconds: declare {_shown(other)} as a number."
    if other.kind is FieldKind.STRING:
        return f" Put quotes around it: '{constant.quote.text}'."
    return _unquoted(constant, other.kind)


def _unquoted(node: Node, wanted: FieldKind) -> str:
    if not isinstance(node, Constant) or not isinstance(node.value, str):
        return ""
    return f" Drop the quotes: {node.value}." if _READS_AS[wanted].fullmatch(node.value) else ""


def _what(node: Node) -> str:
    return f"{_shown(node)} is {'a duration' if _is_duration(node) else _CALLED[node.kind]}"


def _is_duration(node: Node) -> bool:
    return isinstance(node, Constant) and node.is_duration


def _shown(node: Node) -> str:
    text = node.quote.text
    return text if len(text) <= _QUOTED_MAX else f"{text[: _QUOTED_MAX - 1]}…"
