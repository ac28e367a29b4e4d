"""Reading the rules of a policy."""

import re
from collections.abc import Mapping
from datetime import timedelta

from cronicorn.domain.condition.condition import Condition, ConditionError, condition_of
from cronicorn.domain.condition.kinds import FieldKind
from cronicorn.domain.instant import INTERVAL_LEAST, MICROSECOND, ZERO
from cronicorn.domain.json_body import Json
from cronicorn.domain.policy.action_reading import Declared, action_of
from cronicorn.domain.policy.document_part import Part
from cronicorn.domain.policy.memory import FIRES_KEPT
from cronicorn.domain.policy.policy import (
    AHEAD_MAX,
    RULES_MAX,
    Action,
    Confirmation,
    FireLimit,
    Origin,
    PolicyField,
    Rule,
)

PRIORITY_MAX = 1_000
COUNT_MAX = 100
_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}", re.ASCII)
_RULE = (
    "id", "why", "when", "until", "for", "probe", "until_for", "hold", "cooldown", "max_fires", "once_per", "action",
    "priority",
)  # fmt: skip


def rules_of(part: Part, fields: tuple[PolicyField, ...]) -> tuple[Rule, ...]:
    """The rules under `rules`, those that can be read."""
    declared = {field.name: field for field in fields}
    seen: set[str] = set()
    rules = [_rule_of(each, declared, seen) for each in part.parts("rules", RULES_MAX)]
    _check_rules_read(part, fields, seen)
    return tuple(rule for rule in rules if rule is not None)


def _rule_of(part: Part, fields: Declared, seen: set[str]) -> Rule | None:
    for key in ("ttl", "renew", "sibling"):
        if key in part:
            part.refuse(key, "Belongs inside `action`, beside what to do.")
    part.knows(*_RULE, "ttl", "renew", "sibling")
    before = len(part.problems)
    rule_id = _id(part, seen)
    kinds = {name: field.kind for name, field in fields.items()}
    when = _condition(part, "when", kinds)
    until = _condition(part, "until", kinds) if "until" in part else None
    action = _action(part, fields)
    once_per = part.text("once_per")
    if once_per is not None and once_per not in fields:
        part.refuse("once_per", f"No field is called {once_per}; declare it under `fields`.")
    probe, probing = _probe(part)
    rest = {
        "why": part.text("why"), "confirm": _confirmation(part, "for"), "probe": probe, "probing": probing,
        "confirm_end": _confirmation(part, "until_for"), "hold": part.length("hold", ZERO, AHEAD_MAX) or ZERO,
        "cooldown": part.length("cooldown", INTERVAL_LEAST, AHEAD_MAX), "max_fires": _limit(part, fields),
        "priority": part.whole("priority", 0, PRIORITY_MAX, 0),
    }  # fmt: skip
    if len(part.problems) > before or rule_id is None or when is None or action is None:
        return None
    return Rule(id=rule_id, when=when, until=until or when.negated(), action=action, once_per=once_per, **rest)  # type: ignore[arg-type]


def _id(part: Part, seen: set[str]) -> str | None:
    text = part.text("id")
    if text is None:
        if "id" not in part:
            part.refuse("id", "Give each rule an id, such as degraded.")
        return None
    if _ID.fullmatch(text) is None:
        part.refuse("id", "Must be letters, digits, - and _, 40 at most, a letter first.")
    elif text in seen:
        part.refuse("id", f"Another rule is called {text}.")
    seen.add(text)
    return text


def _condition(part: Part, key: str, kinds: Mapping[str, FieldKind]) -> Condition | None:
    value: Json = part.value.get(key)
    if isinstance(value, bool):
        value = str(value).lower()
    if not isinstance(value, str):
        part.refuse(key, "Must be a condition over the declared fields, such as err > 5.")
        return None
    try:
        return condition_of(value, kinds)
    except ConditionError as error:
        part.refuse(key, f"{error.problem} (character {error.at + 1})")
        return None


def _action(part: Part, fields: Declared) -> Action | None:
    if "action" not in part:
        part.refuse("action", "Say what to do, such as {interval: 30s}.")
        return None
    inside = part.part("action")
    return None if inside is None else action_of(inside, fields)


def _probe(part: Part) -> tuple[timedelta | None, bool]:
    if part.value.get("probe") is False or part.value.get("probe") == "off":
        return None, False
    return part.length("probe", INTERVAL_LEAST, AHEAD_MAX), True


def _confirmation(part: Part, key: str) -> Confirmation:
    value = part.value.get(key)
    if value is None:
        return Confirmation()
    if isinstance(value, int) and not isinstance(value, bool):
        return Confirmation(count=part.whole(key, 1, COUNT_MAX, 1))
    if isinstance(value, str):
        return Confirmation(duration=part.length(key, ZERO, AHEAD_MAX) or ZERO)
    inside = part.part(key)
    if inside is None:
        return Confirmation()
    inside.knows("count", "duration")
    return Confirmation(
        count=inside.whole("count", 1, COUNT_MAX, 1), duration=inside.length("duration", ZERO, AHEAD_MAX) or ZERO
    )


def _limit(part: Part, fields: Declared) -> FireLimit | None:
    inside = part.part("max_fires")
    if inside is None:
        return None
    inside.knows("count", "per", "then")
    for key in ("count", "per"):
        if key not in inside:
            inside.refuse(key, "Say how often in how long: {count: 3, per: 1h}.")
    per = inside.length("per", INTERVAL_LEAST, AHEAD_MAX)
    then = inside.part("then")
    return FireLimit(
        count=inside.whole("count", 1, FIRES_KEPT, 1), per=per or MICROSECOND,
        then=None if then is None else action_of(then, fields),
    )  # fmt: skip


def _check_rules_read(part: Part, fields: tuple[PolicyField, ...], rules: set[str]) -> None:
    inside = Part({}, part.at("fields"), part.problems)
    for field in fields:
        if field.origin is Origin.RULE and field.rule not in rules:
            inside.refuse(field.name, f"No rule is called {field.rule}.")
