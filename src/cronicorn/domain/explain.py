"""Rendering a trace for people: each candidate and step with its instant and why it won or lost."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cronicorn.domain.trace import Mark, Step, Trace, Verdict

_NAMES: Mapping[Mark, str] = {
    Mark.CRON: "baseline-cron",
    Mark.INTERVAL: "baseline-interval",
    Mark.ONCE: "baseline-once",
    Mark.DORMANT: "dormant",
    Mark.WINDOW: "window",
    Mark.HINT_INTERVAL: "interval-hint",
    Mark.HINT_ONE_SHOT: "one-shot-hint",
    Mark.HINT_LAPSED: "lapsed-hint",
    Mark.OWED: "catch-up",
    Mark.RETRY: "retry",
    Mark.PAST: "not-in-the-past",
    Mark.DEFER: "defer-hint",
    Mark.CLAMP_MIN: "minimum",
    Mark.CLAMP_MAX: "maximum",
    Mark.PAUSE: "pause",
    Mark.SUSPENDED: "suspended",
    Mark.MORE: "more",
}

_NEVER: Mapping[Mark, str] = {
    Mark.CRON: "The cron expression never comes again, or can't be read.",
    Mark.ONCE: "The one instant of this endpoint has passed.",
}
_CANDIDATES = frozenset(
    {Mark.CRON, Mark.INTERVAL, Mark.ONCE, Mark.DORMANT, Mark.HINT_INTERVAL, Mark.HINT_ONE_SHOT, Mark.OWED, Mark.RETRY}
)
_BASELINES = frozenset({Mark.CRON, Mark.INTERVAL, Mark.DORMANT})
_CAME_BEFORE = "Something else came before the baseline."
_WHY: Mapping[tuple[Mark, Verdict], str] = {
    (Mark.ONCE, Verdict.WON): "The one instant of this endpoint.",
    (Mark.DORMANT, Verdict.WON): "Dormant: it runs only when asked.",
    (Mark.HINT_INTERVAL, Verdict.WON): "A live interval hint replaces the baseline, slower or faster.",
    (
        Mark.HINT_INTERVAL,
        Verdict.LOST,
    ): "A stronger hint, an earlier one-shot, the one instant or a slot in arrears came first.",
    (Mark.HINT_ONE_SHOT, Verdict.WON): "A live one-shot hint asks for a run not later than this.",
    (Mark.HINT_ONE_SHOT, Verdict.LOST): "A one-shot only wins when strictly earlier than its rivals.",
    (Mark.HINT_LAPSED, Verdict.LOST): "The hint has lapsed, so it no longer counts.",
    (
        Mark.WINDOW,
        Verdict.APPLIED,
    ): "The nominal instant; the endpoint's stable offset inside its window comes on top.",
    (Mark.WINDOW, Verdict.IDLE): "The nominal instant of the baseline, which did not win.",
    (Mark.OWED, Verdict.WON): "An instant that has passed is still to be run.",
    (Mark.OWED, Verdict.LOST): "An instant that is still to be run waits behind an earlier one.",
    (Mark.RETRY, Verdict.LOST): "The retry would come no earlier than the next instant.",
    (Mark.PAST, Verdict.APPLIED): "The instant had passed, so it moved forward.",
    (Mark.DEFER, Verdict.APPLIED): "A defer hint holds the run back until here.",
    (Mark.DEFER, Verdict.IDLE): "The defer hint ends before the run anyway.",
    (Mark.DEFER, Verdict.LOST): "A stronger author asked for this instant.",
    (Mark.CLAMP_MIN, Verdict.APPLIED): "Too close to the last run: the minimum moved it later.",
    (Mark.CLAMP_MIN, Verdict.IDLE): "Far enough from the last run.",
    (Mark.CLAMP_MAX, Verdict.APPLIED): "Too far from the last run: the maximum moved it earlier.",
    (Mark.CLAMP_MAX, Verdict.IDLE): "Within the maximum.",
    (Mark.PAUSE, Verdict.WON): "Paused until here; a pause beats everything, and the run comes at its end.",
    (Mark.PAUSE, Verdict.IDLE): "Paused, but nothing was planned before its end.",
    (Mark.SUSPENDED, Verdict.WON): "The job is paused or archived, or the endpoint is archived.",
}


@dataclass(frozen=True, slots=True)
class ExplainedStep:
    """One step in words."""

    step: str
    verdict: str
    at: datetime | None
    why: str
    author: str | None = None


def explained(trace: Trace) -> tuple[ExplainedStep, ...]:
    """The steps of *trace* in the order in which they spoke. What a pause beat reads as lost."""
    paused = any(step.mark is Mark.PAUSE and step.verdict is Verdict.WON for step in trace.steps)
    # A live interval hint takes the baseline's place whether it is slower or faster; only *once* keeps its instant.
    replaced = any(step.mark is Mark.HINT_INTERVAL for step in trace.steps)
    return tuple(_explained(step, paused=paused, replaced=replaced) for step in trace.steps)


def _explained(step: Step, *, paused: bool, replaced: bool) -> ExplainedStep:
    author = step.author.value if step.author is not None else None
    verdict, why = step.verdict, _why(step)
    if step.verdict is Verdict.WON and paused and step.mark in _CANDIDATES:
        verdict, why = Verdict.LOST, f"{why} The pause beats it."
    elif step.verdict is Verdict.LOST and replaced and step.mark in _BASELINES:
        why = why.replace(_CAME_BEFORE, "A hint replaces the baseline.")
    return ExplainedStep(_NAMES[step.mark], verdict.name.lower(), step.at, why, author)


def _why(step: Step) -> str:
    match step.mark:
        case Mark.MORE:
            return f"{step.amount} more steps that changed nothing are left out."
        case Mark.INTERVAL if step.amount > 0:
            doubling = 2 ** min(step.amount, 5)
            failures = "1 failure" if step.amount == 1 else f"{step.amount} failures in a row"
            return f"{_baseline(step)} Backoff: {doubling} times the interval after {failures}."
        case Mark.RETRY if step.verdict is Verdict.WON:
            return f"Attempt {step.amount} of the same slot comes before the next instant."
        case Mark.CRON | Mark.ONCE if step.at is None:
            return _NEVER[step.mark]
        case Mark.CRON | Mark.INTERVAL | Mark.ONCE | Mark.DORMANT:
            return _WHY.get((step.mark, step.verdict)) or _baseline(step)
        case _:
            return _WHY.get((step.mark, step.verdict), "")


def _baseline(step: Step) -> str:
    return "The baseline's next instant." if step.verdict is Verdict.WON else _CAME_BEFORE
