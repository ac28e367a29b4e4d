"""How the rules and signals of an endpoint stand: what they wait for, since when, and what they read last. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt

from cronicorn.domain.condition.comparisons import counterfactual
from cronicorn.domain.condition.kinds import Scalar
from cronicorn.domain.endpoint import BaselineKind, JobEndpoint
from cronicorn.domain.hint import Author, Hint, fresh_hints
from cronicorn.domain.instant import ZERO, shifted
from cronicorn.domain.policy.acting import recent
from cronicorn.domain.policy.memory import Phase, PolicyMemory, RuleMemory
from cronicorn.domain.policy.policy import Action, ActionKind, Confirmation, Policy, Rule
from cronicorn.domain.policy.steps import ValueRead
from cronicorn.domain.signals.memory import SignalMemory
from cronicorn.domain.signals.reading import Note, Subject, may_tighten
from cronicorn.domain.signals.signal import Signal
from cronicorn.domain.steering_record import SteeringRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleStanding:
    """How one rule stands at an instant."""

    rule: Rule
    phase: Phase
    since: datetime | None
    """When it came into force, or when what is being confirmed began; None while it rests."""
    confirming: Confirmation | None
    """What has to be confirmed before it moves on; None while nothing is."""
    streak: int
    """Answers in a row that have confirmed it so far."""
    values: tuple[ValueRead, ...]
    """The fields that it reads, as they were in the last answer."""
    turned_by: str | None
    """What a single number would have to be for the condition that it waits for to say the opposite."""
    acted_at: datetime | None
    """When it last did what it does."""
    cools_until: datetime | None
    """Before then it does not act again, though it may be in force; None where nothing keeps it."""
    holds_until: datetime | None
    """Before then it does not end; None where it may."""
    fires: int
    """How often it acted in the time that its limit counts over."""
    limited_until: datetime | None
    """Until then its limit is reached; None while it is not."""
    unknowns: int
    """Answers in a row that did not say what it asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalStanding:
    """How one signal stands at an instant."""

    signal: Signal
    speaks: bool
    """Whether it is listened to."""
    notes: tuple[Note, ...]
    """What it said in the last answer."""
    hints: tuple[Hint, ...]
    """What of it counts now."""
    remembers: tuple[str, ...]
    """What it has learnt of the answers before, as sentences."""

    @property
    def awake(self) -> bool:
        """Whether there is anything to say of it."""
        return bool(self.notes or self.hints or self.remembers)


def rule_standings(endpoint: JobEndpoint, record: SteeringRecord | None, now: datetime) -> tuple[RuleStanding, ...]:
    """How the rules of *endpoint* stand at *now*; those that do not rest first, else in their order.

    *record* is of its last answer. Where that was judged by another policy, values are those that are remembered.
    """
    policy, memory = endpoint.policy, endpoint.state.memory.rules
    if policy is None:
        return ()
    values = _values(policy, memory, record)
    told = [_standing(rule, memory.rule(rule.id), policy, values, now) for rule in policy.rules]
    return tuple(sorted(told, key=lambda each: (not each.phase.acting, each.phase is Phase.IDLE)))


def signal_standings(endpoint: JobEndpoint, record: SteeringRecord | None, now: datetime) -> tuple[SignalStanding, ...]:
    """How the signals of *endpoint* stand at *now*; *record* is of its last answer."""
    hints = [hint for hint in fresh_hints(endpoint.state.hints, now) if hint.author is Author.SIGNAL]
    notes = record.notes if record is not None else ()
    return tuple(
        SignalStanding(
            signal=signal, speaks=endpoint.signals.speaks(signal),
            notes=tuple(note for note in notes if note.signal is signal),
            hints=tuple(hint for hint in hints if hint.key == signal.value),
            remembers=tuple(_remembered(signal, endpoint.state.memory.signals)),
        )
        for signal in Signal
    )  # fmt: skip


