"""The shape of a policy as JSON Schema (2020-12), for editors and forms. What names mean, only `policy_of` can tell."""

from cronicorn.domain.json_body import Json
from cronicorn.domain.policy.action_reading import ACTION_KEYS
from cronicorn.domain.policy.example_reading import EXAMPLES_MAX
from cronicorn.domain.policy.field_reading import ENUM_MAX
from cronicorn.domain.policy.memory import FIRES_KEPT
from cronicorn.domain.policy.policy import (
    FIELDS_MAX,
    LIMIT_MAX,
    RULES_MAX,
    WINDOW_MAX,
    ActionKind,
    Aggregate,
    FieldType,
    HttpFact,
)
from cronicorn.domain.policy.reading import UNSUPPORTED_CHARACTERS_MAX, UNSUPPORTED_MAX, VERSION
from cronicorn.domain.policy.rule_reading import COUNT_MAX, PRIORITY_MAX

Members = dict[str, Json]

_NAME = "^[A-Za-z_][A-Za-z0-9_]{0,63}$"
_ID = "^[A-Za-z][A-Za-z0-9_-]{0,39}$"
_FROM = "^(body|http|sibling:.+|rule:.+)$"
_PATH_ADVICE = "A singular query of RFC 9535 such as $.status, or the name of a fact of HTTP or of a rule."


def policy_schema() -> Members:
    """The schema of a policy's document."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Cronicorn policy",
        **_object({
            "version": {"const": VERSION},
            "description": _text(2_000),
            "fields": {
                "type": "object",
                "propertyNames": {"pattern": _NAME},
                "maxProperties": FIELDS_MAX,
                "additionalProperties": {"$ref": "#/$defs/field"},
            },
            "rules": {"type": "array", "maxItems": RULES_MAX, "items": {"$ref": "#/$defs/rule"}},
            "limits": _object({
                "pause_max": _LENGTH,
                "hint_changes_per_hour": _whole(1, LIMIT_MAX),
                "flips_per_hour": _whole(1, LIMIT_MAX),
            }),
            "tests": {"type": "array", "maxItems": EXAMPLES_MAX, "items": _example()},
            "unsupported": _texts(UNSUPPORTED_MAX, UNSUPPORTED_CHARACTERS_MAX),
            "provenance": {"type": "object"},
        }, "version", "rules"),
        "$defs": {"length": _length(), "field": _field(), "action": _action(), "rule": _rule()},
    }  # fmt: skip


_LENGTH: Json = {"$ref": "#/$defs/length"}
_ACTION: Json = {"$ref": "#/$defs/action"}


def _field() -> Members:
    return _object({
        "from": {"type": "string", "pattern": _FROM},
        "path": {"type": "string", "maxLength": 500, "description": _PATH_ADVICE},
        "http": {"enum": [each.value for each in HttpFact]},
        "type": {"enum": [each.value for each in FieldType]},
        "enum": _texts(ENUM_MAX),
        "agg": {"enum": [each.value for each in Aggregate]},
        "window": _whole(2, WINDOW_MAX),
        "max_age": _LENGTH,
    })  # fmt: skip


def _rule() -> Members:
    condition: Json = {"type": ["string", "boolean"], "description": "A condition over the declared fields: err > 5."}
    confirmation: Json = {
        "anyOf": [
            _whole(1, COUNT_MAX),
            {"type": "string"},
            _object({"count": _whole(1, COUNT_MAX), "duration": _LENGTH}),
        ]
    }
    return _object({
        "id": {"type": "string", "pattern": _ID},
        "why": _text(500),
        "when": condition,
        "until": condition,
        "for": confirmation,
        "probe": {"anyOf": [_LENGTH, {"enum": [False, "off"]}]},
        "until_for": confirmation,
        "hold": _LENGTH,
        "cooldown": _LENGTH,
        "max_fires": _object({"count": _whole(1, FIRES_KEPT), "per": _LENGTH, "then": _ACTION}, "count", "per"),
        "once_per": {"type": "string", "pattern": _NAME},
        "action": _ACTION,
        "priority": _whole(0, PRIORITY_MAX),
    }, "id", "when", "action")  # fmt: skip


def _action() -> Members:
    amount = _object({
        "field": {"type": "string", "pattern": _NAME},
        "times": {"type": "number", "exclusiveMinimum": 0},
        "default": _LENGTH,
        "min": _LENGTH,
        "max": _LENGTH,
    }, "field")  # fmt: skip
    timed: Json = {"anyOf": [_LENGTH, {"type": "string"}, amount]}
    kinds: Members = {**dict.fromkeys(ACTION_KEYS, timed), "run": _text(255), "wake": _text(255)}
    one_of: list[Json] = [{"required": [kind]} for kind in ACTION_KEYS]
    rest: Members = {"ttl": _LENGTH, "sibling": _text(255), "renew": {"type": "boolean"}}
    return _object(kinds | rest) | {"oneOf": one_of}


def _example() -> Members:
    values: Json = {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}}
    expect = _object({"interval": _LENGTH, "action": {"enum": [each.value for each in ActionKind]}})
    return _object({"given": values, "times": _whole(1, 1_000), "expect": expect}, "expect")


def _length() -> Members:
    advice = "A length of time: text such as 30s, 5m or 1h30m, or a number of seconds."
    return {"type": ["string", "number"], "description": advice}


def _object(members: Members, *required: str) -> Members:
    needed: list[Json] = list(required)
    return {"type": "object", "properties": members, "additionalProperties": False, "required": needed}


def _text(most: int) -> Members:
    return {"type": "string", "minLength": 1, "maxLength": most}


def _texts(most: int, characters_max: int | None = None) -> Members:
    text: Members = {"type": "string"} if characters_max is None else {"type": "string", "maxLength": characters_max}
    return {"type": "array", "maxItems": most, "items": text}


def _whole(low: int, high: int) -> Members:
    return {"type": "integer", "minimum": low, "maximum": high}
