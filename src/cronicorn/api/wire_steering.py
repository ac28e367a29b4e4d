"""What signals and rules made of an answer, on the wire."""

from cronicorn.api.wire_values import Answer, Instant, Omittable
from cronicorn.domain.condition.comparisons import Part
from cronicorn.domain.explain_steering import ExplainedRule, ExplainedSteering


class NoteAnswer(Answer):
    """What one signal read, and what it asked for."""

    signal: str
    place: str
    value: str
    asked: str


class ValueAnswer(Answer):
    """A field as the policy saw it; null when it was unknown."""

    name: str
    value: str | float | bool | None
    place: str


class ComparisonAnswer(Answer):
    """One comparison of a condition, as it came out; null when it was unknown."""

    text: str
    value: bool | None
    read: dict[str, str | float | bool | None]
    """The fields that it read; null of one that there was nothing to read for."""


class RuleAnswer(Answer):
    """What one rule made of the answer. `otherwise` is what one number would have to be for the opposite."""

    rule: str
    was: str
    phase: str
    verdict: bool | None
    why: str
    did: list[str]
    condition: Omittable[str] = None
    comparisons: list[ComparisonAnswer]
    otherwise: Omittable[str] = None


class SteeringAnswer(Answer):
    """What signals and rules made of the answer of a run."""

    at: Instant
    signals: list[NoteAnswer]
    values: list[ValueAnswer]
    rules: list[RuleAnswer]
    events: list[str]
    siblings: dict[str, list[RuleAnswer]]


def steering_answer(explained: ExplainedSteering) -> SteeringAnswer:
    """*explained* on the wire."""
    return SteeringAnswer(
        at=explained.at,
        signals=[
            NoteAnswer(signal=note.signal.value, place=note.place, value=note.value, asked=note.asked)
            for note in explained.notes
        ],
        values=[ValueAnswer(name=read.name, value=read.value, place=read.place) for read in explained.values],
        rules=[_rule(rule) for rule in explained.rules],
        events=list(explained.events),
        siblings={name: [_rule(rule) for rule in rules] for name, rules in explained.siblings.items()},
    )


def _rule(rule: ExplainedRule) -> RuleAnswer:
    return RuleAnswer(
        rule=rule.rule, was=rule.was, phase=rule.phase, verdict=rule.verdict, why=rule.why, did=list(rule.did),
        condition=rule.asked, comparisons=[_comparison(part) for part in rule.parts], otherwise=rule.otherwise,
    )  # fmt: skip


def _comparison(part: Part) -> ComparisonAnswer:
    return ComparisonAnswer(text=part.text, value=part.value, read=dict(part.read))
