"""Reading the declared fields of a policy."""

from cronicorn.domain.condition.kinds import field_name_problem
from cronicorn.domain.instant import MICROSECOND
from cronicorn.domain.policy.document_part import Part
from cronicorn.domain.policy.path import Path, PathError, path_of
from cronicorn.domain.policy.policy import (
    AHEAD_MAX,
    FIELDS_MAX,
    SIBLING_AGE_DEFAULT,
    WINDOW_MAX,
    Aggregate,
    FieldType,
    HttpFact,
    Origin,
    PolicyField,
    RuleFact,
    type_of_fact,
)

ENUM_MAX = 50
_OVER_NUMBERS = {Aggregate.AVG, Aggregate.MIN, Aggregate.MAX, Aggregate.DELTA, Aggregate.SLOPE_PER_MIN}
_OVER_TWO = {Aggregate.PREVIOUS, Aggregate.CHANGED}


def fields_of(part: Part) -> tuple[PolicyField, ...]:
    """The fields under `fields`, those that can be read."""
    fields = part.part("fields")
    if fields is None:
        return ()
    if len(fields.value) > FIELDS_MAX:
        part.refuse("fields", f"A policy has at most {FIELDS_MAX} fields.")
        return ()
    found = []
    for name, value in fields.value.items():
        problem = field_name_problem(name)
        if problem is not None:
            fields.refuse(name, problem)
            continue
        one = fields.part_in(name, value)
        if one is not None and (read := _field_of(name, one)) is not None:
            found.append(read)
    return tuple(found)


def _field_of(name: str, part: Part) -> PolicyField | None:
    part.knows("from", "path", "http", "type", "enum", "agg", "window", "max_age")
    before = len(part.problems)
    origin, whose = _origin(part)
    path, http, fact = _place(part, origin)
    given = part.choice("type", FieldType)
    of_fact = http or fact
    kind = type_of_fact(of_fact) if of_fact is not None else given
    if kind is None:
        if "type" not in part:
            part.refuse("type", "Say what the value is: number, string, bool or instant.")
        kind = FieldType.NUMBER
    if of_fact is not None and given not in {None, kind}:
        part.refuse("type", f"`{of_fact}` is a {kind}.")
    agg, window = _aggregate(part, kind, origin)
    age = part.length("max_age", MICROSECOND, AHEAD_MAX)
    if age is not None and origin is not Origin.SIBLING:
        part.refuse("max_age", "Only what a sibling said grows old; take it out.")
    if len(part.problems) > before:
        return None
    return PolicyField(
        name=name, type=kind, origin=origin, path=path, http=http, fact=fact,
        sibling=whose if origin is Origin.SIBLING else None, rule=whose if origin is Origin.RULE else None,
        enum=_enum(part, kind), agg=agg, window=window,
        age_max=(age or SIBLING_AGE_DEFAULT) if origin is Origin.SIBLING else None,
    )  # fmt: skip


def _origin(part: Part) -> tuple[Origin, str | None]:
    text = part.text("from")
    if text is None:
        return (Origin.HTTP if "http" in part else Origin.BODY), None
    word, colon, name = text.partition(":")
    if word in {Origin.BODY, Origin.HTTP} and not colon:
        return Origin(word), None
    if word in {Origin.SIBLING, Origin.RULE} and name:
        return Origin(word), name
    part.refuse("from", "Must be body, http, sibling:NAME or rule:ID.")
    return Origin.BODY, None


def _place(part: Part, origin: Origin) -> tuple[Path | None, HttpFact | None, RuleFact | None]:
    """Where the value stands: a path in a body, or a fact of HTTP or of a rule."""
    if origin is Origin.RULE:
        fact = part.choice("path", RuleFact)
        if "path" not in part:
            part.refuse("path", f"Say what of the rule: {', '.join(RuleFact)}.")
        return None, None, fact
    if origin is Origin.HTTP or (origin is Origin.SIBLING and "http" in part):
        key = "http" if "http" in part else "path"
        if key not in part:
            part.refuse("path", f"Say what of the answer: {', '.join(HttpFact)}.")
        return None, part.choice(key, HttpFact), None
    if "http" in part:
        part.refuse("http", "A value from a body has a path; one of HTTP has `from: http`.")
    text = part.text("path")
    if text is None:
        if "path" not in part:
            part.refuse("path", "Say where in the body the value stands, such as $.status.")
        return None, None, None
    try:
        return path_of(text), None, None
    except PathError as error:
        part.refuse("path", f"{error.problem} (character {error.at + 1})")
        return None, None, None


def _aggregate(part: Part, kind: FieldType, origin: Origin) -> tuple[Aggregate | None, int]:
    agg = part.choice("agg", Aggregate)
    if agg is None:
        if "window" in part:
            part.refuse("window", "Says over how many answers `agg` looks; give that too.")
        return None, 1
    if origin is Origin.RULE:
        part.refuse("agg", "A rule's state is looked at as it is; take `agg` out.")
    if agg in _OVER_NUMBERS and kind not in {FieldType.NUMBER, FieldType.INSTANT}:
        part.refuse("agg", f"`{agg}` is made of numbers, and this is a {kind}.")
    if agg is Aggregate.COUNT_TRUE and kind is not FieldType.BOOL:
        part.refuse("agg", f"`count_true` counts bools, and this is a {kind}.")
    if agg in _OVER_TWO:
        return agg, part.whole("window", 2, 2, 2)
    if "window" not in part:
        part.refuse("window", f"Say over how many answers: 2 to {WINDOW_MAX}.")
    return agg, part.whole("window", 2, WINDOW_MAX, 2)


def _enum(part: Part, kind: FieldType) -> tuple[str, ...]:
    values = part.texts("enum", ENUM_MAX)
    if values and kind is not FieldType.STRING:
        part.refuse("enum", "Only text has a list of values.")
    return values
