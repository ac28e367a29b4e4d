"""Counts side by side: good ones above the line, bad ones below it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from cronicorn.web.timeline.svg import joined, tag

WIDTH, HEIGHT = 240, 56
_LINE = 40.0
_ABOVE, _BELOW = 36.0, 14.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What began in one hour."""

    at: datetime
    good: int
    bad: int


def bars(name: str, told: Sequence[Bar]) -> Markup:
    """*told* as one SVG element called *name*."""
    most = max((max(each.good, each.bad) for each in told), default=0)
    good, bad = sum(each.good for each in told), sum(each.bad for each in told)
    width = WIDTH / max(1, len(told))
    return tag(
        "svg",
        tag("title", f"{name}: {good:,} succeeded, {bad:,} failed"),
        tag("path", class_="line", d=f"M0 {_LINE:g}H{WIDTH}"),
        joined(_bar(each, place * width, width - 2, most) for place, each in enumerate(told) if each.good or each.bad),
        viewBox=f"0 0 {WIDTH} {HEIGHT}", class_="bars", role="img", aria_label=f"{name}: {good:,} good, {bad:,} bad",
    )  # fmt: skip


def _bar(each: Bar, x: float, width: float, most: int) -> Markup:
    up, down = _ABOVE * each.good / most, _BELOW * each.bad / most
    return tag(
        "g",
        tag("title", f"{each.at:%H:%M}Z: {each.good:,} succeeded, {each.bad:,} failed"),
        tag("rect", class_="is-success", x=x, y=_LINE - max(up, 1.5), width=width, height=max(up, 1.5))
        if each.good
        else Markup(),
        tag("rect", class_="is-failed", x=x, y=_LINE + 1, width=width, height=max(down, 2.0)) if each.bad else Markup(),
    )
