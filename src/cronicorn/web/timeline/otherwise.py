"""When the next run would come without each thing that moves it, one below the other."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from markupsafe import Markup

from cronicorn.domain.counterfactuals import Counterfactual
from cronicorn.domain.durations import coarse
from cronicorn.domain.plan import Plan
from cronicorn.web.timeline.svg import TimeScale, joined, tag
from cronicorn.web.words import clock, excerpt

WIDTH = 960
LEFT, RIGHT = 360.0, 840.0
ROWS_MAX = 8
_ROW = 26.0
_TOP = 14.0
_LABEL_MAX = 52


def otherwise_drawing(now: datetime, plan: Plan, otherwise: Sequence[Counterfactual]) -> Markup:
    """*plan*, made at *now*, and the first ROWS_MAX of *otherwise* that matter, as one SVG element.

    Empty where nothing is planned, or nothing moves it.
    """
    rows = [each for each in otherwise if each.matters][:ROWS_MAX]
    actual = plan.next_run_at
    if actual is None or not rows:
        return Markup()
    instants = [actual, *(each.plan.next_run_at for each in rows if each.plan.next_run_at is not None)]
    until = max(*instants, now + timedelta(seconds=1))
    scale = TimeScale(since=min(now, actual), until=until, left=LEFT, right=RIGHT)
    bottom = _TOP + _ROW * (len(rows) + 1)
    return tag(
        "svg",
        tag("title", "The next run, and when it would come otherwise", id="otherwise-title"),
        tag("desc", " ".join(_sentences(actual, rows, now)), id="otherwise-told"),
        tag("path", class_="grid", d=f"M{scale.x(actual):.1f} {_TOP:g}V{bottom:g}"),
        joined(
            tag("text", told, x=scale.x(at), y=bottom + 16, class_="axis", text_anchor="middle")
            for at, told in scale.ticks(5)
        ),
        _row(0, "as it would be planned now", scale, (actual, actual), "planned is-steered"),
        joined(
            _row(place, f"without {each.without}", scale, (actual, each.plan.next_run_at), "planned")
            for place, each in enumerate(rows, start=1)
        ),
        viewBox=f"0 0 {WIDTH} {bottom + 22:g}", class_="otherwise", role="img",
        aria_labelledby="otherwise-title otherwise-told",
    )  # fmt: skip


def _row(place: int, label: str, scale: TimeScale, between: tuple[datetime, datetime | None], kind: str) -> Markup:
    actual, at = between
    y = _TOP + _ROW * (place + 0.5)
    name = tag("text", excerpt(label, _LABEL_MAX), x=LEFT - 14, y=y + 4, text_anchor="end")
    if at is None:
        return joined((name, tag("text", "nothing would be planned", x=scale.x(actual) + 12, y=y + 4)))
    moved = tag("path", class_="line", d=f"M{scale.x(actual):.1f} {y:g}H{scale.x(at):.1f}")
    told = _moved(actual, at)
    mark = tag("circle", tag("title", f"{label}: {told or 'then'}"), class_=kind, cx=scale.x(at), cy=y, r=5)
    return joined((name, moved, mark, tag("text", told, x=max(scale.x(at), scale.x(actual)) + 12, y=y + 4)))


def _sentences(actual: datetime, rows: Sequence[Counterfactual], now: datetime) -> Iterator[str]:
    yield f"As it would be planned now: {clock(actual, now)}."
    for each in rows:
        at = each.plan.next_run_at
        yield f"Without {each.without}: {_moved(actual, at) if at is not None else 'nothing would be planned'}."


def _moved(actual: datetime, at: datetime) -> str:
    """How far *at* lies from *actual*; empty where it does not."""
    if at == actual:
        return ""
    return f"{coarse(abs(at - actual))} {'later' if at > actual else 'earlier'}"
