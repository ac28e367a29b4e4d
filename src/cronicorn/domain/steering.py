"""Steering: what an answer makes of the hints of its endpoint, and of its siblings'. Pure.

Signals are read first, then the rules move, then the governor looks at what both want. What they write competes in
`plan_next_run` like any hint. Values that live no longer than one answer are named tuples here: they cost half.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from cronicorn.domain.call import Outcome, OutcomeKind
from cronicorn.domain.endpoint import BaselineKind, JobEndpoint
from cronicorn.domain.governor import Governed, GovernorEvent, Limits, governed
from cronicorn.domain.guardrails import within_guardrails
from cronicorn.domain.hint import Author, Hint, HintKind, fresh_hints, replaced
from cronicorn.domain.instant import stable_fraction
from cronicorn.domain.json_body import Json, parsed
from cronicorn.domain.policy.acting import Order, Setting
from cronicorn.domain.policy.observing import Seen
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.policy.ruling import Ruling, ruled
from cronicorn.domain.policy.steps import PolicySteps
from cronicorn.domain.run import Run, RunStatus
from cronicorn.domain.signals.reading import Answer, Note, Subject, signalled
from cronicorn.domain.signals.retry_after import retry_after
from cronicorn.domain.signals.signal import Signal, Signals
from cronicorn.domain.steering_memory import SteeringMemory

_LIMITS = Limits()
_GUESSES = frozenset({Signal.TREND})
_NOTHING_ENDS: frozenset[str] = frozenset()


class Heard(NamedTuple):
    """An answer, read once for all that look at it."""

    name: str
    """The name of the endpoint that answered."""
    outcome: Outcome
    body: Json
    success: bool
    failures: int
    """Failed slots of it in a row, this one included."""
    called_at: datetime
    """When the call began."""
    now: datetime


class Steered(NamedTuple):
    """What an answer made of one endpoint's steering."""

    hints: tuple[Hint, ...]
    memory: SteeringMemory
    orders: tuple[Order, ...] = ()
    """What its rules want of siblings."""
    notes: tuple[Note, ...] = ()
    """What the signals said."""
    steps: PolicySteps | None = None
    """What its policy did."""
    events: tuple[GovernorEvent, ...] = ()


def heard(endpoint: JobEndpoint, run: Run, failures: int, now: datetime) -> Heard | None:
    """What there is to learn from *run*; None when it ended on our side."""
    if run.outcome.kind.tells_nothing:
        return None
    success = run.status is RunStatus.SUCCESS
    return Heard(endpoint.name, run.outcome, parsed(run.outcome), success, failures, run.started_at, now)


def steered(endpoint: JobEndpoint, hints: tuple[Hint, ...], answer: Heard, seed: str) -> Steered:
    """What its own *answer* makes of *hints* on *endpoint*, all of them fresh."""
    state, now = endpoint.state, answer.now
    read = Answer(answer.outcome, answer.success, answer.body, answer.failures)
    base = _base(endpoint)
    said = signalled(_subject(endpoint, base, seed), read, state.memory.signals, now)
    learnt = said.memory
    if answer.called_at < endpoint.updated_at and (learnt.etag is not None or learnt.last_modified is not None):
        learnt = replace(learnt, etag=None, last_modified=None)  # It may have been another resource that was called.
    of_signals = any(hint.author is Author.SIGNAL for hint in hints) if hints else False
    after = _with(hints, said.hints, said.cleared if of_signals else _NOTHING_ENDS, now)
    if said.interval_least is not None:
        after = tuple(hint for hint in after if not _hurries(hint, said.interval_least))
    memory = replace(state.memory, signals=learnt) if learnt is not state.memory.signals else state.memory
    if endpoint.policy is None:
        return _governed(endpoint, hints, after, memory, now=now, called_at=answer.called_at, notes=said.notes)
    ruling = ruled(_setting(endpoint, endpoint.policy, base, now), memory.rules, _seen(answer))
    after = _with(after, ruling.hints, ruling.ended, now)
    if ruling.memory is not memory.rules:
        memory = replace(memory, rules=ruling.memory)
    return _governed(
        endpoint, hints, after, memory, now=now, called_at=answer.called_at, notes=said.notes, ruling=ruling
    )


