"""Policies and backtests on the wire."""

from typing import Any

from cronicorn.api.wire_values import (
    Answer,
    Instant,
    WarningAnswer,
    milliseconds,
    warning_answers,
)
from cronicorn.control.endpoints import EndpointView
from cronicorn.control.policies import Backtest
from cronicorn.control.policy_lines import policy_in_words
from cronicorn.domain.compilation.judging import cadence_of
from cronicorn.domain.instant import MILLISECOND
from cronicorn.domain.policy.text import policy_document
from cronicorn.domain.replay.replayed import Behaviour, Conclusion, Delay, Episode, ReactionTimes, RuleSummary


class DelayAnswer(Answer):
    """A delay lies between these two; what was recorded can't say more."""

    low_ms: int
    high_ms: int


class ReactionTimesAnswer(Answer):
    """How long conditions held before a call found them so."""

    episodes: int
    mean: DelayAnswer
    longest: DelayAnswer


class BehaviourAnswer(Answer):
    """How the endpoint is called under one policy."""

    calls: int
    calls_per_day: float | None
    minute_peak: int
    host_minute_peak: int
    flips_per_hour: float | None
    reaction: ReactionTimesAnswer | None


class RuleSummaryAnswer(Answer):
    """How one rule fared."""

    rule: str
    entered: int
    in_force_ms: float
    answers: int
    unknown: int
    unseen: int


class EpisodeAnswer(Answer):
    """One time that a rule would have been in force. Null where the record can't tell since when it should have."""

    rule: str
    in_force_at: Instant
    ended_at: Instant | None
    noticed_at: Instant | None
    began_after: Instant | None
    began_by: Instant | None
    old: DelayAnswer | None
    new: DelayAnswer | None


class PolicyAnswer(Answer):
    """The policy of an endpoint: in force, and in words."""

    endpoint_id: str
    version: int
    """Of the endpoint: it differs after every edit."""
    policy: dict[str, Any] | None
    in_words: list[str]
    warnings: list[WarningAnswer]


class BacktestAnswer(Answer):
    """What a policy would have made of the record: `old` is as it happened, `new` under the policy."""

    endpoint_id: str
    since: Instant
    until: Instant
    first_at: Instant | None
    last_at: Instant | None
    recorded_runs: int
    longest_gap_ms: float
    conclusion: Conclusion
    because: str
    remarks: list[str]
    old: BehaviourAnswer
    new: BehaviourAnswer
    calls_together: int
    rules: list[RuleSummaryAnswer]
    episodes_count: int
    episodes: list[EpisodeAnswer]


def policy_answer(view: EndpointView) -> PolicyAnswer:
    """The policy of the endpoint of *view* on the wire."""
    policy = view.endpoint.policy
    return PolicyAnswer(
        endpoint_id=view.endpoint.id, version=view.endpoint.version,
        policy=policy_document(policy) if policy is not None else None,
        in_words=policy_in_words(policy, cadence_of(view.endpoint)) if policy is not None else [],
        warnings=warning_answers(view.warnings),
    )  # fmt: skip


def backtest_answer(backtest: Backtest) -> BacktestAnswer:
    """*backtest* on the wire."""
    replayed = backtest.replayed
    return BacktestAnswer(
        endpoint_id=backtest.endpoint.id, since=backtest.since, until=backtest.until, first_at=replayed.first_at,
        last_at=replayed.last_at, recorded_runs=replayed.recorded, longest_gap_ms=milliseconds(replayed.gap_max),
        conclusion=replayed.conclusion, because=replayed.because, remarks=list(replayed.remarks),
        old=_behaviour(replayed.old), new=_behaviour(replayed.new), calls_together=replayed.together,
        rules=[_rule(rule) for rule in replayed.rules], episodes_count=replayed.episodes_count,
        episodes=[_episode(episode) for episode in replayed.episodes],
    )  # fmt: skip


def _behaviour(behaviour: Behaviour) -> BehaviourAnswer:
    return BehaviourAnswer(
        calls=behaviour.calls, calls_per_day=behaviour.calls_a_day, minute_peak=behaviour.minute_peak,
        host_minute_peak=behaviour.host_minute_peak, flips_per_hour=behaviour.flips_an_hour,
        reaction=_reaction(behaviour.reaction),
    )  # fmt: skip


def _reaction(times: ReactionTimes | None) -> ReactionTimesAnswer | None:
    if times is None:
        return None
    return ReactionTimesAnswer(episodes=times.episodes, mean=_bounds(times.mean), longest=_bounds(times.longest))


def _rule(rule: RuleSummary) -> RuleSummaryAnswer:
    return RuleSummaryAnswer(
        rule=rule.rule, entered=rule.entered, in_force_ms=milliseconds(rule.in_force), answers=rule.answers,
        unknown=rule.unknown, unseen=rule.unseen,
    )  # fmt: skip


def _episode(episode: Episode) -> EpisodeAnswer:
    return EpisodeAnswer(
        rule=episode.rule, in_force_at=episode.in_force_at, ended_at=episode.ended_at, noticed_at=episode.noticed_at,
        began_after=episode.after, began_by=episode.by, old=_delay(episode.old), new=_delay(episode.new),
    )  # fmt: skip


def _delay(delay: Delay | None) -> DelayAnswer | None:
    return None if delay is None else _bounds(delay)


def _bounds(delay: Delay) -> DelayAnswer:
    return DelayAnswer(low_ms=delay.low // MILLISECOND, high_ms=-(-delay.high // MILLISECOND))
