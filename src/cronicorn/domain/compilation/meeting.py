"""Whether a rule's `when` and `until` can hold, and whether both can at once: tried on a grid of thresholds.

Each field takes the values between which a condition can change: the numbers and texts that are compared, one between
each two, and one beyond each end. For conditions that only compare fields with constants the grid tells everything.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise, product

from cronicorn.domain.condition.kinds import FieldKind, Scalar
from cronicorn.domain.condition.nodes import Constant, Membership, MethodCall, Node, Presence, names_in
from cronicorn.domain.policy.policy import Policy, PolicyField, Rule, RuleFact

POINTS_MAX = 20_000
"""So many points of the grid are tried."""
_OTHER = "some-other-text"
_FAR = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """What was found on the grid."""

    when: bool = False
    """`when` can hold."""
    until: bool = False
    """`until` can hold."""
    both: Mapping[str, Scalar] | None = None
    """Values for which both hold; None when there are none."""
    whole: bool = True
    """Whether all of the grid was tried."""


def meeting_of(rule: Rule, policy: Policy) -> Meeting:
    """What can hold of *rule*, a rule of *policy*."""
    axes = _axes(rule, policy)
    points = math.prod(len(values) for values in axes.values())
    when = until = False
    both: Mapping[str, Scalar] | None = None
    for values in islice(_points(axes), POINTS_MAX):
        begins = rule.when.verdict(values) is True
        ends = rule.until.verdict(values) is True
        when, until = when or begins, until or ends
        if begins and ends and _just_entered(rule, policy, values):
            both = values
            break
    return Meeting(when=when, until=until, both=both, whole=points <= POINTS_MAX or both is not None)


def _just_entered(rule: Rule, policy: Policy, values: Mapping[str, Scalar]) -> bool:
    """Whether *values* fit a rule that comes into force now: it has been in force for no time, and just fired."""
    own = (each for each in policy.fields_of_rules if each.rule == rule.id and each.name in values)
    return all(not values[each.name] for each in own if each.fact in {RuleFact.ACTIVE_FOR, RuleFact.SINCE_FIRED})


def _points(axes: Mapping[str, Sequence[Scalar | None]]) -> Iterator[dict[str, Scalar]]:
    for point in product(*axes.values()):
        yield {name: value for name, value in zip(axes, point, strict=True) if value is not None}


def _axes(rule: Rule, policy: Policy) -> Mapping[str, Sequence[Scalar | None]]:
    """The values to try of each field that *rule* reads."""
    roots = (rule.when.root, rule.until.root)
    numbers = sorted({value for root in roots for value in _constants(root) if isinstance(value, float)})
    texts = [value for root in roots for value in _constants(root) if isinstance(value, str)]
    asked = {name for root in roots for name in _asked_for(root)}
    return {
        each.name: [*_values(each, numbers, texts), *([None] if each.name in asked else [])]
        for each in policy.fields
        if each.name in rule.reads
    }


def _values(declared: PolicyField, numbers: Sequence[float], texts: Iterable[str]) -> Sequence[Scalar]:
    match declared.kind:
        case FieldKind.BOOL:
            return (True, False)
        case FieldKind.STRING:
            known = declared.enum or (*texts, _OTHER)
            return tuple(dict.fromkeys(known))
        case FieldKind.NUMBER:
            return tuple(_around(numbers))


def _around(numbers: Sequence[float]) -> Iterator[float]:
    if not numbers:
        yield from (0.0, 1.0, _FAR)
        return
    yield from (0.0, numbers[0] - 1)
    for low, high in pairwise(numbers):
        yield from (low, (low + high) / 2)
    yield from (numbers[-1], numbers[-1] + 1, numbers[-1] * 2 + _FAR)


def _constants(node: Node) -> Iterator[Scalar]:
    match node:
        case Constant(value=value):
            yield value
        case Membership(options=options):
            yield from (option.value for option in options)
            yield from _constants(node.operand)
        case MethodCall(argument=Constant(value=str(text)), method=method):
            yield from _matching(text, method)
            yield from _constants(node.target)
        case _:
            for operand in node.operands:
                yield from _constants(operand)


def _matching(text: str, method: str) -> Iterator[str]:
    """Texts that `contains`, `startsWith` and `endsWith` tell apart."""
    yield text
    yield f"{text}-more" if method != "endsWith" else f"more-{text}"


def _asked_for(node: Node) -> Iterator[str]:
    """The fields that `known` is asked about."""
    if isinstance(node, Presence):
        yield from names_in(node)
    for operand in node.operands:
        yield from _asked_for(operand)