def steered_by_sibling(endpoint: JobEndpoint, policy: Policy, answer: Heard) -> Steered:
    """What the *answer* of a sibling makes of the hints of *endpoint*, whose *policy* reads it."""
    now, memory = answer.now, endpoint.state.memory
    hints = fresh_hints(endpoint.state.hints, now)
    ruling = ruled(_setting(endpoint, policy, _base(endpoint), now), memory.rules, _seen(answer), sibling=answer.name)
    after = _with(hints, ruling.hints, ruling.ended, now)
    if ruling.memory is not memory.rules:
        memory = replace(memory, rules=ruling.memory)
    return _governed(endpoint, hints, after, memory, ruling=ruling, now=now)


def ordered(
    endpoint: JobEndpoint, orders: Iterable[Order], now: datetime
) -> tuple[JobEndpoint, tuple[GovernorEvent, ...]]:
    """*endpoint* with what rules of siblings ordered of it, as far as its governor lets them, and what that did."""
    state = endpoint.state
    before = after = fresh_hints(state.hints, now)
    for order in orders:
        if order.wakes:
            after = tuple(hint for hint in after if hint.kind is not HintKind.PAUSE or hint.author is Author.PERSON)
        after = replaced(after, order.hint, now)
    result = governed(before, after, state.memory.governor, _limits(endpoint), now)
    hints = within_guardrails(result.hints, before, endpoint, now, None)
    memory = replace(state.memory, governor=result.memory)
    return endpoint.standing(replace(state, hints=hints, memory=memory)), result.events


def _governed(
    endpoint: JobEndpoint,
    before: tuple[Hint, ...],
    after: tuple[Hint, ...],
    memory: SteeringMemory,
    *,
    now: datetime,
    called_at: datetime | None = None,
    notes: tuple[Note, ...] = (),
    ruling: Ruling | None = None,
) -> Steered:
    result: Governed = governed(before, after, memory.governor, _limits(endpoint), now)
    if result.memory is not memory.governor:
        memory = replace(memory, governor=result.memory)
    orders = ruling.orders if ruling is not None and result.memory.frozen_until is None else ()
    hints = within_guardrails(result.hints, before, endpoint, now, called_at)
    steps = ruling.steps if ruling is not None else None
    return Steered(hints=hints, memory=memory, orders=orders, notes=notes, steps=steps, events=result.events)


def _limits(endpoint: JobEndpoint) -> Limits:
    policy = endpoint.policy
    return _LIMITS if policy is None else Limits(changes_max=policy.hint_changes_max, flips_max=policy.flips_max)


def _with(hints: tuple[Hint, ...], written: Iterable[Hint], ended: frozenset[str], now: datetime) -> tuple[Hint, ...]:
    if ended and hints and any(hint.id in ended for hint in hints):
        hints = tuple(hint for hint in hints if hint.id not in ended)
    for hint in written:
        hints = replaced(hints, hint, now)
    return hints


def _hurries(hint: Hint, least: timedelta) -> bool:
    """Whether *hint*, a signal's, asks for more than *least* lets it."""
    return hint.author is Author.SIGNAL and hint.interval is not None and hint.interval < least


def _subject(endpoint: JobEndpoint, base: timedelta | None, seed: str) -> Subject:
    state, signals = endpoint.state, endpoint.signals
    if endpoint.policy is not None:
        signals = _without_guesses(signals)

    def chance() -> float:
        return stable_fraction(seed, endpoint.id, str(state.slot), str(state.attempt), "signal")

    return Subject(endpoint.request.method, base, endpoint.interval_min, endpoint.interval_max, signals, chance)


@lru_cache
def _without_guesses(signals: Signals) -> Signals:
    """For an endpoint with a policy: its owner has said which numbers matter, and from where on."""
    return replace(signals, off=signals.off | _GUESSES)


def _setting(endpoint: JobEndpoint, policy: Policy, base: timedelta | None, now: datetime) -> Setting:
    return Setting(endpoint.id, policy, now, base, endpoint.interval_min, endpoint.interval_max)


def _base(endpoint: JobEndpoint) -> timedelta | None:
    baseline = endpoint.baseline
    return baseline.length if baseline.kind is BaselineKind.INTERVAL else None


def _seen(answer: Heard) -> Seen:
    outcome = answer.outcome
    status = outcome.status_code if outcome.kind is OutcomeKind.RESPONDED else None
    latency_ms = outcome.duration.total_seconds() * 1_000
    wait = outcome.header("retry-after")
    asked = retry_after(wait, answer.now) if wait is not None else None
    wait_s = asked.total_seconds() if asked is not None else None
    return Seen(answer.now, answer.body, answer.success, status, latency_ms, answer.failures, wait_s)
