"""Files on the wire: what applying one does, or would do."""

from datetime import datetime
from typing import Any

from cronicorn.api.wire_values import Answer, WarningAnswer, warning_answers
from cronicorn.control.difference import Applied, Deed, Difference
from cronicorn.domain.instant import instant_text


class FieldChangeAnswer(Answer):
    """A field that changes; credentials are masked, null means not set."""

    field: str
    before: Any
    after: Any


class DifferenceAnswer(Answer):
    """What becomes of one job, endpoint or part of what a file says about alerts."""

    deed: Deed
    job: str | None
    endpoint: str | None
    alert: str | None
    changes: list[FieldChangeAnswer]
    conflicts: list[str]


class AppliedAnswer(Answer):
    """What applying a file did, or would do."""

    set: str
    differences: list[DifferenceAnswer]
    unlisted: list[str]
    warnings: list[WarningAnswer]


def applied_answer(applied: Applied) -> AppliedAnswer:
    """*applied* on the wire."""
    return AppliedAnswer(
        set=applied.file_set,
        differences=[_difference_answer(each) for each in applied.differences],
        unlisted=list(applied.unlisted),
        warnings=warning_answers(applied.warnings),
    )


def plain(value: object) -> object:
    """*value* with instants as the wire writes them."""
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value


def _difference_answer(difference: Difference) -> DifferenceAnswer:
    return DifferenceAnswer(
        deed=difference.deed,
        job=difference.job,
        endpoint=difference.endpoint,
        alert=difference.alert,
        changes=[
            FieldChangeAnswer(field=each.field, before=plain(each.before), after=plain(each.after))
            for each in difference.changes
        ],
        conflicts=list(difference.conflicts),
    )
