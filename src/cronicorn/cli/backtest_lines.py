"""A backtest in lines for people, and as an object for programs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from cronicorn.cli.columns import columns
from cronicorn.cli.showing import cell, snaked
from cronicorn.domain.durations import coarse

_EPISODES_SHOWN = 20


def backtest_lines(name: str, backtest: Mapping[str, Any]) -> list[str]:
    """What there is to say of the *backtest* of the endpoint *name*."""
    lines = [f"{name}: {_record(backtest)}", ""]
    if backtest["firstAt"] is not None:
        compared = _compared(backtest["old"], backtest["new"])
        lines += [*columns(("", "AS IT HAPPENED", "UNDER THE POLICY"), list(compared)), ""]
    if backtest["rules"]:
        rules = list(map(_rule, backtest["rules"]))
        lines += [*columns(("RULE", "IN FORCE", "FOR", "ASKED", "UNKNOWN", "UNSEEN"), rules), ""]
    if backtest["episodes"]:
        headings = ("EPISODE", "BEGAN AFTER", "BY", "IN FORCE", "UNTIL", "OLD DELAY", "NEW DELAY")
        lines += [*columns(headings, list(map(_episode, backtest["episodes"][:_EPISODES_SHOWN]))), ""]
    more = backtest["episodesCount"] - _EPISODES_SHOWN
    if more > 0:
        lines += [f"... and {more} more.", ""]
    return [*lines, cell(backtest["because"]), *map(cell, backtest["remarks"])]


def backtest_document(name: str, backtest: Mapping[str, Any]) -> dict[str, object]:
    """The *backtest* of the endpoint *name*, with the keys that `cronicorn backtest --json` prints."""
    return {
        "name": name,
        "id": backtest["endpointId"],
        **snaked(backtest, "since", "until", "first_at", "last_at", "recorded_runs"),
        "longest_gap_s": backtest["longestGapMs"] / 1_000,
        **snaked(backtest, "conclusion", "because", "remarks"),
        "calls_together": backtest["callsTogether"],
        "old": _behaviour_document(backtest["old"]),
        "new": _behaviour_document(backtest["new"]),
        "rules": [
            {
                **snaked(rule, "rule", "entered"),
                "in_force_s": rule["inForceMs"] / 1_000,
                **snaked(rule, "answers", "unknown", "unseen"),
            }
            for rule in backtest["rules"]
        ],
        "episodes_count": backtest["episodesCount"],
        "episodes": list(map(_episode_document, backtest["episodes"])),
    }  # fmt: skip


def _record(backtest: Mapping[str, Any]) -> str:
    if backtest["firstAt"] is None:
        return f"no run is recorded since {cell(backtest['since'])}"
    gap = backtest["longestGapMs"]
    apart = f", at most {_length(gap)} apart" if gap > 0 else ""
    return f"{backtest['recordedRuns']} recorded runs, {cell(backtest['firstAt'])} to {cell(backtest['lastAt'])}{apart}"


def _compared(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for heading, field, shown in _MEASURES:
        yield heading, shown(old[field]), shown(new[field])
    for which in ("mean", "longest"):
        yield f"reaction, {which}", _reaction(old, which), _reaction(new, which)


def _rule(rule: Mapping[str, Any]) -> Sequence[str]:
    counts = (str(rule[name]) for name in ("answers", "unknown", "unseen"))
    return (cell(rule["rule"]), _times(rule["entered"]), _length(rule["inForceMs"]), *counts)


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1f}"


_MEASURES: Sequence[tuple[str, str, Callable[[Any], str]]] = (
    ("calls", "calls", str),
    ("calls a day", "callsPerDay", _number),
    ("most within 60 seconds", "minutePeak", str),
    ("its host's most in a minute of the clock", "hostMinutePeak", str),
    ("flips an hour", "flipsPerHour", _number),
)
"""What is told of both behaviours: the heading, the field, and how it is shown."""


def _times(count: int) -> str:
    return {0: "never", 1: "once"}.get(count, f"{count} times")


def _episode(episode: Mapping[str, Any]) -> Sequence[str]:
    began = (cell(episode[name] or "unknown") for name in ("beganAfter", "beganBy"))
    ended = cell(episode["endedAt"] or "the end")
    delays = (_bounds(episode[name]) for name in ("old", "new"))
    return (cell(episode["rule"]), *began, cell(episode["inForceAt"]), ended, *delays)


def _reaction(behaviour: Mapping[str, Any], which: str) -> str:
    times = behaviour["reaction"]
    return "unknown" if times is None else _bounds(times[which])


def _bounds(delay: Mapping[str, Any] | None) -> str:
    return "unknown" if delay is None else f"{_length(delay['lowMs'])} to {_length(delay['highMs'])}"


def _length(milliseconds: float) -> str:
    return coarse(timedelta(milliseconds=milliseconds))


def _behaviour_document(behaviour: Mapping[str, Any]) -> dict[str, object]:
    times = behaviour["reaction"]
    reaction = times and {
        "episodes": times["episodes"], "mean": _delay(times["mean"]), "longest": _delay(times["longest"])
    }  # fmt: skip
    told = snaked(behaviour, "calls", "calls_per_day", "minute_peak", "host_minute_peak", "flips_per_hour")
    return {**told, "reaction": reaction}


def _episode_document(episode: Mapping[str, Any]) -> dict[str, object]:
    instants = snaked(episode, "rule", "in_force_at", "ended_at", "noticed_at", "began_after", "began_by")
    return {**instants, "old": _delay(episode["old"]), "new": _delay(episode["new"])}


def _delay(delay: Mapping[str, Any] | None) -> dict[str, float] | None:
    return None if delay is None else {"low_s": delay["lowMs"] / 1_000, "high_s": delay["highMs"] / 1_000}
