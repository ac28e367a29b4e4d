"""A condition as it was understood: a tree whose kinds have been checked.

Chains of one precedence (`a && b && c`, `a + b - c`) are one node, so that the tree is no deeper than the nesting that
its author wrote.
"""

from dataclasses import dataclass
from typing import TypeAlias

from cronicorn.domain.condition.kinds import FieldKind, Scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A piece of the condition's text, and its offset there."""

    at: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Expression:
    quote: Quote
    kind: FieldKind

    @property
    def operands(self) -> "tuple[Node, ...]":
        """What it is made of, in the order of the text."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant(_Expression):
    value: Scalar
    """A float, a str or a bool: never an int."""

    @property
    def is_duration(self) -> bool:
        return self.kind is FieldKind.NUMBER and self.quote.text[-1].isalpha()


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRead(_Expression):
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence(_Expression):
    """`known(name)`."""

    name: str
    of: FieldKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Negation(_Expression):
    """`!operand`."""

    operand: "Node"

    @property
    def operands(self) -> "tuple[Node, ...]":
        return (self.operand,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opposite(_Expression):
    """`-operand`."""

    operand: "Node"

    @property
    def operands(self) -> "tuple[Node, ...]":
        return (self.operand,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conjunction(_Expression):
    """`a && b && c`."""

    parts: tuple["Node", ...]

    @property
    def operands(self) -> "tuple[Node, ...]":
        return self.parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Disjunction(_Expression):
    """`a || b || c`."""

    parts: tuple["Node", ...]

    @property
    def operands(self) -> "tuple[Node, ...]":
        return self.parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison(_Expression):
    operator: str
    left: "Node"
    right: "Node"

    @property
    def operands(self) -> "tuple[Node, ...]":
        return (self.left, self.right)


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership(_Expression):
    """`operand in [options]`."""

    operand: "Node"
    options: tuple[Constant, ...]

    @property
    def operands(self) -> "tuple[Node, ...]":
        return (self.operand,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic(_Expression):
    """`first + b - c`, `first * b / c % d`, or strings put together: worked out from the left."""

    first: "Node"
    rest: tuple[tuple[str, "Node"], ...]

    @property
    def operands(self) -> "tuple[Node, ...]":
        return (self.first, *(operand for _, operand in self.rest))


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(_Expression):
    """`test ? yes : no`."""

    test: "Node"
    yes: "Node"
    no: "Node"

    @property
    def operands(self) -> "tuple[Node, ...]":
        return (self.test, self.yes, self.no)


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodCall(_Expression):
    """`target.method(argument)`."""

    target: "Node"
    method: str
    argument: "Node | None"

    @property
    def operands(self) -> "tuple[Node, ...]":
        return (self.target,) if self.argument is None else (self.target, self.argument)


Node: TypeAlias = (
    Constant
    | FieldRead
    | Presence
    | Negation
    | Opposite
    | Conjunction
    | Disjunction
    | Comparison
    | Membership
    | Arithmetic
    | Choice
    | MethodCall
)


def names_in(node: Node) -> tuple[str, ...]:
    """The fields that *node* reads, each once, in the order of the text."""
    if isinstance(node, FieldRead | Presence):
        return (node.name,)
    return tuple(dict.fromkeys(name for operand in node.operands for name in names_in(operand)))
