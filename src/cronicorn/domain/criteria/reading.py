"""Reading criteria: from a document to conditions, with every fault found and placed; and back."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import cast

from cronicorn.domain.condition.condition import Condition, ConditionError, condition_of
from cronicorn.domain.condition.kinds import FieldKind
from cronicorn.domain.criteria.criteria import AnswerCriteria
from cronicorn.domain.json_body import Json
from cronicorn.domain.policy.document_part import Part, PolicyError
from cronicorn.domain.policy.field_reading import fields_of
from cronicorn.domain.policy.policy import HttpFact, Origin, PolicyField
from cronicorn.domain.policy.text import field_document

_CONDITIONS = ("failure", "success", "degraded")
_NOT_OF_ONE_ANSWER = {HttpFact.FAILURES, HttpFact.RETRY_AFTER}
_OF_THE_ANSWER = {Origin.BODY, Origin.HTTP}

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False).encode


def criteria_of(document: Mapping[str, object]) -> AnswerCriteria:
    """The criteria that *document* writes. Raises PolicyError with all its faults, each with its place."""
    part = Part(cast("Mapping[str, Json]", document))  # What is not of JSON is refused where it stands.
    part.knows("fields", *_CONDITIONS)
    fields = fields_of(part)
    _refuse_what_no_answer_says(part, fields)
    if not any(key in part for key in _CONDITIONS):
        part.refuse("", f"Give at least one condition: {', '.join(_CONDITIONS)}.")
    kinds = {each.name: each.kind for each in fields}
    read = {key: _condition(part, key, kinds) for key in _CONDITIONS if key in part} if not part.problems else {}
    if part.problems:
        raise PolicyError(part.problems)
    return AnswerCriteria(fields=fields, **read)


def criteria_document(criteria: AnswerCriteria) -> dict[str, Json]:
    """*criteria* as a person writes them."""
    document: dict[str, Json] = {}
    if criteria.fields:
        document["fields"] = {each.name: field_document(each) for each in criteria.fields}
    conditions = {"failure": criteria.failure, "success": criteria.success, "degraded": criteria.degraded}
    return document | {key: condition.text for key, condition in conditions.items() if condition is not None}


def criteria_text(criteria: AnswerCriteria) -> str:
    """*criteria* as one line of JSON."""
    return _encode(criteria_document(criteria))


@lru_cache(maxsize=2_048)
def criteria_from(text: str) -> AnswerCriteria:
    """The criteria that `criteria_text` wrote. Raises ValueError for anything else. Many endpoints have the same."""
    return criteria_of(json.loads(text))


def _refuse_what_no_answer_says(part: Part, fields: tuple[PolicyField, ...]) -> None:
    inside = Part({}, part.at("fields"), part.problems)
    for each in fields:
        if each.origin not in _OF_THE_ANSWER or each.http in _NOT_OF_ONE_ANSWER or each.agg is not None:
            inside.refuse(each.name, "Criteria read one answer alone: its body, or its status, latency_ms or ok.")


def _condition(part: Part, key: str, kinds: Mapping[str, FieldKind]) -> Condition | None:
    text = part.value[key]
    if not isinstance(text, str):
        part.refuse(key, "Must be a condition over the declared fields, such as queue > 100.")
        return None
    try:
        return condition_of(text, kinds)
    except ConditionError as error:
        part.refuse(key, f"{error.problem} (character {error.at + 1})")
        return None
