"""Reading what endpoints answer, and when nothing gets through to them."""

from collections.abc import Mapping
from datetime import timedelta

from cronicorn.domain.call import OutcomeKind
from cronicorn.domain.condition.kinds import FieldKind
from cronicorn.domain.instant import ZERO
from cronicorn.domain.policy.document_part import Part
from cronicorn.sim.course_reading import check_endpoints, lengths_of
from cronicorn.sim.expression import Expression, is_expression
from cronicorn.sim.filling import condition_at, expression_at, filling_of
from cronicorn.sim.giving import LENGTH_MAX, number_at, only_one, seconds_at
from cronicorn.sim.random_course import Span
from cronicorn.sim.scenario import AnswerCase, Filling, Outage

CASES_MAX = 50
OUTAGES_MAX = 1_000
ANSWER_HEADERS_MAX = 50
_INSTANT = Span(low=0.0, high=0.0)
FAILURES: Mapping[str, OutcomeKind] = {
    "refused": OutcomeKind.UNREACHABLE,
    "timeout": OutcomeKind.TIMED_OUT,
    "unresolved": OutcomeKind.UNRESOLVED,
    "broken": OutcomeKind.BROKEN,
    "tls": OutcomeKind.TLS_FAILED,
}


def answers_of(part: Part, kinds: Mapping[str, FieldKind]) -> tuple[AnswerCase, ...]:
    """What stands under `answers`: one answer, or a list of which the first counts whose `when` holds."""
    if "answers" not in part:
        return ()
    if isinstance(part.value["answers"], dict):
        one = part.part("answers")
        return () if one is None else (_case_of(one, kinds),)
    cases = part.parts("answers", CASES_MAX)
    for place, case in enumerate(cases[:-1]):
        if "when" not in case:
            cases[place + 1].refuse("", "Is never answered: the one before it has no `when`. Put that one last.")
    return tuple(_case_of(case, kinds) for case in cases)


def _case_of(part: Part, kinds: Mapping[str, FieldKind]) -> AnswerCase:
    part.knows("when", "status", "headers", "latency", "body", "text")
    if "text" in part and "body" in part:
        part.refuse("text", "An answer has one body: `body`, which is sent as JSON, or `text`, which is no JSON.")
    body = filling_of(part, "body", part.value["body"], kinds) if "body" in part.value else None
    return AnswerCase(
        when=condition_at(part, "when", kinds), status=_status(part, kinds), headers=_headers(part, kinds),
        latency=_latency(part, kinds), body=body, text=part.text("text", 100_000),
    )  # fmt: skip


def _status(part: Part, kinds: Mapping[str, FieldKind]) -> Filling | None:
    value = part.value.get("status")
    if value is None:
        return None
    if not is_expression(value):
        value = part.whole("status", 100, 599, 200)
    return filling_of(part, "status", value, kinds)


def _headers(part: Part, kinds: Mapping[str, FieldKind]) -> tuple[tuple[str, Filling], ...]:
    headers = part.part("headers")
    if headers is None:
        return ()
    if len(headers.value) > ANSWER_HEADERS_MAX:
        part.refuse("headers", f"At most {ANSWER_HEADERS_MAX} headers.")
    for name, value in headers.value.items():
        if isinstance(value, dict | list) or value is None:
            headers.refuse(name, "Must be text, a number or an expression.")
    return tuple((name.lower(), filling_of(headers, name, value, kinds)) for name, value in headers.value.items())


def _latency(part: Part, kinds: Mapping[str, FieldKind]) -> Span | Expression:
    value = part.value.get("latency")
    if value is None:
        return _INSTANT
    if isinstance(value, str) and is_expression(value):
        expression = expression_at(part, "latency", value, kinds)
        if expression is not None and expression.kind is not FieldKind.NUMBER:
            part.refuse("latency", "Must be a number of seconds.")
        return expression or _INSTANT
    return lengths_of(part, "latency") or _INSTANT


def outages_of(part: Part, names: tuple[str, ...]) -> tuple[Outage, ...]:
    """What stands under `outages`."""
    return tuple(_outage_of(each, names) for each in part.parts("outages", OUTAGES_MAX))


def _outage_of(part: Part, names: tuple[str, ...]) -> Outage:
    part.knows("from", "until", "endpoints", "fail", "status", "retry_after", "share")
    begin = seconds_at(part, "from")
    end = seconds_at(part, "until", LENGTH_MAX.total_seconds())
    if end <= begin:
        part.refuse("until", "Must be after `from`.")
    given = only_one(part, ("fail", "status"), "An outage")
    word = part.text("fail")
    if word is not None and word not in FAILURES:
        part.refuse("fail", f"Must be one of {', '.join(FAILURES)}; a server's own answer is `status: 503`.")
    wait = part.length("retry_after", ZERO, timedelta(days=1))
    if wait is not None and given == "fail":
        part.refuse("retry_after", "Goes with `status`: where nothing answers, nobody says when to come again.")
    kind = OutcomeKind.RESPONDED if given != "fail" else FAILURES.get(word or "", OutcomeKind.UNREACHABLE)
    return Outage(
        begin=begin, end=end,
        endpoints=frozenset(check_endpoints(part, "endpoints", names)) if "endpoints" in part else None,
        kind=kind, status=part.whole("status", 300, 599, 503),
        retry_after=None if wait is None else wait.total_seconds(), share=number_at(part, "share", 1.0, 0.0, 1.0),
    )  # fmt: skip
