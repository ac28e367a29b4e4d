"""What one policy made of one answer, for the record. Made for every answer, so these are the cheapest values."""

from typing import NamedTuple

from cronicorn.domain.condition.kinds import Scalar
from cronicorn.domain.policy.memory import UNTOUCHED, Phase, RuleMemory


class ValueRead(NamedTuple):
    """A field as a policy saw it; None when it was unknown."""

    name: str
    value: Scalar | None
    place: str
    """Where it stood: a JSON Pointer, or whose and what, as in `http:status` and `sibling:health/state`."""


class RuleStep(NamedTuple):
    """What one rule made of the answer."""

    rule: str
    was: RuleMemory
    phase: Phase
    """Where it stands now."""
    verdict: bool | None
    """What its `when` said, or its `until` where it was in force."""
    did: tuple[str, ...] = ()
    saw: tuple[tuple[str, Scalar | None], ...] = ()
    """The fields that say how other rules stand, as they were when this one was asked."""


class Frame(NamedTuple):
    """What is the same for every answer until the policy changes."""

    names: tuple[str, ...] = ()
    """Of its fields."""
    places: tuple[str, ...] = ()
    """Where each of them stands."""
    rules: tuple[str, ...] = ()
    """The ids of the rules that are asked, in their order."""
    policy: str = ""
    """The digest of the policy."""


class PolicySteps(NamedTuple):
    """What a policy made of the answer."""

    frame: Frame = Frame()
    read: tuple[Scalar | None, ...] = ()
    """What each field was."""
    awake: tuple[RuleStep, ...] = ()
    """The steps of the rules that did not rest; nearly all of them nearly always rest."""
    unexpected: tuple[str, ...] = ()
    """Fields whose text is none of those they were declared to have."""
    drifted: tuple[str, ...] = ()
    """Rules that answers just stopped saying anything about."""

    @property
    def values(self) -> tuple[ValueRead, ...]:
        """The fields as they were read."""
        return tuple(map(ValueRead, self.frame.names, self.read, self.frame.places))

    @property
    def rules(self) -> tuple[RuleStep, ...]:
        """What each rule made of the answer. One rests that was never touched, and that the answer does not concern."""
        awake = {step.rule: step for step in self.awake}
        return tuple(
            awake.get(rule) or RuleStep(rule, UNTOUCHED, Phase.IDLE, verdict=False) for rule in self.frame.rules
        )
