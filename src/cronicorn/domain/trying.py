"""Trying a policy on the examples that its author wrote down as its tests, through the rules themselves. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cronicorn.domain.call import Request
from cronicorn.domain.cron import CronSchedule
from cronicorn.domain.endpoint import INTERVAL_DEFAULT, Baseline, EndpointState, JobEndpoint
from cronicorn.domain.hint import Hint, HintKind, fresh_hints, replaced
from cronicorn.domain.instant import EPOCH
from cronicorn.domain.json_body import Json
from cronicorn.domain.planning import plan_next_run
from cronicorn.domain.policy.acting import Setting
from cronicorn.domain.policy.memory import BLANK
from cronicorn.domain.policy.observing import Seen
from cronicorn.domain.policy.path import Path
from cronicorn.domain.policy.policy import Aggregate, Example, FieldType, HttpFact, Origin, Policy, PolicyField
from cronicorn.domain.policy.ruling import Ruling, ruled
from cronicorn.domain.ports import Cron

_USUAL: Mapping[HttpFact, Json] = {
    HttpFact.STATUS: 200, HttpFact.OK: True, HttpFact.FAILURES: 0, HttpFact.LATENCY_MS: 0,
}  # fmt: skip
"""What HTTP says of an answer where an example does not: an undisturbed success."""
_COUNTED: Mapping[Aggregate, FieldType] = {Aggregate.COUNT_TRUE: FieldType.NUMBER, Aggregate.CHANGED: FieldType.BOOL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """How often the endpoint of a policy is called when nothing steers it, and its limits."""

    every: timedelta | None = None
    """None where its baseline is no interval."""
    interval_min: timedelta | None = None
    interval_max: timedelta | None = None

    def setting(self, policy: Policy, now: datetime) -> Setting:
        """Where the rules of *policy* act at *now*."""
        return Setting(
            endpoint_id="tried", policy=policy, now=now, base=self.every, interval_min=self.interval_min,
            interval_max=self.interval_max,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What became of one example."""

    example: Example
    interval: timedelta | None
    """The interval in force in the end, within the limits; None where there is none."""
    did: tuple[str, ...]
    """What the rules did on the way, each thing once: `pause`, `run_once:recover`, `cooling-down`."""
    unread: tuple[str, ...]
    """Fields that were given what they can't hold, and those that say how a rule stands, which nobody can give."""
    held: bool
    """Whether all that is expected came, and every field was read."""


def tried(policy: Policy, cadence: Cadence) -> tuple[Tried, ...]:
    """What becomes of each example of *policy* on an endpoint of that *cadence*.

    Each begins with rules that nothing has happened to. The values given are those of fields as conditions see them,
    also where a field looks back; so many times in a row they are the answer, each time when the next call is due. The
    siblings whose fields are given answer first; the endpoint itself does unless only theirs are.
    """
    by_name = replace(policy, fields=tuple(map(_read_by_name, policy.fields)))
    return tuple(_tried(example, by_name, policy, cadence) for example in policy.examples)


def _tried(example: Example, policy: Policy, written: Policy, cadence: Cadence) -> Tried:
    now, hints, did, unread = _played(example, policy, written, cadence)
    intervals = tuple(hint for hint in fresh_hints(hints, now) if hint.kind is HintKind.INTERVAL)
    interval, baseline = _due_in(cadence, intervals, now), _due_in(cadence, (), now)
    done = example.action is None or example.action in {word.partition(":")[0] for word in did}
    only_done = example.action is not None and example.interval is None
    held = done and (only_done or interval == (example.interval or baseline)) and not unread
    return Tried(example=example, interval=interval, did=did, unread=unread, held=held)


def _played(
    example: Example, policy: Policy, written: Policy, cadence: Cadence
) -> tuple[datetime, tuple[Hint, ...], tuple[str, ...], tuple[str, ...]]:
    """The instant of the last answer, the hints then, what the rules did, and what could not be read."""
    now, memory, hints = EPOCH, BLANK, tuple[Hint, ...]()
    did, unread = dict[str, None](), set(example.given)
    answers = _answers(example, written)
    for turn in range(example.times):
        now = _next_call(cadence, hints, now) if turn else now
        hints = tuple(hint for hint in hints if hint.kind is not HintKind.ONE_SHOT or hint.at is None or hint.at > now)
        for sibling, body in answers:
            ruling = ruled(cadence.setting(policy, now), memory, Seen(at=now, body=body, ok=True), sibling)
            memory, hints = ruling.memory, _after(hints, ruling, now)
            did |= dict.fromkeys(word for step in ruling.steps.rules for word in step.did)
            unread -= {read.name for read in ruling.steps.values if read.value is not None}
    unread |= {field.name for field in policy.fields_of_rules if field.name in example.given}
    return now, hints, tuple(did), tuple(sorted(unread))


def _read_by_name(field: PolicyField) -> PolicyField:
    """*field* as it would be if it stood in the answer under its own name, worked out already."""
    if field.origin is Origin.RULE:
        return field
    return replace(
        field,
        origin=Origin.BODY if field.origin is Origin.HTTP else field.origin,
        path=Path(field.name, (field.name,)),
        http=None,
        agg=None,
        window=1,
        type=_COUNTED.get(field.agg, field.type) if field.agg is not None else field.type,
    )


def _answers(example: Example, written: Policy) -> list[tuple[str | None, dict[str, Json]]]:
    """Who answers, None being the endpoint itself, and what."""
    of: dict[str, str | None] = {each.name: each.sibling for each in written.fields}
    heard = sorted({sibling for name in example.given if (sibling := of.get(name)) is not None})
    own = not example.given or any(of.get(name) is None for name in example.given)
    return [
        (sibling, {name: value for name, value in _values(example, written) if of[name] == sibling})
        for sibling in [*heard, *([None] if own else [])]
    ]


def _values(example: Example, written: Policy) -> Iterator[tuple[str, Json]]:
    for field in written.fields:
        if field.name in example.given:
            yield field.name, example.given[field.name]
        elif field.http is not None and field.http in _USUAL and field.agg is None:
            yield field.name, _USUAL[field.http]


def _after(hints: tuple[Hint, ...], ruling: Ruling, now: datetime) -> tuple[Hint, ...]:
    hints = tuple(hint for hint in hints if hint.id not in ruling.ended)
    for hint in ruling.hints:
        hints = replaced(hints, hint, now)
    return hints


def _next_call(cadence: Cadence, hints: tuple[Hint, ...], now: datetime) -> datetime:
    """When the next call is due; what nobody plans is answered after the baseline, or after a minute."""
    wait = _due_in(cadence, hints, now)
    return now + (wait or cadence.every or INTERVAL_DEFAULT)


def _due_in(cadence: Cadence, hints: tuple[Hint, ...], now: datetime) -> timedelta | None:
    """How long after *now*, when it was called, the endpoint is due."""
    endpoint = JobEndpoint(
        id="tried", tenant_id="tried", job_id="tried", name="tried", request=Request(url=""),
        baseline=Baseline(interval=cadence.every, dormant=cadence.every is None),
        interval_min=cadence.interval_min, interval_max=cadence.interval_max, created_at=now, updated_at=now,
        state=EndpointState(hints=hints, spaced_from=now),
    )  # fmt: skip
    at = plan_next_run(now, endpoint, _NoCron()).next_run_at
    return None if at is None else at - now


class _NoCron(Cron):
    """For schedules that have no cron text."""

    def next(self, schedule: CronSchedule, after: datetime) -> datetime | None:
        raise AssertionError(schedule, after)

    def check(self, schedule: CronSchedule, now: datetime) -> None:
        raise AssertionError(schedule, now)
