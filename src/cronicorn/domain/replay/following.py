"""Following the rules of a policy through a replay: when each was in force, and how soon calls noticed why."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from cronicorn.domain.instant import ZERO
from cronicorn.domain.policy.memory import PolicyMemory
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.policy.steps import PolicySteps
from cronicorn.domain.replay.bystander import datable
from cronicorn.domain.replay.counting import CallCount
from cronicorn.domain.replay.onset import Noticed, Onset
from cronicorn.domain.replay.replayed import Episode, RuleSummary

EPISODES_LISTED = 100


@dataclass(slots=True)
class _Course:
    """How one rule has fared so far."""

    entered: int = 0
    in_force: timedelta = ZERO
    since: datetime | None = None
    answers: int = 0
    unknown: int = 0
    listed_at: int | None = None
    """Where its present episode stands in the list."""


@dataclass(slots=True)
class RulesFollowed:
    """All rules of a policy, told of what happens in the order of time."""

    policy: Policy
    old: CallCount
    new: CallCount
    episodes: list[Episode] = field(default_factory=list)
    episodes_count: int = 0
    _courses: dict[str, _Course] = field(init=False)
    _onsets: dict[str, Onset] = field(init=False)

    def __post_init__(self) -> None:
        self._courses = {rule.id: _Course() for rule in self.policy.rules}
        self._onsets = {rule.id: Onset() for rule in datable(self.policy)}

    def recorded(self, at: datetime, verdicts: Mapping[str, bool | None]) -> None:
        """A recorded run that began *at* found conditions to hold or not."""
        for rule, onset in self._onsets.items():
            if rule in verdicts:
                onset.recorded(at, holds=verdicts[rule])

    def looked(self, at: datetime) -> None:
        """An imagined call begins *at*."""
        for onset in self._onsets.values():
            onset.looked(at)

    def asked(self, steps: PolicySteps | None) -> None:
        """Rules were asked about an answer."""
        for step in steps.rules if steps is not None else ():
            course = self._courses[step.rule]
            course.answers += 1
            course.unknown += step.verdict is None

    def moved(self, before: PolicyMemory, after: PolicyMemory, at: datetime) -> None:
        """What was decided *at* moved rules from *before* to *after*."""
        if before is after:
            return
        for rule in self._courses:
            was, acting = before.rule(rule).phase.acting, after.rule(rule).phase.acting
            if acting != was:
                self.new.flips += 1
                (self._entered if acting else self._ended)(rule, at)

    def _entered(self, rule: str, at: datetime) -> None:
        course, onset = self._courses[rule], self._onsets.get(rule)
        noticed = onset.taken_up() if onset is not None else None
        if noticed is not None:
            self.old.delays.add(noticed.old)
            self.new.delays.add(noticed.new)
        course.entered += 1
        course.since = at
        course.listed_at = None
        self.episodes_count += 1
        if len(self.episodes) < EPISODES_LISTED:
            course.listed_at = len(self.episodes)
            self.episodes.append(_episode(rule, at, noticed))

    def _ended(self, rule: str, at: datetime) -> None:
        course = self._courses[rule]
        if course.since is not None:
            course.in_force += at - course.since
        course.since = None
        if course.listed_at is not None:
            self.episodes[course.listed_at] = replace(self.episodes[course.listed_at], ended_at=at)

    @property
    def held_at_first(self) -> tuple[str, ...]:
        """The rules whose condition held already when the record begins."""
        return tuple(rule for rule, onset in self._onsets.items() if onset.held_at_first)

    def summaries(self, end: datetime) -> tuple[RuleSummary, ...]:
        """How each rule fared until *end*, in the order of the policy."""
        return tuple(self._summary(rule, course, end) for rule, course in self._courses.items())

    def _summary(self, rule: str, course: _Course, end: datetime) -> RuleSummary:
        lasting = max(end - course.since, ZERO) if course.since is not None else ZERO
        onset = self._onsets.get(rule)
        return RuleSummary(
            rule=rule, entered=course.entered, in_force=course.in_force + lasting, answers=course.answers,
            unknown=course.unknown, unseen=onset.unseen if onset is not None else 0,
        )  # fmt: skip


def _episode(rule: str, at: datetime, noticed: Noticed | None) -> Episode:
    if noticed is None:
        return Episode(rule=rule, in_force_at=at)
    return Episode(
        rule=rule, in_force_at=at, noticed_at=noticed.at, after=noticed.after, by=noticed.by, old=noticed.old,
        new=noticed.new,
    )  # fmt: skip
