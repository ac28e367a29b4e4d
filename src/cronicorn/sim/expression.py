"""Expressions over the signals of a scenario: the conditions of rules, and arithmetic in the same language."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cronicorn.domain.condition.condition import ConditionError, condition_of
from cronicorn.domain.condition.evaluation import Reading, reading_of
from cronicorn.domain.condition.kinds import FieldKind, Scalar, Values
from cronicorn.domain.condition.nodes import Comparison

MARK = "="
"""Text that begins so is an expression, wherever a value is wanted; `==` at the beginning writes a real `=`."""
EXPRESSION_CHARACTERS_MAX = 450
"""So that its double still is a condition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A value to be worked out from signals."""

    text: str
    kind: FieldKind
    fields: frozenset[str]
    read: Reading[Scalar] = field(compare=False, repr=False)

    def of(self, values: Values) -> Scalar | None:
        """What it is for *values*; None where they leave it unknown."""
        return self.read(values)


def is_expression(text: object) -> bool:
    """Whether *text*, in the place of a value, is an expression."""
    return isinstance(text, str) and text.startswith(MARK) and not text.startswith(MARK * 2)


def expression_of(text: str, kinds: Mapping[str, FieldKind]) -> Expression:
    """The expression that *text* writes, its mark apart. Raises ConditionError.

    A condition has to hold or not; a value of any kind is read as one side of a comparison with itself.
    """
    bare = text.removeprefix(MARK).strip()
    if len(bare) > EXPRESSION_CHARACTERS_MAX:
        raise ConditionError(
            EXPRESSION_CHARACTERS_MAX, f"An expression has at most {EXPRESSION_CHARACTERS_MAX} characters."
        )
    if not bare:
        raise ConditionError(0, "The expression is empty; write one such as =load * 2.")
    try:
        doubled = condition_of(f"({bare}) == ({bare})", kinds)
    except ConditionError as error:
        raise ConditionError(max(0, min(error.at - 1, len(bare))), error.problem) from None
    root = doubled.root
    if not isinstance(root, Comparison) or root.left.quote.at == 0:  # Our own bracket comes first.
        raise ConditionError(0, "The brackets do not match.")
    return Expression(
        text=bare, kind=root.left.kind, fields=doubled.fields, read=reading_of(root.left),
    )  # fmt: skip
