"""What a replay tells: how the endpoint was called, how it would have been called, and what can't be told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """Between these two lies a delay. What happened between two recorded runs is known only to lie between them."""

    low: timedelta
    high: timedelta

    def __post_init__(self) -> None:
        assert self.low <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One time that a rule of the new policy would have been in force."""

    rule: str
    in_force_at: datetime
    ended_at: datetime | None = None
    """None when it still was at the end of the record."""
    noticed_at: datetime | None = None
    """The call that would have found the condition to hold; it may have to be confirmed after that."""
    after: datetime | None = None
    """The last recorded run at which the condition did not hold; it began to hold after this."""
    by: datetime | None = None
    """The first recorded run at which it did; it had begun to hold by then."""
    old: Delay | None = None
    """How long it held before a call found it so, as it happened. None where the record can't tell since when."""
    new: Delay | None = None
    """The same under the new policy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionTimes:
    """How long conditions held before a call found them so, over several episodes."""

    episodes: int
    mean: Delay
    longest: Delay


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """How an endpoint is called under one policy. Runs and tests that people asked for are left out."""

    calls: int
    calls_a_day: float | None
    """None when the record spans less than an hour. The first call, which both policies have, only begins the count."""
    minute_peak: int
    """The most calls of it within any 60 seconds."""
    host_minute_peak: int
    """The most calls that its host gets in a minute of the clock, those of its siblings included."""
    flips_an_hour: float | None
    """How often a rule comes into force or goes out of it."""
    reaction: ReactionTimes | None
    """None when no episode has a beginning that the record can tell."""
    by_minute: Mapping[int, int] = field(default_factory=dict)
    """The calls that began in each minute since 1970, those without any left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSummary:
    """How one rule of the new policy fared."""

    rule: str
    entered: int
    """How often it came into force."""
    in_force: timedelta
    """For how long it was in force, in all."""
    answers: int
    """How many answers it was asked about."""
    unknown: int
    """How many of these left what it asks for unknown."""
    unseen: int
    """How often its condition held at recorded runs and no imagined call came while it did."""


class Conclusion(StrEnum):
    """What the record says of the new policy."""

    CANNOT_TELL = "cannot-tell"
    GAINS_NOTHING = "gains-nothing"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What came of a replay."""

    first_at: datetime | None
    """When the first recorded run began; None when there is none."""
    last_at: datetime | None
    """Where the replay ends: when the last recorded run began, or where it was cut."""
    recorded: int
    """How many recorded runs it rests on."""
    gap_max: timedelta
    """The longest time between the beginnings of two recorded runs."""
    old: Behaviour
    new: Behaviour
    together: int
    """How many calls come at the same instants under both."""
    rules: tuple[RuleSummary, ...]
    episodes: tuple[Episode, ...]
    """In the order in which they came into force, the first EPISODES_LISTED of them."""
    episodes_count: int
    conclusion: Conclusion
    because: str
    """The conclusion as a sentence."""
    remarks: tuple[str, ...] = ()
    """What to keep in mind with it, as sentences."""
