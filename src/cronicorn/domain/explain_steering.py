"""What signals and rules made of an answer, in words: what each rule read, said and did, and what would turn it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cronicorn.domain.condition.comparisons import Part, counterfactual, outcome_of_parts
from cronicorn.domain.condition.kinds import Scalar
from cronicorn.domain.governor import GovernorEvent
from cronicorn.domain.policy.memory import Phase
from cronicorn.domain.policy.policy import Policy, Rule
from cronicorn.domain.policy.steps import PolicySteps, RuleStep, ValueRead
from cronicorn.domain.signals.reading import Note
from cronicorn.domain.steering_record import SteeringRecord

_PHASES: Mapping[Phase, str] = {
    Phase.IDLE: "idle",
    Phase.PENDING: "pending",
    Phase.ACTIVE: "active",
    Phase.CLEARING: "clearing",
}
_MOVES: Mapping[tuple[Phase, Phase], str] = {
    (Phase.IDLE, Phase.IDLE): "Its condition does not hold.",
    (Phase.IDLE, Phase.PENDING): "Its condition holds for the first time and is being confirmed.",
    (Phase.IDLE, Phase.ACTIVE): "Its condition holds: it is in force now.",
    (Phase.PENDING, Phase.IDLE): "Its condition no longer holds: it is dismissed.",
    (Phase.PENDING, Phase.PENDING): "Its condition still holds and is being confirmed.",
    (Phase.PENDING, Phase.ACTIVE): "Its condition is confirmed: it is in force now.",
    (Phase.ACTIVE, Phase.ACTIVE): "What ends it does not hold: it stays in force.",
    (Phase.ACTIVE, Phase.CLEARING): "What ends it holds and is being confirmed; until then it stays in force.",
    (Phase.ACTIVE, Phase.IDLE): "What ends it holds: it is over.",
    (Phase.CLEARING, Phase.ACTIVE): "What ends it no longer holds: it stays in force.",
    (Phase.CLEARING, Phase.CLEARING): "What ends it is still being confirmed.",
    (Phase.CLEARING, Phase.IDLE): "What ends it is confirmed: it is over.",
}
_UNKNOWN = "What it asks for is unknown, so it stays as it was."
_EVENTS: Mapping[GovernorEvent, str] = {
    GovernorEvent.FROZEN: "The steering went to and fro too often: for an hour the endpoint keeps to its baseline.",
    GovernorEvent.HELD_BACK: "The endpoint is frozen at its baseline: what rules and signals asked for does not count.",
    GovernorEvent.THAWED: "The hour at the baseline is over: rules and signals steer again.",
    GovernorEvent.NO_ROOM: "Rules and signals asked for more at once than an endpoint holds: the last is left out.",
    GovernorEvent.TOO_MANY_CHANGES: "Rules and signals wrote too much within an hour: what is new is left out.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedRule:
    """What one rule made of an answer, in words."""

    rule: str
    was: str
    phase: str
    verdict: bool | None
    asked: str | None
    """The condition that decided; None when the rule is no longer there."""
    why: str
    did: tuple[str, ...]
    parts: tuple[Part, ...]
    """Each comparison of that condition, as it came out."""
    otherwise: str | None
    """What a single number would have to be for the condition to say the opposite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedSteering:
    """What was made of one answer, in words."""

    at: datetime
    notes: tuple[Note, ...]
    values: tuple[ValueRead, ...]
    rules: tuple[ExplainedRule, ...]
    events: tuple[str, ...]
    """What the governor did, and what the answers lack, as sentences; one about a sibling begins with its id."""
    siblings: Mapping[str, tuple[ExplainedRule, ...]]
    """What the rules of siblings made of it, by endpoint id; without their conditions."""


def explained_steering(record: SteeringRecord, policy: Policy | None) -> ExplainedSteering:
    """*record* in words. *policy* is the endpoint's as it is now: what has changed since is told without its text."""
    own = record.own if record.own is not None else PolicySteps()
    known = policy.rules if policy is not None and policy.digest == own.frame.policy else ()
    rules = {rule.id: rule for rule in known}
    values = {read.name: read.value for read in own.values if read.value is not None}
    return ExplainedSteering(
        at=record.at,
        notes=record.notes,
        values=own.values,
        rules=tuple(_explained(step, rules.get(step.rule), values) for step in own.rules),
        events=(*(_EVENTS[event] for event in record.events), *_lacks(own), *_of_siblings(record)),
        siblings={
            name: tuple(_explained(step, None, {}) for step in steps.rules) for name, steps in record.siblings.items()
        },
    )


def _explained(step: RuleStep, rule: Rule | None, values: Mapping[str, Scalar]) -> ExplainedRule:
    asked = None if rule is None else rule.until if step.was.phase.acting else rule.when
    values = {**values, **{name: value for name, value in step.saw if value is not None}}
    for name in (name for name, value in step.saw if value is None):
        values.pop(name, None)
    return ExplainedRule(
        rule=step.rule,
        was=_PHASES[step.was.phase],
        phase=_PHASES[step.phase],
        verdict=step.verdict,
        asked=asked.text if asked is not None else None,
        why=_UNKNOWN if step.verdict is None else _MOVES[step.was.phase, step.phase],
        did=step.did,
        parts=outcome_of_parts(asked, values) if asked is not None else (),
        otherwise=counterfactual(asked, values) if asked is not None else None,
    )


def _of_siblings(record: SteeringRecord) -> list[str]:
    return [f"{name}: {_EVENTS[event]}" for name, events in record.events_of_siblings.items() for event in events]


def _lacks(steps: PolicySteps) -> list[str]:
    return [
        *(f"{name} is none of the values it was declared to have." for name in steps.unexpected),
        *(f"Rule {rule}: three answers in a row did not say what it asks for (drift)." for rule in steps.drifted),
    ]
