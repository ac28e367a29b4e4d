"""The tables of the REST reference, made from the application's own description of itself."""

import asyncio
from enum import StrEnum
from typing import Any

from cronicorn.domain.call import Method
from cronicorn.domain.cron import DstGap, DstOverlap
from cronicorn.domain.endpoint import CatchUpMode, Overlap
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
    taken = [(name, schema) for name, schema in sorted(schemas.items()) if name.endswith(("Document", "Patch"))]
    return "\n".join(f"### {name}\n\n{_fields_text(schema)}" for name, schema in taken)


def _fields_text(schema: dict[str, Any]) -> str:
    required = schema.get("required", ())
    rows = [
        (f"`{name}`", _type_of(field), "required" if name in required else "")
        for name, field in schema["properties"].items()
    ]
    told = " ".join(schema.get("description", "").split())
    return f"{told}\n\n{table(('field', 'value', ''), rows)}"


def _type_of(field: dict[str, Any]) -> str:
    """A JSON schema in words: its types, limits and choices."""
    options = [option for option in field.get("anyOf", [field]) if option.get("type") != "null"]
    said = " or ".join(_one_type(option) for option in options)
    least, most = (field.get(name, field.get(other)) for name, other in _LIMITS)
    return said if least is None or most is None else f"{said}, {int(least)} to {int(most)}"


_LIMITS = (("minimum", "minLength"), ("maximum", "maxLength"))


def _one_type(option: dict[str, Any]) -> str:
    if "$ref" in option:
        name = option["$ref"].rpartition("/")[2]
        choices = _CHOICES.get(name)
        return " ".join(f"`{choice.value}`" for choice in choices) if choices else f"[{name}](#{name.lower()})"
    return str(option.get("format") or option.get("type") or "any JSON")


_CHOICES: dict[str, type[StrEnum]] = {
    kind.__name__: kind for kind in (CatchUpMode, DstGap, DstOverlap, Method, Overlap)
}


def _asked(route: dict[str, Any]) -> str:
    """The body and the query of a route."""
    content = route.get("requestBody", {}).get("content", {})
    names = [body["schema"].get("$ref", "").rpartition("/")[2] for body in content.values()]
    query = [f"`{each['name']}`" for each in route.get("parameters", ()) if each["in"] == "query"]
    return " ".join([f"[{name}](#{name.lower()})" for name in names if name] + query)


async def _description() -> dict[str, Any]:
    async with engine(Settings.from_env({"CRONICORN_DATABASE_URL": "memory:"})) as parts:
        return rest_app(parts).openapi()


def _success(route: dict[str, Any]) -> str:
    statuses: list[str] = sorted(route["responses"])
    return statuses[0]


def _told(route: dict[str, Any]) -> str:
    more = " ".join(route.get("description", "").split())
    return f"{route['summary'].capitalize()}. {more}".strip()
