"""Typed functions that a model may call."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from inspect import Parameter, signature
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import ErrorDetails
from pydantic_core.core_schema import NullableSchema, WithDefaultSchema

from cronicorn.domain.errors import FieldError, InvalidInputError, NotFoundError
from cronicorn.domain.sentence import as_sentence

Arguments = Mapping[str, object]
ToolFunction = Callable[..., Awaitable[object]]

_FAULTS_TOLD_MAX = 10
"""So many faults of one call are told; the rest is counted."""
_NAME_MAX = 64
"""Characters of a name that a model made up."""
_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class _Lean(GenerateJsonSchema):
    """Without what costs tokens in every request and says nothing: titles, and null for what may be left out."""

    def field_title_should_be_set(self, schema: object) -> bool:
        return False

    def nullable_schema(self, schema: NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: WithDefaultSchema) -> JsonSchemaValue:
        made = super().default_schema(schema)
        return {name: value for name, value in made.items() if name != "default" or value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A name, what it is for, the model of its arguments, and the function behind it."""

    name: str
    description: str
    arguments: type[BaseModel]
    run: ToolFunction

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the arguments, as a model is told it: types, bounds and descriptions."""
        schema = self.arguments.model_json_schema(schema_generator=_Lean)
        for each in (schema, *schema.get("$defs", {}).values()):
            each.pop("title", None)
        return schema


def tool(description: str) -> Callable[[ToolFunction], Tool]:
    """Make a `Tool` of an async function: its name becomes the tool's, its typed parameters the arguments.

    Bounds and descriptions are pydantic's: `Annotated[float, Field(gt=0, description="In seconds.")]`. What has a
    default may be left out. Raises TypeError for a parameter without a type, and for one that is not given by name.
    """

    def made(function: ToolFunction) -> Tool:
        model = create_model(function.__name__, __config__=_STRICT, **_fields(function))
        return Tool(name=function.__name__, description=description, arguments=model, run=function)

    return made


async def call_tool(tools: Mapping[str, Tool], name: str, arguments: Arguments) -> object:
    """Check *arguments*, which are JSON, against the tool's schema and run it; a number is never read from a text.

    Raises NotFoundError for an unknown tool and InvalidInputError naming every argument that does not fit.
    """
    found = tools.get(name)
    if found is None:
        raise NotFoundError(f"No tool is called {name[:_NAME_MAX]!r}; there are {', '.join(sorted(tools)) or 'none'}.")
    checked = _checked(found, arguments)
    return await found.run(**{field: getattr(checked, field) for field in checked.model_fields_set})


def _fields(function: ToolFunction) -> dict[str, Any]:
    types = get_type_hints(function, include_extras=True)
    fields = {}
    for name, parameter in signature(function).parameters.items():
        if name not in types or parameter.kind not in {Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY}:
            raise TypeError(f"{function.__name__} is no tool: {name} needs a type and must be given by name.")
        default = ... if parameter.default is Parameter.empty else parameter.default
        fields[name] = (types[name], default)
    return fields


def _checked(found: Tool, arguments: Arguments) -> BaseModel:
    wrong = f"Tool {found.name} was called with wrong arguments."
    try:
        return found.arguments.model_validate_json(json.dumps(dict(arguments)))
    except ValidationError as error:
        faults = error.errors(include_url=False)
        fields = [_field_error(found, each) for each in faults[:_FAULTS_TOLD_MAX]]
        if len(faults) > _FAULTS_TOLD_MAX:
            fields.append(FieldError(pointer="", message=f"And {len(faults) - _FAULTS_TOLD_MAX:,} more."))
        raise InvalidInputError(wrong, fields=tuple(fields)) from error
    except RecursionError as error:
        raise InvalidInputError(f"{wrong} They are nested too deeply.") from error


def _field_error(found: Tool, error: ErrorDetails) -> FieldError:
    path = [str(part)[:_NAME_MAX] for part in error["loc"]]
    place = ".".join(path) or "the whole"
    match error["type"]:
        case "extra_forbidden":
            message = f"{found.name} takes no {place}; it takes {', '.join(found.arguments.model_fields) or 'nothing'}"
        case "missing":
            message = f"{place} is missing{_purpose(found.arguments.model_fields.get(place))}"
        case _:
            said = error["msg"].removeprefix("Input should ")
            message = f"{place} must {said}" if said != error["msg"] else f"{place}: {said}"
    pointer = "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in path)
    return FieldError(pointer=pointer, message=as_sentence(message))


def _purpose(field: FieldInfo | None) -> str:
    return f": {field.description}" if field is not None and field.description else ""
