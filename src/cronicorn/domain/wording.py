"""How lengths, distances, schedules and outcomes are told to people, whichever door they look through."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from cronicorn.domain.call import AnswerClass
from cronicorn.domain.durations import coarse, show_duration
from cronicorn.domain.endpoint import BaselineKind, JobEndpoint
from cronicorn.domain.instant import ZERO
from cronicorn.domain.run import Run


def length(span: timedelta) -> str:
    """A length of time as a person takes it in: `45 ms`, `7.0 s`, `4 min 10 s`, `2 h 5 min`, `3 d 4 h`."""
    milliseconds = round(span / timedelta(milliseconds=1))
    if milliseconds < 1_000:  # noqa: PLR2004
        return f"{milliseconds} ms"
    if milliseconds < 59_950:  # noqa: PLR2004 (60.0 s is a minute)
        return f"{milliseconds / 1_000:.1f} s"
    return coarse(span)


def distance(instant: datetime, now: datetime) -> str:
    """How far *instant* is from *now*: `in 4 s`, `12 s ago`, `now`."""
    span = abs(instant - now)
    if span < timedelta(milliseconds=500):
        return "now"
    return f"in {coarse(span)}" if instant > now else f"{coarse(span)} ago"


def schedule_parts(endpoint: JobEndpoint, told: Callable[[datetime], str]) -> Iterator[str]:
    """The baseline of *endpoint*, then its window and guardrails; *told* words an instant."""
    baseline = endpoint.baseline
    match baseline.kind:
        case BaselineKind.CRON:
            yield f"cron {baseline.cron!r} in {baseline.zone}"
        case BaselineKind.INTERVAL:
            yield f"every {show_duration(baseline.length)}"
        case BaselineKind.ONCE:
            assert baseline.once_at is not None
            yield f"once, at {told(baseline.once_at)}"
        case BaselineKind.DORMANT:
            yield "dormant: only when asked"
    lengths = {"window": baseline.window, "minimum": endpoint.interval_min, "maximum": endpoint.interval_max}
    for name, span in lengths.items():
        if span is not None and span > ZERO:
            yield f"{name} {show_duration(span)}"


def outcome_in_words(run: Run) -> str:
    """What is worth saying of how *run* ended beyond its status and code; often nothing."""
    outcome = run.outcome
    if outcome.error is not None:
        return f"{outcome.kind.value}: {outcome.error}"
    if outcome.judged is not None and outcome.judged.answer_class is not AnswerClass.SUCCESS:
        return f"{outcome.judged.answer_class.value}: {outcome.judged.condition}"
    return outcome.kind.value if outcome.status_code is None else ""
