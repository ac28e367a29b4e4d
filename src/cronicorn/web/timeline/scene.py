"""What there is to draw of an endpoint's timeline."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cronicorn.control.timelines import EndpointTimeline
from cronicorn.domain.durations import show_duration
from cronicorn.domain.endpoint import BaselineKind
from cronicorn.domain.hint import Author, Hint, HintKind
from cronicorn.domain.run import Run
from cronicorn.domain.steering_record import SteeringRecord
from cronicorn.domain.trace import Mark, Step, Trace, Verdict
from cronicorn.domain.wording import length, outcome_in_words
from cronicorn.web.words import decided, excerpt, fared

_KINDS = {
    Mark.HINT_INTERVAL: HintKind.INTERVAL,
    Mark.HINT_ONE_SHOT: HintKind.ONE_SHOT,
    Mark.DEFER: HintKind.DEFER,
    Mark.PAUSE: HintKind.PAUSE,
}
_COUNTED = {Verdict.WON, Verdict.APPLIED}
BANDS_MAX = 60
GONE_MAX = 60
"""Of more the newest are drawn."""
_APART = 200
"""Bands of one author that are nearer to each other than this part of the span are drawn as one."""
_TOLD_MAX = 80
_WHY_MAX = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class RunMark:
    """A run."""

    at: datetime
    fared: str
    """`success`, `degraded`, `failed` or `canceled`."""
    gap: timedelta | None
    """From the beginning of the run before; None of the first."""
    source: str
    told: str
    """How it ended, in a few words."""
    id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A stretch in which a hint counted."""

    since: datetime
    until: datetime
    author: str
    kind: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """Instants that did not run."""

    first_at: datetime
    last_at: datetime
    state: str
    why: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """All of it, from `since` to `until`."""

    name: str
    since: datetime
    until: datetime
    now: datetime
    runs: Sequence[RunMark] = ()
    """Oldest first."""
    runs_left_out: int = 0
    """How many began in the span before the first of `runs`."""
    bands: Sequence[Band] = ()
    gone: Sequence[Gone] = ()
    left_out: Sequence[str] = ()
    """Of what older ones are not drawn, in words."""
    nominal: Sequence[datetime] | None = ()
    """None: too many to be told apart."""
    plans: Sequence[tuple[datetime, str]] = ()
    """What comes, and why then."""
    base: timedelta | None = None
    low: timedelta | None = None
    high: timedelta | None = None


def scene_of(told: EndpointTimeline) -> Scene:
    """What there is to draw of *told*."""
    endpoint = told.endpoint
    interval = endpoint.baseline.kind is BaselineKind.INTERVAL
    bands, gone = sorted(_bands(told), key=lambda band: band.until), list(_gone(told))
    return Scene(
        name=endpoint.name,
        since=told.since,
        until=told.until,
        now=told.now,
        runs=tuple(_marks(told)),
        runs_left_out=max(0, told.runs_in_all - len(told.runs)),
        bands=tuple(bands[-BANDS_MAX:]),
        gone=tuple(gone[:GONE_MAX]),
        left_out=tuple(_left_out(told, len(bands), len(gone))),
        nominal=told.nominal,
        plans=tuple((plan.next_run_at, decided(plan.source)) for plan in told.plans if plan.next_run_at is not None),
        base=endpoint.baseline.length if interval else None,
        low=endpoint.interval_min,
        high=endpoint.interval_max,
    )  # fmt: skip


def _gone(told: EndpointTimeline) -> Iterator[Gone]:
    for skip in told.skips:
        yield Gone(
            first_at=max(skip.first_at, told.since), last_at=min(skip.last_at, told.until), state=skip.state.value,
            why=excerpt(skip.reason, _WHY_MAX), count=skip.count,
        )  # fmt: skip


def _left_out(told: EndpointTimeline, bands: int, gone: int) -> Iterator[str]:
    older = told.skips_known_from is not None and told.since < told.skips_known_from
    if bands > BANDS_MAX:
        yield "hints"
    if gone > GONE_MAX or older:
        yield "stretches without a call"


def _marks(told: EndpointTimeline) -> Iterator[RunMark]:
    before = told.before
    for run in told.runs:
        yield RunMark(
            at=run.started_at, fared=fared(run), source=decided(run.source), told=_told(run), id=run.id,
            gap=run.started_at - before.started_at if before is not None else None,
        )  # fmt: skip
        before = run


def _told(run: Run) -> str:
    code = "" if run.outcome.status_code is None else str(run.outcome.status_code)
    told = ", ".join(part for part in (code, length(run.outcome.duration), outcome_in_words(run)) if part)
    return excerpt(told, _TOLD_MAX)


def _bands(told: EndpointTimeline) -> Iterator[Band]:
    """Hints that decided when runs came, read off their traces, and those that count now."""
    live = [band for hint in told.hints if (band := _live(hint, told)) is not None]
    past: dict[tuple[str, str], list[Band]] = {}
    near = (told.until - told.since) / _APART
    steering: SteeringRecord | None = None
    for run in told.runs:
        for band in _of_run(run, steering):
            alike = past.setdefault((band.author, band.kind), [])
            if alike and band.since <= alike[-1].until + near:
                alike[-1] = replace(alike[-1], until=max(alike[-1].until, band.until))
            else:
                alike.append(band)
        steering = SteeringRecord.decode(run.steering) if run.steering is not None else steering
    for band in (each for alike in past.values() for each in alike):
        begun = min((each.since for each in live if _alike(each, band)), default=told.until)
        since, until = max(band.since, told.since), min(band.until, told.until, begun)
        if since < until:
            yield replace(band, since=since, until=until)
    yield from live


def _alike(one: Band, other: Band) -> bool:
    return one.author == other.author and one.kind == other.kind


def _live(hint: Hint, told: EndpointTimeline) -> Band | None:
    since, until = max(hint.written_at, told.since), min(hint.expires_at, told.until)
    if since >= until:
        return None
    what = f"every {show_duration(hint.interval)}" if hint.interval is not None else ""
    why = excerpt(": ".join(part for part in (what, hint.reason or "") if part), _WHY_MAX)
    return Band(since=since, until=until, author=hint.author.value, kind=hint.kind.value, why=why)


def _of_run(run: Run, steering: SteeringRecord | None) -> Iterator[Band]:
    if not run.trace:
        return
    trace = Trace.decode(run.trace)
    for step in trace.steps:
        if step.mark in _KINDS and step.verdict in _COUNTED and step.author is not None:
            yield Band(
                since=trace.now, until=max(trace.now, run.started_at), author=step.author.value,
                kind=_KINDS[step.mark].value, why=_why(step, steering),
            )  # fmt: skip


def _why(step: Step, steering: SteeringRecord | None) -> str:
    """What the answer before said that made *step*; empty where that is not known."""
    if steering is None:
        return ""
    if step.author is Author.RULE and steering.own is not None:
        return excerpt(", ".join(rule.rule for rule in steering.own.awake if rule.phase.acting), _WHY_MAX)
    if step.author is Author.SIGNAL:
        return excerpt(", ".join(f"{note.place} is {note.value}" for note in steering.notes), _WHY_MAX)
    return ""
