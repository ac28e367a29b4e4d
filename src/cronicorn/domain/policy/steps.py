"""What one policy made of one answer, for the record. Made for every answer, so these are the cheapest values."""

from typing import NamedTuple

from cronicorn.domain.condition.kinds import Scalar
from cronicorn.domain.policy.memory import Phase, RuleMemory


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


class PolicySteps(NamedTuple):
    """What a policy made of the answer."""

    names: tuple[str, ...] = ()
    """Of its fields."""
    places: tuple[str, ...] = ()
    """Where each of them stood."""
    read: tuple[Scalar | None, ...] = ()
    """What each of them was."""
    rules: tuple[RuleStep, ...] = ()
    unexpected: tuple[str, ...] = ()
    """Fields whose text is none of those they were declared to have."""
    drifted: tuple[str, ...] = ()
    """Rules that answers just stopped saying anything about."""
    policy: str = ""
    """The fingerprint of the policy that this is of."""

    @property
    def values(self) -> tuple[ValueRead, ...]:
        """The fields as they were read."""
        return tuple(map(ValueRead, self.names, self.read, self.places))
