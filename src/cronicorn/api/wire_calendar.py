"""The calendar on the wire."""

from itertools import islice

from cronicorn.api.wire_values import Answer, Instant, whole_milliseconds
from cronicorn.control.forecasts import Foreseen, ForeseenEndpoint
from cronicorn.domain.finding.forecast import EvenCalls

STRETCHES_MAX = 50


class StretchAnswer(Answer):
    """Calls that come evenly: `count` of them, `stepMs` apart."""

    first_at: Instant
    last_at: Instant
    count: int
    step_ms: int | None
    """Null of a single one."""


class CalendarEndpointAnswer(Answer):
    """What an endpoint calls in the span."""

    endpoint_id: str
    name: str
    job_id: str
    job_name: str
    count: int
    first_at: Instant
    last_at: Instant
    stretches: list[StretchAnswer]
    """The first ones of very many."""
    complete: bool
    """Whether every call is told: none was too many to reckon, and no stretch is left out."""


class CalendarAnswer(Answer):
    """What endpoints call from `from` to before `to`, seen from `now`; nothing lies before that."""

    now: Instant
    since: Instant
    until: Instant
    endpoints: list[CalendarEndpointAnswer]
    """Those that call, the one that does first at the beginning."""
    counts: list[int]
    """How many calls there are in each part of the span, all equally long."""
    complete: bool
    """Whether no endpoint is left out, and every call was reckoned."""


def calendar_answer(foreseen: Foreseen) -> CalendarAnswer:
    """*foreseen* on the wire."""
    return CalendarAnswer(
        now=foreseen.now, since=foreseen.since, until=foreseen.until,
        endpoints=[_endpoint(each) for each in foreseen.endpoints], counts=list(foreseen.counts),
        complete=foreseen.complete,
    )  # fmt: skip


def _endpoint(each: ForeseenEndpoint) -> CalendarEndpointAnswer:
    stretches = each.forecast.stretches
    return CalendarEndpointAnswer(
        endpoint_id=each.endpoint.id, name=each.endpoint.name, job_id=each.job.id, job_name=each.job.name,
        count=each.forecast.count, first_at=stretches[0].first_at, last_at=stretches[-1].last_at,
        stretches=[_stretch(stretch) for stretch in islice(stretches, STRETCHES_MAX)],
        complete=each.forecast.whole and len(stretches) <= STRETCHES_MAX,
    )  # fmt: skip


def _stretch(stretch: EvenCalls) -> StretchAnswer:
    step = whole_milliseconds(stretch.step) if stretch.number > 1 else None
    return StretchAnswer(first_at=stretch.first_at, last_at=stretch.last_at, count=stretch.number, step_ms=step)
