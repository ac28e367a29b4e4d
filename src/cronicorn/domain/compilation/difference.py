"""What one policy changes of another, field by field and rule by rule."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from cronicorn.domain.json_body import Json
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.policy.text import policy_document


class ChangeKind(StrEnum):
    """What happens to one part."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartDifference:
    """One field, rule or limit that is not the same in both."""

    step: ChangeKind
    what: str
    """`field`, `rule` or `limit`."""
    name: str
    before: Json
    """As a person writes it; None when it was not there."""
    after: Json


PolicyDifference = tuple[PartDifference, ...]


def difference(before: Policy | None, after: Policy | None) -> PolicyDifference:
    """What *after* changes of *before*; no policy is one without rules. Texts, tests and order are no difference."""
    old, new = (policy_document(policy or Policy()) for policy in (before, after))
    return (
        *_of("field", _members(old, "fields"), _members(new, "fields")),
        *_of("rule", _rules(old), _rules(new)),
        *_of("limit", _members(old, "limits"), _members(new, "limits")),
    )


def says_the_same(policy: Policy | None, in_force: Policy | None) -> bool:
    """Whether *policy* changes nothing of the one *in_force*; where there is none it always says something."""
    return policy is not None and in_force is not None and not difference(in_force, policy)


def _of(what: str, before: Mapping[str, Json], after: Mapping[str, Json]) -> Iterator[PartDifference]:
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name), after.get(name)
        if old != new:
            step = (
                ChangeKind.ADDED
                if name not in before
                else ChangeKind.REMOVED
                if name not in after
                else ChangeKind.CHANGED
            )
            yield PartDifference(step=step, what=what, name=name, before=old, after=new)


def _members(document: Mapping[str, Json], key: str) -> Mapping[str, Json]:
    part = document.get(key)
    return part if isinstance(part, dict) else {}


def _rules(document: Mapping[str, Json]) -> Mapping[str, Json]:
    """By id, without what is only said about them."""
    rules = document.get("rules")
    found = [rule for rule in rules if isinstance(rule, dict)] if isinstance(rules, list) else []
    return {str(rule["id"]): {key: value for key, value in rule.items() if key not in {"id", "why"}} for rule in found}
