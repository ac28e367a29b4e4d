"""Documents of what happened: outcomes and skips, as `cronicorn.domain.document` has them of endpoints."""

from collections.abc import Mapping

from cronicorn.domain.call import AnswerClass, Judged, Outcome, OutcomeKind
from cronicorn.domain.fields import Document, Fields, Value, json_string, length_us, pairs_of, us
from cronicorn.domain.slot import Skip, SlotState


def skip_document(skip: Skip) -> Document:
    """One range of instants that did not run."""
    return {
        "state": skip.state.value,
        "reason": skip.reason,
        "first_at_us": us(skip.first_at),
        "last_at_us": us(skip.last_at),
        "count": skip.count,
        "exact": skip.exact,
    }


def skip_of(document: Mapping[str, Value]) -> Skip:
    """The range that `skip_document` wrote. Raises ValueError for anything else."""
    fields = Fields(document)
    return Skip(
        state=SlotState(fields.text("state")),
        reason=fields.text("reason", ""),
        first_at=fields.instant("first_at_us"),
        last_at=fields.instant("last_at_us"),
        count=fields.number("count", 1),
        exact=fields.flag("exact", default=True),
    )


def outcome_text(outcome: Outcome) -> str:
    """All of *outcome* but its body, which stores keep apart, as JSON."""
    text = f'{{"kind":"{outcome.kind}","duration_us":{length_us(outcome.duration)}'
    if outcome.status_code is not None:
        text += f',"status_code":{outcome.status_code}'
    if outcome.headers:
        headers = ",".join([f"[{json_string(name)},{json_string(value)}]" for name, value in outcome.headers])
        text += f',"headers":[{headers}]'
    if outcome.body_is_json:
        text += ',"body_is_json":true'
    if outcome.body_truncated:
        text += ',"body_truncated":true'
    if outcome.body_left_out:
        text += ',"body_left_out":true'
    if outcome.error is not None:
        text += f',"error":{json_string(outcome.error)}'
    if outcome.judged is not None:
        answer_class, condition = outcome.judged
        text += f',"judged":["{answer_class}",{json_string(condition)}]'
    if outcome.sent_again:
        text += ',"sent_again":true'
    return text + "}"


def outcome_of(document: Mapping[str, Value], body: str | None) -> Outcome:
    """The outcome that `outcome_text` wrote, with *body*. Raises ValueError for anything else."""
    fields = Fields(document)
    return Outcome(
        kind=OutcomeKind(fields.text("kind")),
        duration=fields.length("duration_us"),
        status_code=fields.number_or_none("status_code"),
        headers=pairs_of(fields.items("headers")),
        body=body,
        body_is_json=fields.flag("body_is_json"),
        body_truncated=fields.flag("body_truncated"),
        error=fields.text_or_none("error"),
        body_left_out=fields.flag("body_left_out"),
        judged=_judged_of(fields.items("judged")),
        sent_again=fields.flag("sent_again"),
    )


def _judged_of(items: list[Value]) -> Judged | None:
    match items:
        case []:
            return None
        case [str(answer_class), str(condition)]:
            return Judged(AnswerClass(answer_class), condition)
        case _:
            raise ValueError(f"not what a condition made of an answer: {items!r}")
