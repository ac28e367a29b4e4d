"""Reading what a rule does."""

from datetime import UTC, datetime

from cronicorn.domain.durations import show_duration
from cronicorn.domain.instant import INTERVAL_LEAST, ZERO
from cronicorn.domain.json_body import Json
from cronicorn.domain.policy.document_part import Part, length_of
from cronicorn.domain.policy.policy import (
    AHEAD_MAX,
    NOW,
    PAUSE_MAX,
    TTL_MAX,
    Action,
    ActionKind,
    Amount,
    FieldType,
    PolicyField,
)

ACTION_KEYS = ("interval", "run_once", "run", "pause", "defer", "wake")
_ADVICE = f"Say what to do: one of {', '.join(ACTION_KEYS)}."
Declared = dict[str, PolicyField]


def action_of(part: Part, fields: Declared) -> Action | None:
    """The action that *part* writes; None, with its faults refused, when there is none."""
    part.knows(*ACTION_KEYS, "ttl", "sibling", "renew")
    given = [kind for kind in ACTION_KEYS if kind in part]
    if len(given) != 1:
        part.refuse("", _ADVICE if not given else f"Do one thing in a rule: {' or '.join(given)}.")
        return None
    name = given[0]
    if name in {"run", "wake"}:
        return _on_sibling(part, name)
    kind = ActionKind(name)
    amount = _amount(part, name, fields)
    if amount is None:
        return None
    if kind is not ActionKind.INTERVAL and "renew" in part:
        part.refuse("renew", "Only an interval is renewed; use `cooldown` to do something again.")
    return Action(
        kind=kind, amount=amount, ttl=part.length("ttl", INTERVAL_LEAST, TTL_MAX), on=part.text("sibling", 255),
        renew=part.flag("renew", default=True),
    )  # fmt: skip


def _on_sibling(part: Part, name: str) -> Action | None:
    sibling = part.text(name, 255)
    if "sibling" in part:
        part.refuse("sibling", f"`{name}` names the sibling already.")
    if sibling is None:
        return None
    kind = ActionKind.RUN_ONCE if name == "run" else ActionKind.WAKE
    return Action(kind=kind, ttl=part.length("ttl", INTERVAL_LEAST, TTL_MAX), on=sibling)


def _amount(part: Part, name: str, fields: Declared) -> Amount | None:
    value = part.value[name]
    high = {"pause": PAUSE_MAX}.get(name, AHEAD_MAX)
    low = ZERO if name == "run_once" else INTERVAL_LEAST
    if isinstance(value, dict):
        return _from_field(Part(value, part.at(name), part.problems), name, fields)
    if name == "run_once" and value == "now":
        return NOW
    if name != "interval" and (at := _instant(value)) is not None:
        return Amount(at=at)
    if length_of(value) is None:
        part.refuse(name, f"Must be {_expected(name)}.")
        return None
    length = part.length_in(name, value, low, high)
    return None if length is None else Amount(length=length)


def _expected(name: str) -> str:
    if name == "interval":
        return "a length of time such as 30s, or an object with `field`"
    now = "now, " if name == "run_once" else ""
    return f"{now}a length of time such as 10m, an instant such as 2026-01-31T09:30:00Z, or an object with `field`"


def _from_field(part: Part, name: str, fields: Declared) -> Amount | None:
    part.knows("field", "times", "default", "min", "max")
    before = len(part.problems)
    field = part.text("field")
    declared = fields.get(field or "")
    if field is None and "field" not in part:
        part.refuse("field", "Name the field that holds the length of time.")
    elif field is not None and declared is None:
        part.refuse("field", f"No field is called {field}; declare it under `fields`.")
    elif declared is not None and declared.type not in {FieldType.NUMBER, FieldType.INSTANT}:
        part.refuse("field", f"{field} is a {declared.type}; a number of seconds or an instant is wanted.")
    elif declared is not None and declared.type is FieldType.INSTANT and name == "interval":
        part.refuse("field", f"{field} is an instant; an interval is a number of seconds.")
    amount = Amount(
        field=field, times=part.number("times", 1.0), default=part.length("default", ZERO, AHEAD_MAX),
        least=part.length("min", ZERO, AHEAD_MAX), most=part.length("max", INTERVAL_LEAST, AHEAD_MAX),
    )  # fmt: skip
    if amount.least is not None and amount.most is not None and amount.least > amount.most:
        part.refuse("min", f"Must not be above `max`, {show_duration(amount.most)}.")
    return amount if len(part.problems) == before else None


def _instant(value: Json) -> datetime | None:
    if not isinstance(value, str) or "T" not in value.upper():
        return None
    try:
        at = datetime.fromisoformat(value)
        return at.astimezone(UTC) if at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
