"""What a replay tells, as SVG: calls as they were above the line, as they would be below it, and rules in force.

What lies between two recorded runs is known as two bounds: it is drawn as a span, never as one point.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup

from cronicorn.domain.instant import EPOCH, MINUTE, ZERO, minute_of
from cronicorn.domain.replay.replayed import Behaviour, Delay, Episode, ReactionTimes, Replayed
from cronicorn.domain.wording import length
from cronicorn.web.timeline.svg import TimeScale, joined, tag

WIDTH = 960
LEFT, RIGHT = 120.0, 948.0
SLICES = 72
TABLE_ROWS = 12
RULES_DRAWN = 6
_ROW = 22.0
_BAR = 44.0
_TOP = 8.0
_NAME_SHOWN = 16
_HALF_NAME = 24.0
"""Half of the width of an instant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallsSlice:
    """How often an endpoint was called in a part of a replay, and would have been."""

    since: datetime
    until: datetime
    old: int
    new: int


def slices_of(replayed: Replayed, most: int) -> list[CallsSlice]:
    """The replay in at most *most* parts of equal length, of whole minutes each; none where nothing is recorded."""
    if replayed.first_at is None or replayed.last_at is None:
        return []
    first = minute_of(replayed.first_at)
    minutes = minute_of(replayed.last_at) - first + 1
    step = -(-minutes // most)
    old, new = (_calls(each, first, step) for each in (replayed.old, replayed.new))
    return [
        CallsSlice(
            since=EPOCH + begin * MINUTE, until=EPOCH + (begin + step) * MINUTE,
            old=old[place], new=new[place],
        )
        for place, begin in enumerate(range(first, first + minutes, step))
    ]  # fmt: skip


def _calls(behaviour: Behaviour, first: int, step: int) -> Counter[int]:
    calls: Counter[int] = Counter()
    for minute, number in behaviour.by_minute.items():
        calls[(minute - first) // step] += number
    return calls


def replay_drawing(replayed: Replayed) -> Markup | None:
    """*replayed* as one SVG element; None where no call was planned or would have been."""
    slices = slices_of(replayed, SLICES)
    if not any(each.old or each.new for each in slices):
        return None
    rules = [rule.rule for rule in replayed.rules][:RULES_DRAWN]
    line = _TOP + len(rules) * _ROW + _BAR + 14
    scale = TimeScale(since=slices[0].since, until=slices[-1].until, left=LEFT, right=RIGHT)
    bottom = line + _BAR + 22
    return tag(
        "svg",
        tag("title", "Calls as they were, and under these rules", id="replay-title"),
        tag("desc", _described(replayed, slices), id="replay-told"),
        joined(_ticks(scale, line, bottom)),
        joined(_bands(replayed.episodes, rules, scale)),
        joined(_bars(slices, scale, line)),
        viewBox=f"0 0 {WIDTH} {bottom + 6:g}", class_="replay", role="img",
        aria_labelledby="replay-title replay-told",
    )  # fmt: skip


def _described(replayed: Replayed, slices: Sequence[CallsSlice]) -> str:
    peak = max(slices, key=lambda each: each.new)
    span = length(slices[0].until - slices[0].since)
    return (
        f"{replayed.old.calls:,} calls as it happened, {replayed.new.calls:,} under these rules; with these at most "
        f"{peak.new:,} within {span}, from {peak.since:%d %b %H:%M}Z on. Rules would have come into force "
        f"{replayed.episodes_count:,} times."
    )


def _ticks(scale: TimeScale, line: float, bottom: float) -> Iterator[Markup]:
    for at, told in scale.ticks():
        x = scale.x(at)
        yield tag("path", class_="grid", d=f"M{x:.1f} {_TOP:g}V{bottom - 14:g}")
        if x < RIGHT - _HALF_NAME:
            yield tag("text", told, x=x, y=bottom, text_anchor="middle")
    yield tag("text", "as it happened", x=LEFT - 8, y=line - _BAR / 2 + 4, text_anchor="end")
    yield tag("text", "these rules", x=LEFT - 8, y=line + _BAR / 2 + 4, text_anchor="end")


def _bands(episodes: Sequence[Episode], rules: Sequence[str], scale: TimeScale) -> Iterator[Markup]:
    for row, rule in enumerate(rules):
        y = _TOP + row * _ROW
        name = rule if len(rule) <= _NAME_SHOWN else f"{rule[:_NAME_SHOWN]}…"
        yield tag("text", name, x=LEFT - 8, y=y + 13, text_anchor="end")
        yield tag("path", class_="line", d=f"M{LEFT:g} {y + _ROW - 4:g}H{RIGHT:g}")
        own = [each for each in episodes if each.rule == rule]
        boxes = "".join(_box(each, scale, y) for each in own)
        unsure = "".join(_onset(each, scale, y) for each in own)
        if own:
            in_force = tag("path", tag("title", f"{rule} in force"), class_="box", d=boxes)
            begun = tag(
                "path", tag("title", "its condition began to hold within this"), class_="unsure", d=unsure or "M0 0"
            )
            yield tag("g", begun, in_force, class_="band by-rule")


def _box(episode: Episode, scale: TimeScale, y: float) -> str:
    left = scale.x(episode.in_force_at)
    width = max(2.0, (scale.x(episode.ended_at) if episode.ended_at is not None else RIGHT) - left)
    return f"M{min(left, RIGHT - width):.1f} {y + 2:g}h{width:.1f}v{_ROW - 8:g}h-{width:.1f}z"


def _onset(episode: Episode, scale: TimeScale, y: float) -> str:
    if episode.after is None or episode.by is None:
        return ""
    begun = scale.x(episode.after)
    return f"M{begun:.1f} {y + _ROW - 4:g}H{max(begun + 1, scale.x(episode.by)):.1f}"


def _bars(slices: Sequence[CallsSlice], scale: TimeScale, line: float) -> Iterator[Markup]:
    most = max(1, *(max(each.old, each.new) for each in slices))
    old = "".join(_bar(each, each.old, -_BAR / most, scale, line) for each in slices)
    new = "".join(_bar(each, each.new, _BAR / most, scale, line) for each in slices)
    yield tag("path", class_="was", d=old or "M0 0")
    yield tag("path", class_="would", d=new or "M0 0")
    yield tag("path", class_="line", d=f"M{LEFT:g} {line:g}H{RIGHT:g}")
    yield tag("text", f"{most:,} in {length(slices[0].until - slices[0].since)}", x=LEFT, y=line - _BAR - 3)


def _bar(each: CallsSlice, calls: int, unit: float, scale: TimeScale, line: float) -> str:
    if not calls:
        return ""
    left = scale.x(each.since)
    width = max(1.0, scale.x(each.until) - left - 1)
    return f"M{left:.0f} {line:g}v{calls * unit:.1f}h{width:.0f}v{-calls * unit:.1f}z"


def reaction_drawing(old: Behaviour, new: Behaviour) -> Markup | None:
    """How long conditions held before a call found them so, as spans between bounds; None where nobody can tell."""
    rows = (("as it happened", "was", old.reaction), ("these rules", "would", new.reaction))
    known = [(name, kind, times) for name, kind, times in rows if times is not None]
    most = max((times.longest.high for _, _, times in known), default=ZERO)
    if not known or most == ZERO:
        return None
    told = "; ".join(
        f"{name}: {_between(times.mean)} on average, {_between(times.longest)} at the longest"
        for name, _, times in known
    )
    marks = [
        mark
        for row, (name, kind, times) in enumerate(known)
        for mark in _reaction(name, times, kind, _TOP + row * _ROW, most)
    ]
    bottom = _TOP + len(known) * _ROW + 14
    axis = (
        tag("text", "0", x=LEFT, y=bottom), tag("text", length(most), x=RIGHT, y=bottom, text_anchor="end"),
    )  # fmt: skip
    return tag(
        "svg", tag("title", "How soon a change is noticed", id="reaction-title"), tag("desc", told, id="reaction-told"),
        joined(marks), joined(axis), viewBox=f"0 0 {WIDTH} {bottom + 6:g}", class_="replay", role="img",
        aria_labelledby="reaction-title reaction-told",
    )  # fmt: skip


def _reaction(name: str, times: ReactionTimes, kind: str, y: float, most: timedelta) -> Iterator[Markup]:
    low, high = _x(times.mean.low, most), _x(times.mean.high, most)
    told = tag("title", f"{_between(times.mean)} on average")
    longest = f"M{_x(times.longest.low, most):.1f} {y + 9:g}H{_x(times.longest.high, most):.1f}"
    yield tag("text", name, x=LEFT - 8, y=y + 13, text_anchor="end")
    yield tag("path", class_="longest", d=longest)
    yield tag("rect", told, class_=kind, x=low, y=y + 3, width=max(2.0, high - low), height=12)


def _x(delay: timedelta, most: timedelta) -> float:
    return LEFT + delay / most * (RIGHT - LEFT)


def _between(delay: Delay) -> str:
    return f"{length(delay.low)} to {length(delay.high)}"
