"""The shape of a file of jobs as JSON Schema (2020-12), for editors. What goes together only applying it tells."""

import json
from typing import Any

from cronicorn.control.document import EndpointDocument
from cronicorn.control.file_document import FileDocument
from cronicorn.domain.policy.json_schema import policy_schema

FILE_NAME = "cronicorn.schema.json"
"""What the schema's file is called where a file of jobs says which schema it has."""
MODELINE = f"# yaml-language-server: $schema={FILE_NAME}\n"
"""The line by which editors find it, in the folder of the file."""


def schema_text() -> str:
    """The schema as it is printed."""
    return json.dumps(file_schema(), indent=1, ensure_ascii=False) + "\n"


def file_schema() -> dict[str, Any]:
    """The schema of a file, made of the models that read it."""
    made = _lean(FileDocument.model_json_schema(ref_template="#/$defs/{model}"))
    del made["required"]  # Of the files of a folder one may say something about alerts alone.
    parts: dict[str, Any] = made.pop("$defs")
    policy = policy_schema()
    inside = policy["$defs"]
    assert isinstance(inside, dict)
    endpoint = parts[EndpointDocument.__name__]["properties"]
    endpoint["policy"] = {"anyOf": [{"$ref": "#/$defs/policy"}, {"type": "null"}]}
    endpoint["criteria"] = {"anyOf": [_criteria(), {"type": "null"}]}
    # A status may be a number in a file, and YAML 1.1 reads `on` and `off` as true and false.
    statuses = endpoint["successStatuses"]["anyOf"][0]
    statuses["items"] = {"type": ["string", "integer"]}
    for switch in ("adapt", "compile"):
        endpoint[switch]["anyOf"].append({"type": "boolean"})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Cronicorn file of jobs",
        **made,
        "$defs": parts | {"policy": {"$id": "policy", **policy}},
    }


def _criteria() -> dict[str, Any]:
    condition = {"type": ["string", "boolean"], "description": "A condition over the declared fields: err > 5."}
    fields = {"type": "object", "additionalProperties": {"$ref": "policy#/$defs/field"}}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {"fields": fields, "failure": condition, "success": condition, "degraded": condition},
    }


def _lean(value: Any) -> Any:
    """*value* without the titles that repeat names, and the defaults that say only that something may be left out."""
    if isinstance(value, dict):
        return {
            name: _lean(each)
            for name, each in value.items()
            if not (name == "title" and isinstance(each, str)) and not (name == "default" and each is None)
        }
    return [_lean(each) for each in value] if isinstance(value, list) else value
