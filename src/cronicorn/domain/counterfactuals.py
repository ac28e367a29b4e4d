"""What the plan of an endpoint would be without each of the things that steer it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from cronicorn.domain.durations import show_duration
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.hint import Hint, fresh_hints
from cronicorn.domain.instant import ZERO
from cronicorn.domain.plan import Plan
from cronicorn.domain.planning import plan_next_run
from cronicorn.domain.ports import Cron


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """A plan as it would be without one thing."""

    without: str
    """What is thought away, in words."""
    plan: Plan
    matters: bool
    """Whether the next run would come at another instant."""


def counterfactuals(now: datetime, endpoint: JobEndpoint, cron: Cron) -> tuple[Counterfactual, ...]:
    """The plans made at *now* of *endpoint* without each hint, guardrail and backoff that it has, one at a time."""
    actual = plan_next_run(now, endpoint, cron)
    found = []
    for without, other in _without_each(now, endpoint):
        plan = plan_next_run(now, other, cron)
        found.append(Counterfactual(without, plan, plan.next_run_at != actual.next_run_at))
    return tuple(found)


def _without_each(now: datetime, endpoint: JobEndpoint) -> Iterator[tuple[str, JobEndpoint]]:
    state = endpoint.state
    hints = fresh_hints(state.hints, now)
    for hint in hints:
        rest = tuple(other for other in hints if other is not hint)
        yield _named(hint), endpoint.standing(replace(state, hints=rest))
    if endpoint.interval_min is not None:
        yield f"the minimum of {show_duration(endpoint.interval_min)}", replace(endpoint, interval_min=None)
    if endpoint.interval_max is not None:
        yield f"the maximum of {show_duration(endpoint.interval_max)}", replace(endpoint, interval_max=None)
    if state.failure_count:
        calm = replace(state, failure_count=0)
        failures = "failure" if state.failure_count == 1 else f"{state.failure_count} failures in a row"
        yield f"the {failures}", endpoint.standing(calm)
    if state.retry_at is not None:
        yield "the retry", endpoint.standing(replace(state, retry_at=None))
    if endpoint.baseline.window > ZERO:
        yield "the window", replace(endpoint, baseline=replace(endpoint.baseline, window=ZERO))


def _named(hint: Hint) -> str:
    key = f" {hint.key}" if hint.key else ""
    what = f" of {show_duration(hint.interval)}" if hint.interval is not None else ""
    return f"the {hint.kind.value} hint{what} by a {hint.author.value}{key}"
