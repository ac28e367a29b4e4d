"""From the tree of a condition to functions that answer for given values, in Kleene's three-valued logic.

None is UNKNOWN, and stands exactly where CEL answers with an error: a field without a value makes all unknown that
depends on it. Numbers are IEEE doubles throughout. Nothing here raises, whatever the values are.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeAlias, TypeVar

from cronicorn.domain.condition.arithmetic import ARITHMETIC, lower_ascii
from cronicorn.domain.condition.kinds import FieldKind, Scalar, Values
from cronicorn.domain.condition.nodes import (
    Arithmetic,
    Choice,
    Comparison,
    Conjunction,
    Constant,
    Disjunction,
    FieldRead,
    Membership,
    MethodCall,
    Negation,
    Node,
    Opposite,
    Presence,
)
from cronicorn.domain.condition.readings import READERS, as_flag, as_number, as_string

T = TypeVar("T")
U = TypeVar("U")
Reading: TypeAlias = Callable[[Values], T | None]
Verdict: TypeAlias = Callable[[Values], bool | None]

_COMPARE: Mapping[str, Callable[[Scalar, Scalar], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_MIRRORED: Mapping[str, Callable[[Scalar, Scalar], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.gt, "<=": operator.ge, ">": operator.lt, ">=": operator.le,
}  # fmt: skip
"""The same with both sides exchanged."""
_ASK: Mapping[str, Callable[[str, str], bool]] = {
    "contains": operator.contains, "endsWith": str.endswith, "startsWith": str.startswith,
}  # fmt: skip


def reading_of(node: Node) -> Reading[Scalar]:
    """What *node* is for given values."""
    if node.kind is FieldKind.BOOL:
        return verdict_of(node)
    return _number_of(node) if node.kind is FieldKind.NUMBER else _string_of(node)


def verdict_of(node: Node) -> Verdict:
    """Whether *node* holds for given values."""
    match node:
        case Negation(operand=operand):
            return _applied(operator.not_, verdict_of(operand))
        case Conjunction(parts=parts):
            return _joined([verdict_of(part) for part in parts], decisive=False)
        case Disjunction(parts=parts):
            return _joined([verdict_of(part) for part in parts], decisive=True)
        case Choice(test=test, yes=yes, no=no):
            return _chosen(verdict_of(test), verdict_of(yes), verdict_of(no))
        case _:
            return _leaf_of(node)


def _leaf_of(node: Node) -> Verdict:
    match node:
        case Constant(value=bool(value)):
            return _constant(value)
        case FieldRead(name=name):
            return _field(name, as_flag)
        case Presence(name=name, of=of):
            return _presence(name, READERS[of])
        case Comparison(operator=sign, left=left, right=right):
            return _compared(sign, left, right)
        case Membership(operand=operand, options=options):
            return _applied(frozenset(option.value for option in options).__contains__, reading_of(operand))
        case MethodCall(target=target, method=method, argument=argument) if argument is not None:
            return _combined(_ASK[method], _string_of(target), _string_of(argument))
        case _:
            raise AssertionError(node)


def _compared(sign: str, left: Node, right: Node) -> Verdict:
    if isinstance(right, Constant):
        return _applied(partial(_MIRRORED[sign], right.value), reading_of(left))
    compare = _COMPARE[sign]
    match left.kind:
        case FieldKind.NUMBER:
            return _combined(compare, _number_of(left), _number_of(right))
        case FieldKind.STRING:
            return _combined(compare, _string_of(left), _string_of(right))
        case FieldKind.BOOL:
            return _combined(compare, verdict_of(left), verdict_of(right))


def _number_of(node: Node) -> Reading[float]:
    match node:
        case Constant(value=float(value)):
            return _constant(value)
        case FieldRead(name=name):
            return _number_field(name)
        case Opposite(operand=operand):
            return _applied(operator.neg, _number_of(operand))
        case Arithmetic(first=first, rest=rest):
            return _calculated(_number_of(first), [(ARITHMETIC[sign], _number_of(each)) for sign, each in rest])
        case Choice(test=test, yes=yes, no=no):
            return _chosen(verdict_of(test), _number_of(yes), _number_of(no))
        case _:
            raise AssertionError(node)


def _string_of(node: Node) -> Reading[str]:
    match node:
        case Constant(value=str(value)):
            return _constant(value)
        case FieldRead(name=name):
            return _field(name, as_string)
        case MethodCall(target=target):
            return _applied(lower_ascii, _string_of(target))
        case Arithmetic(first=first, rest=rest):
            return _calculated(_string_of(first), [(operator.add, _string_of(each)) for _, each in rest])
        case Choice(test=test, yes=yes, no=no):
            return _chosen(verdict_of(test), _string_of(yes), _string_of(no))
        case _:
            raise AssertionError(node)


def _constant(value: T) -> Reading[T]:
    return lambda _values: value


def _field(name: str, reader: Callable[[object], T | None]) -> Reading[T]:
    return lambda values: reader(values.get(name))


def _presence(name: str, reader: Callable[[object], Scalar | None]) -> Verdict:
    return lambda values: reader(values.get(name)) is not None


def _number_field(name: str) -> Reading[float]:
    def read(values: Values) -> float | None:
        value = values.get(name)
        return value if type(value) is float else as_number(value)

    return read


def _applied(function: Callable[[T], U], operand: Reading[T]) -> Reading[U]:
    def apply(values: Values) -> U | None:
        value = operand(values)
        return None if value is None else function(value)

    return apply


def _combined(function: Callable[[T, T], bool], left: Reading[T], right: Reading[T]) -> Verdict:
    def combine(values: Values) -> bool | None:
        one = left(values)
        if one is None:
            return None
        other = right(values)
        return None if other is None else function(one, other)

    return combine


def _calculated(first: Reading[T], rest: Sequence[tuple[Callable[[T, T], T | None], Reading[T]]]) -> Reading[T]:
    def calculate(values: Values) -> T | None:
        result = first(values)
        for function, operand in rest:
            if result is None:
                return None
            other = operand(values)
            if other is None:
                return None
            result = function(result, other)
        return result

    return calculate


def _joined(operands: Sequence[Verdict], *, decisive: bool) -> Verdict:
    """`||`, which one True decides, or `&&`, which one False decides; what is unknown may still be decided."""

    def join(values: Values) -> bool | None:
        result: bool | None = not decisive
        for operand in operands:
            verdict = operand(values)
            if verdict is decisive:
                return decisive
            if verdict is None:
                result = None
        return result

    return join


def _chosen(test: Verdict, yes: Reading[T], no: Reading[T]) -> Reading[T]:
    def choose(values: Values) -> T | None:
        verdict = test(values)
        if verdict is None:
            return None
        return yes(values) if verdict else no(values)

    return choose
