"""The wire contract as JSON Schema: what existing clients rely on."""

import json
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from tests.architecture.source import ROOT

CONTRACT: Mapping[str, Any] = json.loads((ROOT / "tests/data/rest_contract.json").read_text(encoding="utf-8"))
"""`METHOD /path` -> request, query and responses, in the schemas of OpenAPI 3.0."""


def faults(route: str, status: int, body: object) -> list[str]:
    """Where *body* is not what the contract says *route* answers with *status*."""
    responses = CONTRACT[route]["responses"]
    if str(status) not in responses:
        return [f"{status} is no answer of {route}"]
    validator = Draft202012Validator(as_json_schema(responses[str(status)]), format_checker=FormatChecker())
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(body)]


def as_json_schema(schema: Any) -> Any:
    """A schema of OpenAPI 3.0 as JSON Schema: `nullable` and boolean bounds are spelt differently there."""
    if isinstance(schema, list):
        return [as_json_schema(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {name: as_json_schema(part) for name, part in schema.items()}
    nullable = schema.pop("nullable", None)
    if nullable is True and "type" in schema:
        schema["type"] = [schema["type"], "null"]
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if schema.get(exclusive) is True:
            schema[exclusive] = schema.pop(bound)
    return schema
