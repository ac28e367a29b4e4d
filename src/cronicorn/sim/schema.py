"""The shape of a scenario as JSON Schema (2020-12), for editors and forms. What names mean, only reading it tells."""

import json
from collections.abc import Iterable

from cronicorn.domain.call import Method
from cronicorn.domain.condition.kinds import FIELD_NAME_MAX
from cronicorn.domain.endpoint import CATCH_UP_RUNS_MAX, RETRIES_MAX, CatchUpMode, Overlap
from cronicorn.domain.json_body import Json
from cronicorn.domain.policy.json_schema import policy_schema
from cronicorn.domain.signals.signal import Adapt, Signal
from cronicorn.sim.answer_reading import ANSWER_HEADERS_MAX, CASES_MAX, FAILURES, OUTAGES_MAX
from cronicorn.sim.chronicle import Fate
from cronicorn.sim.endpoint_reading import BASELINES, COPIES_MAX, NAME_MAX
from cronicorn.sim.expectation_reading import EXPECTATIONS_MAX
from cronicorn.sim.giving import DESCRIPTION_MAX
from cronicorn.sim.scenario import VERSION
from cronicorn.sim.scenario_reading import CRASHES_MAX, ENDPOINTS_MAX, SEED_MAX, WORKERS_MAX
from cronicorn.sim.state_reading import CHANGES_MAX

_Members = dict[str, Json]

