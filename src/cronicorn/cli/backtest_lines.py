"""A backtest in lines for people, and as an object for programs."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from cronicorn.cli.columns import columns
from cronicorn.cli.instants import written
from cronicorn.control.policies import Backtest
from cronicorn.domain.durations import coarse
from cronicorn.domain.instant import ZERO
from cronicorn.domain.replay.replayed import Behaviour, Delay, Episode, ReactionTimes, Replayed

_EPISODES_SHOWN = 20


def backtest_lines(name: str, backtest: Backtest) -> list[str]:
    """What there is to say of the *backtest* of the endpoint *name*."""
    replayed = backtest.replayed
    lines = [f"{name}: {_record(backtest)}", ""]
    if replayed.first_at is not None:
        lines += [*columns(("", "AS IT HAPPENED", "UNDER THE POLICY"), list(_compared(replayed))), ""]
    if replayed.rules:
        lines += [*columns(("RULE", "IN FORCE", "FOR", "ASKED", "UNKNOWN", "UNSEEN"), _rules(replayed)), ""]
    if replayed.episodes:
        headings = ("EPISODE", "BEGAN AFTER", "BY", "IN FORCE", "UNTIL", "OLD DELAY", "NEW DELAY")
        lines += [*columns(headings, [_episode(each) for each in replayed.episodes[:_EPISODES_SHOWN]]), ""]
    more = replayed.episodes_count - _EPISODES_SHOWN
    if more > 0:
        lines += [f"... and {more} more.", ""]
    return [*lines, replayed.because, *replayed.remarks]


def backtest_document(name: str, backtest: Backtest) -> dict[str, object]:
    """The *backtest* of the endpoint *name* as JSON."""
    replayed = backtest.replayed
    return {
        "name": name,
        "id": backtest.endpoint.id,
        "since": written(backtest.since),
        "until": written(backtest.until),
        "first_at": _written(replayed.first_at),
        "last_at": _written(replayed.last_at),
        "recorded_runs": replayed.recorded,
        "longest_gap_s": replayed.gap_max.total_seconds(),
        "conclusion": replayed.conclusion.value,
        "because": replayed.because,
        "remarks": list(replayed.remarks),
        "calls_together": replayed.together,
        "old": _behaviour_document(replayed.old),
        "new": _behaviour_document(replayed.new),
        "rules": [
            {
                "rule": rule.rule, "entered": rule.entered, "in_force_s": rule.in_force.total_seconds(),
                "answers": rule.answers, "unknown": rule.unknown, "unseen": rule.unseen,
            }
            for rule in replayed.rules
        ],
        "episodes_count": replayed.episodes_count,
        "episodes": [_episode_document(each) for each in replayed.episodes],
    }  # fmt: skip


def _record(backtest: Backtest) -> str:
    replayed = backtest.replayed
    if replayed.first_at is None or replayed.last_at is None:
        return f"no run is recorded since {written(backtest.since)}"
    span = f"{written(replayed.first_at)} to {written(replayed.last_at)}"
    gap = f", at most {coarse(replayed.gap_max)} apart" if replayed.gap_max > ZERO else ""
    return f"{replayed.recorded} recorded runs, {span}{gap}"


def _compared(replayed: Replayed) -> Iterator[tuple[str, str, str]]:
    old, new = replayed.old, replayed.new
    yield "calls", str(old.calls), str(new.calls)
    yield "calls a day", _number(old.calls_a_day), _number(new.calls_a_day)
    yield "most in a minute", str(old.minute_peak), str(new.minute_peak)
    yield "host's most in a minute", str(old.host_minute_peak), str(new.host_minute_peak)
    yield "flips an hour", _number(old.flips_an_hour), _number(new.flips_an_hour)
    yield "reaction, mean", _mean(old.reaction), _mean(new.reaction)
    yield "reaction, longest", _longest(old.reaction), _longest(new.reaction)


def _rules(replayed: Replayed) -> list[tuple[str, ...]]:
    return [
        (
            rule.rule,
            _times(rule.entered),
            coarse(rule.in_force),
            str(rule.answers),
            str(rule.unknown),
            str(rule.unseen),
        )
        for rule in replayed.rules
    ]


def _times(count: int) -> str:
    return {0: "never", 1: "once"}.get(count, f"{count} times")


def _episode(episode: Episode) -> tuple[str, ...]:
    ended = "the end" if episode.ended_at is None else written(episode.ended_at)
    began = (_written(episode.after) or "unknown", _written(episode.by) or "unknown")
    return (episode.rule, *began, written(episode.in_force_at), ended, _bounds(episode.old), _bounds(episode.new))


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1f}"


def _mean(times: ReactionTimes | None) -> str:
    return "unknown" if times is None else _bounds(times.mean)


def _longest(times: ReactionTimes | None) -> str:
    return "unknown" if times is None else _bounds(times.longest)


def _bounds(delay: Delay | None) -> str:
    return "unknown" if delay is None else f"{coarse(delay.low)} to {coarse(delay.high)}"


def _behaviour_document(behaviour: Behaviour) -> dict[str, object]:
    times = behaviour.reaction
    return {
        "calls": behaviour.calls,
        "calls_per_day": behaviour.calls_a_day,
        "minute_peak": behaviour.minute_peak,
        "host_minute_peak": behaviour.host_minute_peak,
        "flips_per_hour": behaviour.flips_an_hour,
        "reaction": None if times is None else {
            "episodes": times.episodes, "mean": _delay(times.mean), "longest": _delay(times.longest),
        },
    }  # fmt: skip


def _episode_document(episode: Episode) -> dict[str, object]:
    return {
        "rule": episode.rule,
        "in_force_at": written(episode.in_force_at),
        "ended_at": _written(episode.ended_at),
        "noticed_at": _written(episode.noticed_at),
        "began_after": _written(episode.after),
        "began_by": _written(episode.by),
        "old": _delay(episode.old),
        "new": _delay(episode.new),
    }


def _delay(delay: Delay | None) -> dict[str, float] | None:
    return None if delay is None else {"low_s": _seconds(delay.low), "high_s": _seconds(delay.high)}


def _seconds(length: timedelta) -> float:
    return length.total_seconds()


def _written(instant: datetime | None) -> str | None:
    return None if instant is None else written(instant)
