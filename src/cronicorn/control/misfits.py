"""Documents of the wrong shape: what does not fit, told by JSON Pointer and in a sentence."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from cronicorn.control.findings import FINDINGS_MAX, Findings
from cronicorn.domain.errors import FieldError
from cronicorn.domain.json_pointer import json_pointer
from cronicorn.domain.sentence import as_sentence

_SENTENCES = {
    "missing": "This field is required.",
    "bool_type": "Must be true or false.",
    "dict_type": "Must be an object.",
    "int_type": "Must be a whole number.",
    "int_parsing": "Must be a whole number.",
    "int_parsing_size": "The number is too large.",
    "list_type": "Must be a list.",
    "model_attributes_type": "Must be an object.",
    "model_type": "Must be an object.",
    "string_type": "Must be a text.",
    "invalid_key": "Names of fields must be texts.",
}

_SHORT = {
    "every": "baselineIntervalMs", "interval": "baselineIntervalMs", "cron": "baselineCron",
    "schedule": "baselineCron", "once": "onceAt", "min": "minIntervalMs", "max": "maxIntervalMs",
    "timeout": "timeoutMs", "headers": "headersJson", "body": "bodyJson",
}  # fmt: skip
"""What people write, as scenarios and other schedulers call it."""
_GUESSED_MAX = 64
"""What a longer name may have meant is not looked for."""
_NAME_SHOWN = 300

D = TypeVar("D", bound=BaseModel)


def read_document(model: type[D], value: object, findings: Findings) -> D | None:
    """*value* as a document; None when it does not fit, and then *findings* say why."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        for misfit in misfits(error.errors(include_url=False, include_input=False), model):
            findings.refuse(misfit.pointer, misfit.message)
        return None


def whole_document(model: type[D], value: object, findings: Findings) -> D:
    """*value* as a document. Raises InvalidInputError with all that does not fit, and what *findings* say already."""
    document = read_document(model, value, findings)
    findings.raise_errors()
    assert document is not None
    return document


def misfits(errors: Sequence[Mapping[str, Any]], model: type[BaseModel] | None) -> tuple[FieldError, ...]:
    """What pydantic found in a document of *model*, for a person: no more than one can read, whatever was sent.

    The input itself is never repeated.
    """
    told = errors[:FINDINGS_MAX]
    return tuple(FieldError(pointer=pointer(error["loc"]), message=_sentence(error, model)) for error in told)


def pointer(location: Sequence[int | str]) -> str:
    """The JSON Pointer (RFC 6901) to a place in a document; of a name that is too long to be one its start."""
    return json_pointer([part if isinstance(part, int) else part[:_NAME_SHOWN] for part in location])


def _sentence(error: Mapping[str, Any], model: type[BaseModel] | None) -> str:
    kind = str(error["type"])
    if kind == "extra_forbidden":
        return _unknown(error["loc"], model)
    if kind in {"enum", "literal_error"}:
        return f"Must be one of {error['ctx']['expected']}."
    return _SENTENCES.get(kind, as_sentence(str(error["msg"]).replace("Input should be", "Must be")))


def _unknown(location: Sequence[int | str], model: type[BaseModel] | None) -> str:
    for part in location[:-1]:
        model = _nested(model, part)
    known = [] if model is None else [field.alias or name for name, field in model.model_fields.items()]
    name = str(location[-1])
    meant = _SHORT.get(name.lower())
    if meant not in known and len(name) <= _GUESSED_MAX:
        meant = next(iter(get_close_matches(name, known, n=1)), None)
    return f"Unknown field. Did you mean {meant}?" if meant in known else "Unknown field; leave it out."


def _nested(model: type[BaseModel] | None, part: int | str) -> type[BaseModel] | None:
    """The model of the field *part* of *model*; a position in a list keeps the model of its items."""
    if model is None or isinstance(part, int):
        return model
    fields = (field for name, field in model.model_fields.items() if part in {name, field.alias})
    field = next(fields, None)
    return None if field is None else _model_in(field.annotation)


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(argument) for argument in get_args(annotation))
    return next((model for model in found if model is not None), None)
