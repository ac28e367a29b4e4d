"""Reading the state of a scenario: values that calls and time change."""

from collections.abc import Mapping
from datetime import timedelta

from cronicorn.domain.condition.kinds import FieldKind, Scalar
from cronicorn.domain.policy.document_part import Part
from cronicorn.sim.course import kind_of
from cronicorn.sim.course_reading import literal
from cronicorn.sim.expression import Expression, is_expression
from cronicorn.sim.filling import condition_at, expression_at
from cronicorn.sim.giving import is_scalar, named, number_at, only_one, scalar, seconds_at
from cronicorn.sim.scenario import StateChange, StateVariable

CHANGES_MAX = 200


def state_kinds(part: Part) -> dict[str, FieldKind]:
    """What each piece of state is, by the value that it begins with."""
    unheard = Part(part.value, part.pointer)
    return {name: kind_of(_start_of(each)) for name, each in _variables(unheard).items()}


def variables_of(part: Part, kinds: Mapping[str, FieldKind], endpoints: tuple[str, ...]) -> dict[str, StateVariable]:
    """The state that *part* writes."""
    found = {}
    for name, each in _variables(part).items():
        each.knows("start", "changes")
        start = scalar(each, "start")
        changes = each.parts("changes", CHANGES_MAX)
        found[name] = StateVariable(
            start=0.0 if start is None else literal(start),
            changes=tuple(_change_of(change, kinds, endpoints, kinds[name]) for change in changes),
        )
    return found


def _variables(part: Part) -> dict[str, Part]:
    """A variable is an object, or just the value that it begins with."""
    found = {}
    for name, value in part.value.items():
        inside = Part({"start": value}, part.at(name), part.problems) if is_scalar(value) else part.part_in(name, value)
        if inside is not None:
            found[name] = inside
    return found


def _start_of(part: Part) -> Scalar:
    value = part.value.get("start")
    return value if is_scalar(value) else 0.0


def _change_of(part: Part, kinds: Mapping[str, FieldKind], endpoints: tuple[str, ...], kind: FieldKind) -> StateChange:
    part.knows("call", "at", "when", "after", "for", "set", "add")
    cause = only_one(part, ("call", "at"), "What makes the change")
    deed = only_one(part, ("set", "add"), "The change")
    if deed == "add" and kind is not FieldKind.NUMBER:
        part.refuse("add", f"Only a number can be added to, and this is a {kind}.")
    return StateChange(
        call=named(part, "call", endpoints, "endpoint") if cause == "call" else None,
        at=seconds_at(part, "at", 0.0),
        when=condition_at(part, "when", kinds),
        after=seconds_at(part, "after", 0.0),
        lasting=seconds_at(part, "for", low=timedelta(milliseconds=1)) if "for" in part else None,
        to=_to(part, kinds, kind) if deed == "set" else None,
        add=number_at(part, "add", 0.0),
    )


def _to(part: Part, kinds: Mapping[str, FieldKind], kind: FieldKind) -> Scalar | Expression | None:
    value = part.value["set"]
    if isinstance(value, str) and is_expression(value):
        expression = expression_at(part, "set", value, kinds)
        given = None if expression is None else expression.kind
        found: Scalar | Expression | None = expression
    else:
        constant = scalar(part, "set")
        given = None if constant is None else kind_of(constant)
        found = None if constant is None else literal(constant)
    if given not in {None, kind}:
        part.refuse("set", f"Must be a {kind}, as at the start; this is a {given}.")
    return found
