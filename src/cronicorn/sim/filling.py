"""Values that hold expressions: a JSON value whose texts that begin with `=` are worked out anew for every call."""

import math
from collections.abc import Mapping

from cronicorn.domain.condition.condition import Condition, ConditionError, condition_of
from cronicorn.domain.condition.kinds import FieldKind, Scalar, Values
from cronicorn.domain.json_body import Json
from cronicorn.domain.policy.document_part import Part
from cronicorn.sim.expression import MARK, Expression, expression_of, is_expression
from cronicorn.sim.scenario import Filling

_WHOLE_MAX = 2**53


def filling_of(part: Part, key: str, value: Json, kinds: Mapping[str, FieldKind]) -> Filling:
    """What fills the *value* that stands at *key*."""
    match value:
        case dict():
            inside = Part(value, part.at(key), part.problems)
            members = {name: filling_of(inside, name, item, kinds) for name, item in value.items()}
            return lambda values: {name: item(values) for name, item in members.items()}
        case list():
            inside = Part({}, part.at(key), part.problems)
            items = [filling_of(inside, str(place), item, kinds) for place, item in enumerate(value)]
            return lambda values: [item(values) for item in items]
        case str() if is_expression(value):
            return _worked_out(expression_at(part, key, value, kinds))
        case str() if value.startswith(MARK):
            return _always(value[1:])
        case _:
            return _always(value)


def expression_at(part: Part, key: str, text: str, kinds: Mapping[str, FieldKind]) -> Expression | None:
    """The expression *text*, which stands at *key*; None, and refused, when it is none."""
    try:
        return expression_of(text, kinds)
    except ConditionError as error:
        part.refuse(key, f"{error.problem} (character {error.at + 2})")
        return None


def condition_at(part: Part, key: str, kinds: Mapping[str, FieldKind]) -> Condition | None:
    """The condition at *key*; None when there is none, and when it is refused."""
    value = part.value.get(key)
    if value is None:
        return None
    text = str(value).lower() if isinstance(value, bool) else value
    if not isinstance(text, str):
        part.refuse(key, "Must be a condition over signals and state, such as load > 80.")
        return None
    try:
        return condition_of(text.removeprefix(MARK).strip() if is_expression(text) else text, kinds)
    except ConditionError as error:
        part.refuse(key, f"{error.problem} (character {error.at + 1})")
        return None


def _always(value: Json) -> Filling:
    return lambda _values: value


def _worked_out(expression: Expression | None) -> Filling:
    """What *expression* is as JSON: whole numbers without a fraction, null for what is unknown or no number."""
    if expression is None:
        return _always(None)
    read = expression.read

    def filled(values: Values) -> Json:
        return as_json(read(values))

    return filled


def as_json(value: Scalar | None) -> Json:
    """*value* as JSON holds it."""
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) < _WHOLE_MAX else value
