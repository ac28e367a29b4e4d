"""A policy as it is stored and shown: the document that reads as the same policy."""

import json
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache

from cronicorn.domain.durations import show_duration
from cronicorn.domain.instant import ZERO
from cronicorn.domain.json_body import Json
from cronicorn.domain.policy.example_reading import BASELINE
from cronicorn.domain.policy.policy import (
    FLIPS_DEFAULT,
    HINT_CHANGES_DEFAULT,
    NOW,
    PAUSE_MAX_DEFAULT,
    Action,
    ActionKind,
    Amount,
    Confirmation,
    Example,
    FireLimit,
    Origin,
    Policy,
    PolicyField,
    Rule,
)
from cronicorn.domain.policy.reading import UNSUPPORTED_CHARACTERS_MAX, VERSION, policy_of

Members = dict[str, Json]

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False).encode


def policy_text(policy: Policy) -> str:
    """*policy* as one line of JSON."""
    return _encode(policy_document(policy))


@lru_cache(maxsize=2_048)
def policy_from(text: str) -> Policy:
    """The policy that `policy_text` wrote. Raises ValueError for anything else. Many endpoints have the same.

    Texts in `unsupported` that were stored when they could be longer are cut, as no rule depends on them.
    """
    return policy_of(_shortened(json.loads(text)))


def _shortened(document: Members) -> Members:
    told = document.get("unsupported")
    if not isinstance(told, list):
        return document
    short: list[Json] = [each[:UNSUPPORTED_CHARACTERS_MAX] if isinstance(each, str) else each for each in told]
    return {**document, "unsupported": short}


def policy_document(policy: Policy) -> Members:
    """*policy* as a person writes it, defaults left out."""
    return _lean({
        "version": VERSION,
        "description": policy.description,
        "fields": {each.name: field_document(each) for each in policy.fields} or None,
        "rules": [_rule(rule) for rule in policy.rules],
        "limits": _lean({
            "pause_max": _unless(policy.pause_max, PAUSE_MAX_DEFAULT),
            "hint_changes_per_hour": _number_unless(policy.hint_changes_max, HINT_CHANGES_DEFAULT),
            "flips_per_hour": _number_unless(policy.flips_max, FLIPS_DEFAULT),
        }) or None,
        "tests": [_example(example) for example in policy.examples] or None,
        "unsupported": list(policy.unsupported) or None,
    })  # fmt: skip


def field_document(declared: PolicyField) -> Members:
    """A declared field, defaults left out."""
    of_fact = declared.http is not None or declared.fact is not None
    return _lean({
        "from": _from(declared),
        "path": declared.path.text if declared.path is not None else declared.fact and declared.fact.value,
        "http": declared.http.value if declared.http is not None else None,
        "type": None if of_fact else declared.type.value,
        "enum": list(declared.enum) or None,
        "agg": declared.agg.value if declared.agg is not None else None,
        "window": declared.window if declared.agg is not None else None,
        "max_age": _length(declared.age_max),
    })  # fmt: skip


def _from(declared: PolicyField) -> str | None:
    match declared.origin:
        case Origin.SIBLING:
            return f"{Origin.SIBLING}:{declared.sibling}"
        case Origin.RULE:
            return f"{Origin.RULE}:{declared.rule}"
        case _:
            return None


def _rule(rule: Rule) -> Members:
    return _lean({
        "id": rule.id,
        "why": rule.why,
        "when": rule.when.text,
        "until": None if rule.until == rule.when.negated() else rule.until.text,
        "for": _confirmation(rule.confirm),
        "probe": _length(rule.probe) if rule.probing else False,
        "until_for": _confirmation(rule.confirm_end),
        "hold": _unless(rule.hold, ZERO),
        "cooldown": _length(rule.cooldown),
        "max_fires": _limit(rule.max_fires) if rule.max_fires is not None else None,
        "once_per": rule.once_per,
        "action": _action(rule.action),
        "priority": rule.priority or None,
    })  # fmt: skip


def _confirmation(confirmation: Confirmation) -> Json:
    if confirmation == Confirmation():
        return None
    return _lean({
        "count": confirmation.count if confirmation.count > 1 else None,
        "duration": _unless(confirmation.duration, ZERO),
    })  # fmt: skip


def _limit(limit: FireLimit) -> Members:
    then = _action(limit.then) if limit.then is not None else None
    return _lean({"count": limit.count, "per": _length(limit.per), "then": then})


def _action(action: Action) -> Members:
    if action.kind is ActionKind.WAKE:
        what: Members = {"wake": action.on}
    elif action.kind is ActionKind.RUN_ONCE and action.on is not None and action.amount == NOW:
        what = {"run": action.on}
    else:
        what = _lean({action.kind.value: _amount(action.amount), "sibling": action.on})
    return _lean({**what, "ttl": _length(action.ttl), "renew": None if action.renew else False})


def _amount(amount: Amount) -> Json:
    if amount.at is not None:
        return amount.at.isoformat().replace("+00:00", "Z")
    if amount.field is None:
        return "now" if amount == NOW else _length(amount.length)
    return _lean({
        "field": amount.field,
        "times": None if amount.times == 1.0 else amount.times,
        "default": _length(amount.default),
        "min": _length(amount.least),
        "max": _length(amount.most),
    })  # fmt: skip


def _example(example: Example) -> Members:
    given: Members = dict(example.given)
    expect = _lean({
        "interval": BASELINE if example.interval is None and example.action is None else _length(example.interval),
        "action": example.action.value if example.action is not None else None,
    })  # fmt: skip
    return {"given": given, "times": example.times, "expect": expect}


def _length(length: timedelta | None) -> str | None:
    return None if length is None else show_duration(length)


def _unless(length: timedelta, default: timedelta) -> str | None:
    return None if length == default else show_duration(length)


def _number_unless(number: int, default: int) -> int | None:
    return None if number == default else number


def _lean(members: Mapping[str, Json]) -> Members:
    return {name: value for name, value in members.items() if value is not None}