def signals_tighten(endpoint: JobEndpoint) -> bool:
    """Whether signals may have *endpoint* called more often than its baseline does; they may always delay it."""
    baseline = endpoint.baseline
    base = baseline.length if baseline.kind is BaselineKind.INTERVAL else None
    return may_tighten(
        Subject(endpoint.request.method, base, endpoint.interval_min, endpoint.interval_max, endpoint.signals)
    )


def _standing(
    rule: Rule, memory: RuleMemory, policy: Policy, values: Mapping[str, Scalar], now: datetime
) -> RuleStanding:
    acting, phase = memory.phase.acting, memory.phase
    reads = rule.reads | {name for name in (rule.once_per, *_amounts(rule)) if name is not None}
    confirming = {Phase.PENDING: rule.confirm, Phase.CLEARING: rule.confirm_end}.get(phase)
    per = rule.max_fires.per if rule.max_fires is not None else ZERO
    fires = recent(memory.fires, now, per)
    oldest = fires[-rule.max_fires.count] if rule.max_fires is not None and len(fires) >= rule.max_fires.count else None
    cooldown = rule.cooldown if rule.action.kind is not ActionKind.INTERVAL else None
    return RuleStanding(
        rule=rule,
        phase=phase,
        since=memory.entered_at if acting else memory.since,
        confirming=confirming,
        streak=memory.streak,
        values=tuple(
            ValueRead(field.name, values.get(field.name), field.place) for field in policy.fields if field.name in reads
        ),
        turned_by=counterfactual(rule.until if acting else rule.when, values),
        acted_at=memory.fired_at,
        cools_until=_ahead(memory.fired_at, cooldown, now),
        holds_until=_ahead(memory.entered_at, rule.hold, now) if acting else None,
        fires=len(fires),
        limited_until=_ahead(oldest, per, now),
        unknowns=memory.unknowns,
    )  # fmt: skip


def _ahead(at: datetime | None, length: timedelta | None, now: datetime) -> datetime | None:
    """So long after *at*, where that is still to come."""
    until = shifted(at, length) if at is not None and length is not None else None
    return until if until is not None and until > now else None


def _amounts(rule: Rule) -> Iterator[str | None]:
    """The fields that say how much its actions do."""
    actions: tuple[Action | None, ...] = (rule.action, rule.max_fires.then if rule.max_fires is not None else None)
    yield from (action.amount.field for action in actions if action is not None)


def _values(policy: Policy, memory: PolicyMemory, record: SteeringRecord | None) -> dict[str, Scalar]:
    """What is known of the fields of *policy*."""
    values = {name: each.samples[-1][1] for name, each in memory.fields.items() if each.samples}
    values = {each.name: values[each.name] for each in policy.fields if each.name in values and each.agg is None}
    own = record.own if record is not None else None
    if own is None or own.frame.policy != policy.digest:
        return values
    read = {each.name: each.value for each in own.values}
    read |= {name: value for step in own.rules for name, value in step.saw}
    known = {**values, **read}
    return {name: value for name, value in known.items() if value is not None}


def _remembered(signal: Signal, memory: SignalMemory) -> Iterator[str]:
    match signal:
        case Signal.HEALTH if memory.bad:
            good = f", and {memory.good} good in a row since" if memory.good else ""
            yield f"{memory.bad} bad {'answer' if memory.bad == 1 else 'answers'}{good}: two good ones in a row end it."
        case Signal.RETRY_AFTER if memory.limited:
            yield f"{memory.limited} answers in a row had the status 429."
        case Signal.NOT_MODIFIED if memory.etag is not None or memory.last_modified is not None:
            yield f"The next call is conditional on {memory.etag or memory.last_modified}."
        case Signal.TREND:
            for course in memory.courses:
                usual = f"{course.mean:.4g} ± {sqrt(max(0.0, course.variance)):.2g}"
                yield f"{course.name} is usually {usual}, as learnt from {course.samples} answers."
        case _:
            return
