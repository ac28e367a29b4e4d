"""The tables of the REST reference, made from the application's own description of itself."""

import asyncio
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from cronicorn.api.rehearsing import NAME
from cronicorn.control.activity import EventType
from cronicorn.control.document import PreviewDocument
from cronicorn.control.drafting import blank
from cronicorn.control.hints import TTL_MINUTES_DEFAULT
from cronicorn.control.policies import BacktestDocument
from cronicorn.control.rendering import shown
from cronicorn.domain.alert.alerting import AlertChannel
from cronicorn.domain.auth import AuthKind, ClientAuth
from cronicorn.domain.calendar import Period
from cronicorn.domain.call import Method
from cronicorn.domain.cron import DstGap, DstOverlap
from cronicorn.domain.endpoint import CatchUpMode, CompileMode, JobStatus, KeepBodies, Overlap
from cronicorn.domain.instant import EPOCH
from cronicorn.domain.permission import Permission, Role
from cronicorn.domain.run import RunStatus
from cronicorn.domain.signals.signal import Adapt
from cronicorn.wiring.engine import engine
from cronicorn.wiring.rest import rest_app
from cronicorn.wiring.settings import Settings
from tests.docs.markdown import table


def routes() -> str:
    """Every route of the application, from its own description."""
    paths = asyncio.run(_description())["paths"]
    rows = [
        (f"`{method.upper()} {path}`", _asked(route), _success(route), _told(route))
        for path, methods in paths.items()
        for method, route in methods.items()
    ]
    return table(("route", "takes", "answers", "what it does"), rows)


def bodies() -> str:
    """The fields of every request body."""
    schemas = asyncio.run(_description())["components"]["schemas"]
    taken = [
        (name, schema)
        for name, schema in sorted(schemas.items())
        if name.endswith(("Document", "Patch", "InFile", "WithEndpoints"))
    ]
    return "\n".join(f"### {name}\n\n{_fields_text(schema, _DEFAULTS.get(name, {}))}" for name, schema in taken)


def _fields_text(schema: dict[str, Any], defaults: Mapping[str, object]) -> str:
    required = schema.get("required", ())
    rows = [
        (f"`{name}`", _type_of(field), "required" if name in required else _default(name, defaults))
        for name, field in schema["properties"].items()
    ]
    told = " ".join(schema.get("description", "").split())
    return f"{told}\n\n{table(('field', 'value', 'default'), rows)}"


def _default(name: str, defaults: Mapping[str, object]) -> str:
    """What a field is that is left out or null; of an object, its members say so."""
    value = defaults.get(name)
    if name in _IN_WORDS and value is None:
        return _IN_WORDS[name]
    if value is None or isinstance(value, dict):
        return ""
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


_ENDPOINT = shown(blank("", "", "", EPOCH))
_TTL = {"ttlMinutes": TTL_MINUTES_DEFAULT}
_DEFAULTS: dict[str, Any] = {
    "EndpointDocument": _ENDPOINT | {"dormant": False, "windowMs": 0},
    "EndpointPatch": _ENDPOINT | {"dormant": False, "windowMs": 0, "name": None, "url": None},
    "CatchUpPatch": _ENDPOINT["catchUp"],
    "RetriesPatch": _ENDPOINT["retries"],
    "IntervalHintDocument": _TTL,
    "OneShotHintDocument": _TTL,
    "BacktestDocument": {"overHours": BacktestDocument.model_fields["over_hours"].default},
    "PreviewDocument": {"count": PreviewDocument.model_fields["count"].default},
}
"""The defaults of each body: those that an endpoint has of which nothing was said."""
_IN_WORDS = {
    "anchorAt": "when the interval is set",
    "windowMs": "the interval, at most 1 h; cron and once: 1 h",
}
"""Defaults that are not one value."""


def _type_of(field: dict[str, Any]) -> str:
    """A JSON schema in words: its types, limits and choices."""
    options = [option for option in field.get("anyOf", [field]) if option.get("type") != "null"]
    said = " or ".join(_one_type(option) for option in options)
    least, most = (_plain(field.get(name, field.get(other))) for name, other in _LIMITS)
    if least is None or most is None:
        return said if least is None else f"{said}, at least {least}"
    return f"{said}, {least} to {most}"


_LIMITS = (("minimum", "minLength"), ("maximum", "maxLength"))


def _plain(limit: float | None) -> float | None:
    """*limit* without a fraction of nothing."""
    return int(limit) if isinstance(limit, float) and limit.is_integer() else limit


def _one_type(option: dict[str, Any]) -> str:
    if "$ref" in option:
        name = option["$ref"].rpartition("/")[2]
        choices = _CHOICES.get(name)
        return " ".join(f"`{choice.value}`" for choice in choices) if choices else f"[{name}](#{name.lower()})"
    kinds = option.get("type")
    kind = " or ".join(each for each in kinds if each != "null") if isinstance(kinds, list) else kinds
    return str(option.get("format") or kind or "any JSON")


_CHOICES: dict[str, type[StrEnum]] = {
    kind.__name__: kind
    for kind in (
        Adapt,
        AlertChannel,
        AuthKind,
        CatchUpMode,
        ClientAuth,
        CompileMode,
        DstGap,
        DstOverlap,
        EventType,
        JobStatus,
        Method,
        KeepBodies,
        Overlap,
        Period,
        Permission,
        Role,
        RunStatus,
    )
}


def _asked(route: dict[str, Any]) -> str:
    """The body and the query of a route."""
    content = route.get("requestBody", {}).get("content", {})
    names = [body["schema"].get("$ref", "").rpartition("/")[2] for body in content.values()]
    query = [each for each in route.get("parameters", ()) if each["in"] == "query"]
    told = [_parameter(each) for each in query if each["name"] != NAME]  # It is told once, for all routes.
    return "; ".join([f"[{name}](#{name.lower()})" for name in names if name] + told)


def _parameter(parameter: dict[str, Any]) -> str:
    """A parameter of a query, with its limits and default."""
    schema = parameter["schema"]
    default = f", default {schema['default']}" if "default" in schema else ""
    return f"`{parameter['name']}`: {_type_of(schema)}{default}"


async def _description() -> dict[str, Any]:
    async with engine(Settings.from_env({"CRONICORN_DATABASE_URL": "memory:"})) as parts:
        return rest_app(parts).openapi()


def _success(route: dict[str, Any]) -> str:
    really = (status for status, told in route["responses"].items() if NAME not in told["description"])
    statuses: list[str] = sorted(really)
    return statuses[0]


def _told(route: dict[str, Any]) -> str:
    more = " ".join(route.get("description", "").split())
    return f"{route['summary'].capitalize()}. {more}".strip()
