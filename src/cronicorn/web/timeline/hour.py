"""The next hour as a line: what is due when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from cronicorn.control.overviews import LOOKED_AHEAD
from cronicorn.web.timeline.svg import TimeScale, joined, tag
from cronicorn.web.words import clock

WIDTH, HEIGHT = 960, 96
_LINE = 70.0
_STEP = 9.0
_COLUMN = 9.0
_STACK = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """A run that is planned."""

    at: datetime
    name: str
    """Of job and endpoint."""
    steered: bool
    """Whether a hint counts for the endpoint."""


def hour_line(now: datetime, coming: Sequence[Coming]) -> Markup:
    """Those of *coming* that are due within an hour of *now*, as one SVG element; what is overdue stands at the left.

    What falls on one place is piled up; of a pile that is too high the last mark tells how many there are.
    """
    scale = TimeScale(since=now, until=now + LOOKED_AHEAD, left=8.0, right=WIDTH - 8.0)
    soon = [each for each in sorted(coming, key=lambda each: each.at) if each.at <= scale.until]
    piles: dict[int, list[Coming]] = {}
    for each in soon:
        piles.setdefault(int(scale.x(each.at) // _COLUMN), []).append(each)
    highest = min(_STACK, max(map(len, piles.values()), default=1))
    top = _LINE - 18 - (highest - 1) * _STEP
    told = f"{len(soon)} planned within the hour." if soon else "Nothing is planned within the hour."
    return tag(
        "svg",
        tag("title", "The next hour", id="hour-title"),
        tag("desc", told, id="hour-told"),
        tag("path", class_="line", d=f"M8 {_LINE:g}H{WIDTH - 8}"),
        joined(
            tag("text", name, x=scale.x(at), y=_LINE + 20, class_="axis", text_anchor="middle")
            for at, name in scale.ticks(7)
            if 20 < scale.x(at) < WIDTH - 20  # noqa: PLR2004 - so wide is half a label
        ),
        joined(_mark(pile, height, now, scale) for pile in piles.values() for height in range(min(len(pile), _STACK))),
        viewBox=f"0 {top:g} {WIDTH} {HEIGHT - top:g}", class_="hour", role="img",
        aria_labelledby="hour-title hour-told",
    )  # fmt: skip


def _mark(pile: Sequence[Coming], height: int, now: datetime, scale: TimeScale) -> Markup:
    each = pile[height]
    more = len(pile) - _STACK
    told = f"{clock(each.at, now)} {each.name}"
    if height == _STACK - 1 and more > 0:
        told = f"{more + 1} more"
    return tag(
        "circle", tag("title", told), cx=scale.x(pile[0].at), cy=_LINE - 9 - height * _STEP, r=3.5,
        class_="planned is-steered" if each.steered else "planned",
    )  # fmt: skip
