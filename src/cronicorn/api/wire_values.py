"""What answers are made of: instants as `YYYY-MM-DDTHH:MM:SS.mmmZ`, lengths in milliseconds, fields left out."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue

from cronicorn.domain.errors import FieldError
from cronicorn.domain.instant import MILLISECOND, instant_text

NEVER = datetime(9999, 12, 31, 23, 59, 59, 999_000, UTC)
"""What the contract's required `nextRunAt` says when nothing is planned."""

T = TypeVar("T")


def milliseconds(length: timedelta) -> float:
    """*length* in milliseconds, exact to the microsecond."""
    return length / MILLISECOND


def whole_milliseconds(length: timedelta | None) -> int | None:
    """*length* in whole milliseconds."""
    return None if length is None else length // MILLISECOND


class _LeftOut:
    """Shows a field that is left out when there is nothing as what it is when there is something."""

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core_schema)
        schema.pop("default", None)
        options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
        if len(options) == 1:
            del schema["anyOf"]
            schema |= options[0]
        return schema


Instant = Annotated[
    datetime, PlainSerializer(instant_text, return_type=str), WithJsonSchema({"type": "string", "format": "date-time"})
]
Omittable = Annotated[T | None, Field(exclude_if=lambda value: value is None), _LeftOut()]
"""A field that is left out when there is nothing to say; the contract's fields are never null."""


class Answer(BaseModel):
    """Something that is answered: camelCase on the wire."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, frozen=True)


class WarningAnswer(Answer):
    """Something that may not do what was meant."""

    pointer: str
    detail: str


def warning_answers(warnings: tuple[FieldError, ...]) -> list[WarningAnswer]:
    """*warnings* on the wire."""
    return [WarningAnswer(pointer=warning.pointer, detail=warning.message) for warning in warnings]
