"""Columns: one number for each stretch of time, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cronicorn.web.timeline.svg import joined, tag

WIDTH, HEIGHT = 720, 120
_LINE, _TOP = 96.0, 18.0
_LEAST = 1.5
_LABEL_WIDTH = 85


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What one stretch of time comes to."""

    label: str
    """Of the stretch, short: it stands below the line where there is room."""
    value: int


def columns(name: str, told: Sequence[Column], *, across: int = WIDTH, alone: bool = False) -> Markup:
    """*told* as one SVG element called *name*, so much *across*.

    With *alone* nothing is written on it: for many of them in a table.
    """
    most = max((each.value for each in told), default=0)
    width, top = across / max(1, len(told)), 2.0 if alone else _TOP
    bars = [
        (place * width, max(_LEAST, (_LINE - top) * each.value / most), each)
        for place, each in enumerate(told)
        if each.value
    ]
    gap = min(2.0, width / 4)
    drawn = (
        tag("path", class_="column", d="".join(_outline(x, width - gap, high) for x, high, _ in bars))
        if alone
        else joined(
            tag(
                "rect", tag("title", f"{each.label}: {each.value:,}"), class_="column", x=x, y=_LINE - high,
                width=width - gap, height=high,
            )
            for x, high, each in bars
        )
    )  # fmt: skip
    return tag(
        "svg",
        tag("title", f"{name}: {most:,} at most"),
        drawn,
        tag("path", class_="line", d=f"M0 {_LINE:g}H{across}"),
        Markup() if alone else _labels(told, width, most, across // _LABEL_WIDTH),
        viewBox=f"0 0 {across} {_LINE + 1 if alone else HEIGHT:g}", class_="columns", role="img",
        aria_label=f"{name}: {most:,} at most",
    )  # fmt: skip


def _outline(x: float, width: float, high: float) -> str:
    return f"M{x:.1f} {_LINE:g}v-{high:.1f}h{width:.1f}v{high:.1f}z"


def _labels(told: Sequence[Column], width: float, most: int, labels: int) -> Markup:
    every = max(1, -(-len(told) // labels))
    return joined(
        [
            tag("text", f"{most:,}", x=0, y=12),
            *(
                tag("text", each.label, x=place * width, y=HEIGHT - 6)
                for place, each in enumerate(told)
                if place % every == 0
            ),
        ]
    )
