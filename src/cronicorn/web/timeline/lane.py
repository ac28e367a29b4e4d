"""One endpoint's coming calls on a line: marks where they can be told apart, bands where they can't."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import islice

from markupsafe import Markup

from cronicorn.domain.finding.forecast import EvenCalls, Forecast
from cronicorn.web.timeline.svg import TimeScale, joined, tag

WIDTH, HEIGHT = 720, 18
MARKS_MAX = 48
"""Of more no mark is drawn: they stand too close."""
_LABEL = 20.0
"""Half of a label."""


def lane(forecast: Forecast, scale: TimeScale) -> Markup:
    """*forecast* as one SVG element."""
    told = f"{forecast.count:,} runs" if forecast.count != 1 else "one run"
    dense = forecast.count > MARKS_MAX
    return tag(
        "svg",
        tag("path", class_="grid", d=f"M0 {HEIGHT - 1}H{WIDTH}"),
        _bands(forecast.stretches, scale) if dense else _marks(forecast, scale),
        viewBox=f"0 0 {WIDTH} {HEIGHT}", class_="lane", role="img", aria_label=told,
    )  # fmt: skip


def axis(scale: TimeScale, most: int) -> Markup:
    """The instants that lie above lanes, *most* of them at most."""
    return tag(
        "svg",
        joined(
            tag("text", name, x=scale.x(at), y=13, text_anchor="middle" if scale.x(at) > _LABEL else "start")
            for at, name in scale.ticks(most)
            if scale.x(at) < WIDTH - _LABEL
        ),
        viewBox=f"0 0 {WIDTH} {HEIGHT}", class_="lane", aria_hidden="true",
    )  # fmt: skip


def _marks(forecast: Forecast, scale: TimeScale) -> Markup:
    path = "".join(f"M{scale.x(at):.1f} 3v12" for at in islice(forecast.instants(), MARKS_MAX))
    return tag("path", class_="coming", d=path)


def _bands(stretches: Iterable[EvenCalls], scale: TimeScale) -> Markup:
    return joined(
        tag(
            "rect", class_="dense", x=scale.x(first_at), y=5.0, height=8.0,
            width=max(2.0, scale.x(last_at) - scale.x(first_at)),
        )
        for first_at, last_at in _joined(stretches, (scale.until - scale.since) / MARKS_MAX)
    )  # fmt: skip


def _joined(stretches: Iterable[EvenCalls], near: timedelta) -> list[tuple[datetime, datetime]]:
    """The ends of what is drawn as one band: what is nearer to one another than a mark could show."""
    found: list[tuple[datetime, datetime]] = []
    for first_at, last_at in (ends for stretch in stretches for ends in _ends(stretch, near)):
        if found and first_at - found[-1][1] <= near:
            found[-1] = (found[-1][0], last_at)
        else:
            found.append((first_at, last_at))
    return found


def _ends(stretch: EvenCalls, near: timedelta) -> Iterable[tuple[datetime, datetime]]:
    return [(stretch.first_at, stretch.last_at)] if stretch.step <= near else [(at, at) for at in stretch.instants()]