_LENGTH: Json = {"$ref": "#/$defs/length"}
_LENGTHS: Json = {"$ref": "#/$defs/lengths"}
_SCALAR: Json = {"type": ["string", "number", "boolean"]}
_NUMBER: Json = {"type": "number"}
_CONDITION: Json = {"type": ["string", "boolean"], "description": "A condition over signals and state: load > 80."}
_EXPRESSION: Json = {"type": "string", "pattern": "^=([^=]|$)", "description": "Worked out anew: '=load * 2'."}
_SIGNAL_NAME: Json = {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$", "maxLength": FIELD_NAME_MAX}


def schema_text() -> str:
    """The schema as it is printed."""
    return json.dumps(scenario_schema(), indent=2, ensure_ascii=False) + "\n"


def scenario_schema() -> _Members:
    """The schema of a scenario's document."""
    crash = _object({"at": _LENGTH, "worker": _whole(1, WORKERS_MAX), "back_after": _LENGTH}, "at", "worker")
    workers: Json = {"anyOf": [_whole(1, WORKERS_MAX), _object({"count": _whole(1, WORKERS_MAX), "lease": _LENGTH})]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Cronicorn scenario",
        **_object({
            "version": {"const": VERSION},
            "name": _text(100),
            "description": _text(DESCRIPTION_MAX),
            "start": {"type": "string", "description": "An instant with its offset: 2026-01-31T09:30:00Z."},
            "length": _LENGTH,
            "seed": _whole(0, SEED_MAX),
            "workers": workers,
            "crashes": _list(crash, CRASHES_MAX),
            "signals": _by_name({"$ref": "#/$defs/course"}),
            "state": _by_name({"anyOf": [_SCALAR, {"$ref": "#/$defs/variable"}]}),
            "endpoints": _list({"$ref": "#/$defs/endpoint"}, ENDPOINTS_MAX) | {"minItems": 1},
            "outages": _list({"$ref": "#/$defs/outage"}, OUTAGES_MAX),
            "expect": _list({"$ref": "#/$defs/expectation"}, EXPECTATIONS_MAX),
        }, "version", "length", "endpoints"),
        "$defs": {
            "length": _length(),
            "lengths": {"anyOf": [_LENGTH, _object({"min": _LENGTH, "max": _LENGTH}, "min", "max")]},
            "course": _course(),
            "variable": _variable(),
            "endpoint": _endpoint(),
            "answer": _answer(),
            "policy": {"$id": "policy", **policy_schema()},
            "outage": _outage(),
            "expectation": _expectation(),
        },
    }  # fmt: skip


def _course() -> _Members:
    course: Json = {"$ref": "#/$defs/course"}
    span = _object({"min": _NUMBER, "max": _NUMBER}, "min", "max")
    level: Json = {"type": "number", "minimum": 0}
    share: Json = {"type": "number", "minimum": -1, "maximum": 1}
    kinds: _Members = {
        "steps": _by_time(course),
        "ramp": _by_time(_NUMBER),
        "decay": _object({"from": _NUMBER, "to": _NUMBER, "at": _LENGTH, "tau": _LENGTH}, "from", "to", "tau"),
        "sine": _object(
            {"mean": _NUMBER, "amplitude": _NUMBER, "period": _LENGTH, "phase": _LENGTH}, "amplitude", "period"
        ),
        "uniform": _object({"min": _NUMBER, "max": _NUMBER, "each": _LENGTH}, "min", "max"),
        "normal": _object({"mean": _NUMBER, "sd": level, "each": _LENGTH}, "sd"),
        "ar1": _object({"mean": _NUMBER, "sd": level, "phi": share, "each": _LENGTH}, "sd", "phi"),
        "events": _object({
            "every": _LENGTH, "lasts": _LENGTHS, "value": {"anyOf": [_SCALAR, span]}, "otherwise": _SCALAR,
            "count": {"type": "boolean"},
        }, "every"),
        "levels": _object(
            {"values": {"type": "array", "minItems": 1, "items": _SCALAR}, "start": _SCALAR, "stay": _LENGTHS},
            "values", "stay",
        ),
        "calls": _name(),
        "since_call": _name(),
    }  # fmt: skip
    course_object = _object(kinds | {"never": _NUMBER}) | _exactly_one(kinds)
    return {"anyOf": [_SCALAR, course_object]}


def _variable() -> _Members:
    change = _object({
        "call": _name(), "at": _LENGTH, "when": _CONDITION, "after": _LENGTH, "for": _LENGTH, "set": _SCALAR,
        "add": _NUMBER,
    })  # fmt: skip
    change["allOf"] = [_exactly_one(("call", "at")), _exactly_one(("set", "add"))]
    return _object({"start": _SCALAR, "changes": _list(change, CHANGES_MAX)}, "start")


def _endpoint() -> _Members:
    retries = _object({"count": _whole(0, RETRIES_MAX), "min": _LENGTH, "max": _LENGTH, "doublings": _whole(0, 64)})
    late = _object({"mode": _choice(CatchUpMode), "window": _LENGTH, "runs": _whole(1, CATCH_UP_RUNS_MAX)})
    answer: Json = {"$ref": "#/$defs/answer"}
    return _object({
        "name": _text(NAME_MAX),
        "description": _text(DESCRIPTION_MAX),
        "every": _LENGTH,
        "cron": _text(255),
        "once": _LENGTH,
        "dormant": {"const": True},
        "phase": _LENGTH,
        "timezone": _text(100),
        "window": _LENGTH,
        "min": _LENGTH,
        "max": _LENGTH,
        "method": _choice(Method),
        "timeout": _LENGTH,
        "retries": {"anyOf": [_whole(0, RETRIES_MAX), retries]},
        "success": {"type": "array", "minItems": 1, "items": {"type": ["string", "integer"]}},
        "overlap": _choice(Overlap),
        "catch_up": late,
        "adapt": {"enum": [*(each.value for each in Adapt), True, False]},
        "signals": {
            "type": "object", "propertyNames": _choice(Signal), "additionalProperties": {"type": "boolean"},
        },
        "policy": {"anyOf": [_text(500), {"$ref": "policy"}]},
        "paused": {"anyOf": [{"type": "boolean"}, _LENGTH]},
        "copies": _whole(1, COPIES_MAX),
        "answers": {"anyOf": [answer, _list(answer, CASES_MAX)]},
    }, "name") | _exactly_one(BASELINES)  # fmt: skip


def _answer() -> _Members:
    header: Json = {"type": ["string", "number", "boolean"]}
    headers: Json = {"type": "object", "maxProperties": ANSWER_HEADERS_MAX, "additionalProperties": header}
    answer = _object({
        "when": _CONDITION, "status": {"anyOf": [_whole(100, 599), _EXPRESSION]}, "headers": headers,
        "latency": {"anyOf": [_LENGTHS, _EXPRESSION]}, "body": {}, "text": _text(100_000),
    })  # fmt: skip
    return answer | {"not": {"required": ["body", "text"]}}


def _outage() -> _Members:
    return _object({
        "from": _LENGTH, "until": _LENGTH, "endpoints": _names(), "fail": {"enum": list(FAILURES)},
        "status": _whole(300, 599), "retry_after": _LENGTH, "share": {"type": "number", "minimum": 0, "maximum": 1},
    }, "from") | _exactly_one(("fail", "status"))  # fmt: skip


def _expectation() -> _Members:
    window: _Members = {"from": _LENGTH, "until": _LENGTH}
    lengths: _Members = {"at_least": _LENGTH, "at_most": _LENGTH}
    numbers: _Members = {"at_least": _NUMBER, "at_most": _NUMBER}
    gaps: _Members = {"gap_at_least": _LENGTH, "gap_at_most": _LENGTH}
    of_endpoint: _Members = {
        "first_call": _object({"after": _LENGTH, "by": _LENGTH}, "by"),
        "reaction": _object({"after": _LENGTH, "by": _LENGTH, **gaps}, "by") | _any_of(gaps),
        "not_before": _LENGTH,
        "count": _object({**window, **numbers}) | _any_of(numbers),
        "spacing": _object({**window, **lengths}) | _any_of(lengths),
        "cadence": _object({**window, **lengths}) | _any_of(lengths),
        "never": {"anyOf": [{"const": True}, _object(window)]},
        "lateness": _object({**window, "at_most": _LENGTH}, "at_most"),
        "only_after": _name(),
    }
    value = _object({"at": _LENGTH, "is": _SCALAR, **numbers}, "at") | _any_of(("is", *numbers))
    kinds: _Members = {
        **of_endpoint, "order": {"anyOf": [_names(), _object({"calls": _names(), **window}, "calls")]}, "value": value,
    }  # fmt: skip
    rest: _Members = {"name": _text(200), "endpoint": _name(), "signal": _text(500), "only": _choice(Fate)}
    needs: _Members = {kind: ["endpoint"] for kind in of_endpoint}
    needs["value"] = ["signal"]
    return _object({**rest, **kinds}, "name") | _exactly_one(kinds) | {"dependentRequired": needs}


def _length() -> _Members:
    advice = "A length of time, or a time since the start: text such as 90s, 5m or 1h30m, or a number of seconds."
    return {"type": ["string", "number"], "minimum": 0, "description": advice}


def _object(members: _Members, *required: str) -> _Members:
    needed: list[Json] = list(required)
    return {"type": "object", "properties": members, "additionalProperties": False, "required": needed}


def _exactly_one(names: Iterable[str]) -> _Members:
    return {"oneOf": [{"required": [name]} for name in names]}


def _any_of(names: Iterable[str]) -> _Members:
    return {"anyOf": [{"required": [name]} for name in names]}


def _by_name(item: Json) -> _Members:
    return {"type": "object", "propertyNames": _SIGNAL_NAME, "additionalProperties": item}


def _by_time(item: Json) -> _Members:
    return {"type": "object", "minProperties": 1, "propertyNames": {"pattern": "^[0-9]"}, "additionalProperties": item}


def _list(item: Json, most: int) -> _Members:
    return {"type": "array", "maxItems": most, "items": item}


def _names() -> _Members:
    return {"anyOf": [_name(), {"type": "array", "items": _name()}]}


def _name() -> _Members:
    return _text(255)


def _text(most: int) -> _Members:
    return {"type": "string", "minLength": 1, "maxLength": most}


def _choice(values: Iterable[str]) -> _Members:
    return {"enum": [str(value) for value in values]}


def _whole(low: int, high: int) -> _Members:
    return {"type": "integer", "minimum": low, "maximum": high}
