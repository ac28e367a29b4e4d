"""Conditions: what a rule waits for, over the values of declared fields."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from cronicorn.domain.condition.evaluation import Verdict, verdict_of
from cronicorn.domain.condition.kinds import FieldKind, Values
from cronicorn.domain.condition.misreading import MisreadError
from cronicorn.domain.condition.nodes import Negation, Node, Quote, names_in
from cronicorn.domain.condition.parsing import parsed

CONDITION_CHARACTERS_MAX = 1_000
_SURROGATE = re.compile("[\ud800-\udfff]")


class ConditionError(ValueError):
    """A text that is no condition: *problem* says what is wrong and how to mend it, *at* is where in the text."""

    def __init__(self, at: int, problem: str) -> None:
        super().__init__(problem)
        self.at = at
        self.problem = problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A condition that was read and checked, ready to be asked."""

    text: str
    root: Node
    fields: frozenset[str]
    """The names of the fields that it reads."""
    verdict: Verdict = field(compare=False, repr=False)

    def evaluate(self, values: Values) -> bool | None:
        """Whether it holds, or None when *values* leave it unknown. Never raises, and costs what the text is long."""
        return self.verdict(values)

    def negated(self) -> "Condition":
        """What holds where this one does not, and is unknown where this one is."""
        text = f"!({self.text})"
        return _condition(text, Negation(quote=Quote(at=0, text=text), kind=FieldKind.BOOL, operand=self.root))


def condition_of(text: str, fields: Mapping[str, FieldKind]) -> Condition:
    """The condition that *text* states over *fields*, in a subset of CEL's syntax. Raises ConditionError."""
    if len(text) > CONDITION_CHARACTERS_MAX:
        raise ConditionError(
            CONDITION_CHARACTERS_MAX,
            f"A condition has at most {CONDITION_CHARACTERS_MAX:,} characters, and this one {len(text):,}.",
        )
    if half := _SURROGATE.search(text):
        raise ConditionError(half.start(), "Half of a surrogate pair is no character.")
    if not text.strip():
        raise ConditionError(0, "The condition is empty; write one such as err > 5.")
    try:
        root = parsed(text, fields)
    except MisreadError as error:
        raise ConditionError(error.at, error.problem) from None
    return _condition(text, root)


def _condition(text: str, root: Node) -> Condition:
    return Condition(text=text, root=root, fields=frozenset(names_in(root)), verdict=verdict_of(root))
