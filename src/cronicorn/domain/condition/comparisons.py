"""Why a condition held or not: what each comparison of it said, and which single number would have turned it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cronicorn.domain.condition.condition import Condition
from cronicorn.domain.condition.evaluation import verdict_of
from cronicorn.domain.condition.flipping import flips_of
from cronicorn.domain.condition.kinds import FieldKind, Scalar, Values
from cronicorn.domain.condition.nodes import Choice, Conjunction, Disjunction, Negation, Node, names_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One comparison of a condition, as it came out."""

    text: str
    value: bool | None
    read: Mapping[str, Scalar | None]
    """The fields that it read and what they were; None when there was nothing to read."""


def outcome_of_parts(condition: Condition, values: Values) -> tuple[Part, ...]:
    """What each comparison of *condition* is for *values*, in the order of the text."""
    return tuple(
        Part(
            text=leaf.quote.text,
            value=verdict_of(leaf)(values),
            read={name: values.get(name) for name in names_in(leaf)},
        )
        for leaf in _leaves(condition.root)
    )


def counterfactual(condition: Condition, values: Values) -> str | None:
    """What a single number would have to be to turn the condition round, all else as it is: `err <= 5`.

    The statement names the whole stretch of numbers next to the present one that would; of several fields the one with
    the plainest statement, then the one that has least to go. None when no number alone would, or nothing is decided.
    """
    if condition.evaluate(values) is None:
        return None
    leaves = tuple(_leaves(condition.root))
    flips = [flip for name in names_in(condition.root) for flip in flips_of(name, leaves, condition.verdict, values)]
    return min(flips, key=lambda flip: (flip.bounds, flip.distance)).statement if flips else None


def _leaves(node: Node) -> Iterator[Node]:
    """The comparisons, calls and fields that `&&`, `||`, `!` and `?:` join."""
    if node.kind is FieldKind.BOOL and isinstance(node, Choice | Conjunction | Disjunction | Negation):
        for operand in node.operands:
            yield from _leaves(operand)
    else:
        yield node
