"""How values are written in pages: the filters of the templates."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from cronicorn.domain.call import AnswerClass, Outcome
from cronicorn.domain.condition.kinds import Scalar
from cronicorn.domain.durations import coarse, show_duration
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.instant import second_text
from cronicorn.domain.json_body import ABSENT, parsed
from cronicorn.domain.plan import Source
from cronicorn.domain.run import Run, RunStatus
from cronicorn.domain.wording import distance, length, outcome_in_words, schedule_parts
from cronicorn.web.body_difference import DifferentLine, difference_of
from cronicorn.web.body_tree import tree_of
from cronicorn.web.policy_looking import changed_rows, field_line

NAME_SHOWN = 60
"""Characters of the name of something in a list."""
LAID_OUT_MAX = 20_000
"""A longer body is shown as it came."""
LINES_TAKE_MAX = 60_000
"""Of JSON with a line for each value so many characters are made: more than is shown or compared anywhere. Values that
lie deep take far more than they came with, since each is indented."""
_LINES = json.JSONEncoder(indent=2, ensure_ascii=False)
_PASSED = timedelta(seconds=5)
"""A planned instant that passed less long ago is not late: a worker takes it, or the page has not heard of it."""
_HINTS = {Source.AI_INTERVAL: "interval hint", Source.AI_ONESHOT: "one-shot hint"}
_ESCAPED = {letter: len(escape(letter)) for letter in "&<>'\""}


def clock(at: datetime, now: datetime) -> str:
    """*at* in UTC as a person reads it: with its day unless it is today's."""
    same = at.astimezone(UTC).date() == now.astimezone(UTC).date()
    return at.astimezone(UTC).strftime("%H:%M:%S" if same else "%d %b %Y %H:%M:%S") + "Z"


def moment(at: datetime, now: datetime, zone: str = "UTC") -> Markup:
    """*at* as a clock shows it, and how far away it is, which the script keeps true; the title tells it in *zone*."""
    there = "" if zone == "UTC" else f" = {at.astimezone(ZoneInfo(zone)).strftime('%Y-%m-%d %H:%M:%S')} {zone}"
    return Markup('<time datetime="{}" title="{}">{} <span class="far" data-far>{}</span></time>').format(
        second_text(at), f"{second_text(at)}{there}", clock(at, now), distance(at, now)
    )


def far(at: datetime, now: datetime) -> Markup:
    """How far *at* is away, which the script keeps true."""
    return Markup('<time datetime="{0}" title="{0}" data-far>{1}</time>').format(second_text(at), distance(at, now))


def due(at: datetime, now: datetime) -> Markup:
    """How far the planned instant *at* is away, which the script keeps true; what has just come is about to run."""
    told = distance(at, now) if at > now else "now" if now - at < _PASSED else f"{coarse(now - at)} late"
    return Markup('<time datetime="{0}" title="{0}" data-far="due">{1}</time>').format(second_text(at), told)


def decided(source: Source) -> str:
    """What decided an instant, in the glossary's words: two names that are kept for clients tell of a model."""
    return _HINTS.get(source, source.value)


def coded(text: str) -> Markup:
    """*text* with what stands between backticks as code."""
    parts = [escape(part) for part in text.split("`")]
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else part for place, part in enumerate(parts)
    )


def local(at: datetime, zone: str) -> str:
    """*at* as the clock of *zone* shows it, with its distance from UTC: `Mon 30 Mar 2026 02:30:00 +02:00`."""
    there = at.astimezone(ZoneInfo(zone))
    return f"{there:%a %d %b %Y %H:%M:%S} {there:%z}"


def fared(run: Run) -> str:
    """How *run* is coloured: `success`, `degraded`, `failed` or `canceled`."""
    judged = run.outcome.judged
    if run.status is RunStatus.SUCCESS and judged is not None and judged.answer_class is AnswerClass.DEGRADED:
        return "degraded"
    return run.status.value


def schedule(endpoint: JobEndpoint, now: datetime) -> str:
    """The baseline and the guardrails of *endpoint*."""
    return ", ".join(schedule_parts(endpoint, lambda at: clock(at, now)))


def excerpt(text: str, most: int) -> str:
    """The beginning of *text*: of what it takes in a page no more than *most* characters."""
    taken = 0
    for place, letter in enumerate(text):
        taken += _ESCAPED.get(letter, 1)
        if taken > most:
            return f"{text[:place]}…"
    return text


def difference(before: Outcome, after: Outcome) -> Sequence[DifferentLine] | None:
    """What is different between two bodies, line by line; None where they are too long to be compared."""
    return difference_of(laid_out(before), laid_out(after))


def laid_out(outcome: Outcome) -> str:
    """The body of *outcome*, which has one; JSON with a line for each value."""
    text = outcome.body or ""
    value = parsed(outcome) if len(text) <= LAID_OUT_MAX else ABSENT
    return text if value is ABSENT else _in_lines(value, text)


def indented(text: str) -> str:
    """*text* with a line for each value where it is JSON."""
    try:
        return _in_lines(json.loads(text), text)
    except (ValueError, RecursionError):
        return text


def _in_lines(value: object, otherwise: str) -> str:
    """The first LINES_TAKE_MAX characters of *value* with a line for each; *otherwise* where it lies too deep."""
    written, taken = [], 0
    try:
        for part in _LINES.iterencode(value):
            written.append(part)
            taken += len(part)
            if taken > LINES_TAKE_MAX:
                break
    except RecursionError:
        return otherwise
    return "".join(written)[:LINES_TAKE_MAX]


def exact(at: datetime) -> str:
    """*at* in UTC, to the microsecond, for addresses."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def scalar(value: Scalar) -> str:
    """The value of a field of a policy."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f"“{value}”"
        case _:
            return f"{value:g}"


def named(text: str) -> str:
    """A name in a list."""
    return excerpt(text, NAME_SHOWN)


def late(run: Run) -> str:
    """How much later than due *run* began; empty where it is less than a second."""
    span = run.started_at - run.due_at
    return f"{length(span)} late" if span >= timedelta(seconds=1) else ""


FILTERS: Mapping[str, Callable[..., object]] = {
    "changed_rows": changed_rows,
    "clock": clock,
    "difference": difference,
    "coded": coded,
    "decided": decided,
    "due": due,
    "duration": show_duration,
    "exact": exact,
    "excerpt": excerpt,
    "far": far,
    "field_line": field_line,
    "fared": fared,
    "indented": indented,
    "instant": second_text,
    "laid_out": laid_out,
    "late": late,
    "local": local,
    "tree": tree_of,
    "span": length,
    "moment": moment,
    "named": named,
    "outcome": outcome_in_words,
    "scalar": scalar,
    "schedule": schedule,
}
