"""The timeline of an endpoint as SVG.

From top to bottom: bands of hints with their authors, the distance between runs on a logarithmic scale between its
guardrails, runs (good ones above the line, bad ones below it), instants that did not run, the baseline's own instants,
and the time. Shapes and places tell what colours tell.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from math import log

from markupsafe import Markup

from cronicorn.domain.durations import show_duration
from cronicorn.web.timeline.scene import Band, Scene
from cronicorn.web.timeline.svg import TimeScale, joined, tag
from cronicorn.web.timeline.thinning import MARKS_MAX, Cluster, cadence, clustered
from cronicorn.web.words import clock

WIDTH, HEIGHT = 960, 308
LEFT, RIGHT = 64.0, 948.0
_BANDS = 16.0
_BAND_ROWS = 3
_BAND_HEIGHT = 18.0
_CADENCE_TOP, _CADENCE_BOTTOM = 84.0, 184.0
_RUNS = 224.0
_BAR = 24.0
_GONE = 258.0
_TICKS = 276.0
_AXIS = 298.0
_TIGHT = 46.0
"""Pixels that the name of an author needs."""
_GAPS = tuple(
    timedelta(seconds=seconds)
    for seconds in (1, 5, 15, 60, 300, 900, 3_600, 21_600, 86_400, 604_800, 2_592_000, 31_536_000)
)
_GOOD = {"success", "degraded"}
_SHAPES = {
    "success": "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0",
    "degraded": "M0-5.5 5.5 0 0 5.5-5.5 0z",
    "failed": "M0 5.5-5.5-4.5h11z",
    "canceled": "M-4-4h8v8h-8z",
}
_LIFT = {"success": -9.0, "degraded": -9.0, "failed": 9.0, "canceled": 9.0}


def drawing(scene: Scene) -> Markup:
    """*scene* as one SVG element with a title and a description."""
    scale = TimeScale(since=scene.since, until=scene.until, left=LEFT, right=RIGHT)
    clusters = clustered(scene)
    return tag(
        "svg",
        tag("title", f"Timeline of {scene.name}", id="timeline-title"),
        tag("desc", described(scene), id="timeline-told"),
        joined(_time(scale)),
        joined(_bands(scene.bands, scale)),
        joined(_cadence(scene, scale)),
        tag("path", class_="line", d=f"M{LEFT:g} {_RUNS:g}H{RIGHT:g}"),
        joined(_runs(clusters, scene, scale)),
        joined(_gone(scene, scale)),
        joined(_nominal(scene, scale)),
        joined(_coming(scene, scale)),
        viewBox=f"0 0 {WIDTH} {HEIGHT}", class_="timeline", role="img",
        aria_labelledby="timeline-title timeline-told",
    )  # fmt: skip


def described(scene: Scene) -> str:
    """What *scene* shows, in a few sentences."""
    runs = len(scene.runs) + scene.runs_left_out
    parts = [f"From {clock(scene.since, scene.now)} to {clock(scene.until, scene.now)}: {_many(runs, 'run')}."]
    for fared in _SHAPES:
        number = sum(run.fared == fared for run in scene.runs)
        parts += [f"{number} {fared}."] if number else []
    gaps = sorted(gap for _, gap in cadence(scene))
    if gaps:
        parts.append(f"Between two runs {_rounded(gaps[0])} at least and {_rounded(gaps[-1])} at most.")
    parts += [f"{_many(len(scene.bands), 'hint')} counted."] if scene.bands else []
    parts += [f"{_many(len(scene.gone), 'stretch', 'stretches')} without a call."] if scene.gone else []
    return " ".join(parts)


def _time(scale: TimeScale) -> Iterator[Markup]:
    for at, told in scale.ticks():
        x = scale.x(at)
        yield tag("path", class_="grid", d=f"M{x:.1f} {_CADENCE_TOP:g}V{_TICKS:g}")
        yield tag("text", told, x=x, y=_AXIS + 6, class_="axis", text_anchor="middle")


def _bands(bands: Sequence[Band], scale: TimeScale) -> Iterator[Markup]:
    ends = [float("-inf")] * _BAND_ROWS
    for band in sorted(bands, key=lambda each: each.since):
        left, right = scale.x(band.since), scale.x(band.until)
        row = next((place for place, end in enumerate(ends) if end <= left), _BAND_ROWS - 1)
        ends[row] = max(ends[row], right)
        y, width = _BANDS + row * (_BAND_HEIGHT + 3), max(2.0, right - left)
        left = min(left, RIGHT - width)
        told = f"{band.kind} hint by a {band.author}" + (f": {band.why}" if band.why else "")
        name = tag("text", band.author, x=left + 6, y=y + 13, class_="on-band") if width >= _TIGHT else Markup()
        box = tag("rect", x=left, y=y, width=width, height=_BAND_HEIGHT, rx=3)
        yield tag("g", tag("title", told), box, name, class_=f"band by-{band.author}")


def _cadence(scene: Scene, scale: TimeScale) -> Iterator[Markup]:
    points = cadence(scene)
    known = [gap for _, gap in points] + [each for each in (scene.base, scene.low, scene.high) if each]
    if not known:
        yield tag("text", "No two runs yet", x=LEFT + 8, y=(_CADENCE_TOP + _CADENCE_BOTTOM) / 2, class_="axis")
        return
    least, most = min(known) / 1.5, max(known) * 1.5
    for gap in _GAPS:
        if least <= gap <= most:
            y = _height(gap, least, most)
            yield tag("path", class_="grid", d=f"M{LEFT:g} {y:.1f}H{RIGHT:g}")
            yield tag("text", show_duration(gap), x=LEFT - 8, y=y + 4, class_="axis", text_anchor="end")
    yield from _rails(scene, least, most)
    if points:
        first, path = scale.x(points[0][0] - points[0][1]), []
        for at, gap in points:
            path.append(f"{_height(gap, least, most):.1f}H{scale.x(at):.1f}")
        yield tag("path", class_="cadence", d=f"M{first:.1f} " + "V".join(path))


def _rails(scene: Scene, least: timedelta, most: timedelta) -> Iterator[Markup]:
    """Where no hint may drive the endpoint, and its own pace."""
    width = RIGHT - LEFT
    if scene.high is not None:
        y = _height(scene.high, least, most)
        yield tag("rect", class_="rail", x=LEFT, y=_CADENCE_TOP, width=width, height=max(0.0, y - _CADENCE_TOP))
        yield tag("text", f"maximum {show_duration(scene.high)}", x=LEFT + 6, y=y + 12, class_="rail-name")
    if scene.low is not None:
        y = _height(scene.low, least, most)
        yield tag("rect", class_="rail", x=LEFT, y=y, width=width, height=max(0.0, _CADENCE_BOTTOM - y))
        yield tag("text", f"minimum {show_duration(scene.low)}", x=LEFT + 6, y=y - 4, class_="rail-name")
    if scene.base is not None:
        y = _height(scene.base, least, most)
        yield tag("path", class_="base", d=f"M{LEFT:g} {y:.1f}H{RIGHT:g}")
        told = f"baseline {show_duration(scene.base)}"
        yield tag("text", told, x=RIGHT - 6, y=y - 4, class_="rail-name", text_anchor="end")


def _height(gap: timedelta, least: timedelta, most: timedelta) -> float:
    """Where *gap* lies: long ones above short ones."""
    share = log(gap / least) / log(most / least)
    return _CADENCE_BOTTOM - min(1.0, max(0.0, share)) * (_CADENCE_BOTTOM - _CADENCE_TOP)


def _runs(clusters: Sequence[Cluster], scene: Scene, scale: TimeScale) -> Iterator[Markup]:
    if len(scene.runs) <= MARKS_MAX:
        for cluster in clusters:
            (run,) = cluster.runs
            told = f"{clock(run.at, scene.now)} {run.fared}, {run.told}, {run.source}"
            place = f"translate({scale.x(run.at):.1f} {_RUNS + _LIFT[run.fared]:g})"
            shape = tag("path", tag("title", told), d=_SHAPES[run.fared], transform=place)
            yield tag("g", shape, class_=f"run is-{run.fared}", data_runs=1)
        return
    most = max(len(cluster.runs) for cluster in clusters)
    heights: dict[tuple[int, bool], float] = {}
    for cluster in clusters:
        yield _bar(cluster, most, scene, scale, heights)


def _bar(cluster: Cluster, most: int, scene: Scene, scale: TimeScale, heights: dict[tuple[int, bool], float]) -> Markup:
    good, number = cluster.fared in _GOOD, len(cluster.runs)
    x = min(scale.x(cluster.middle), RIGHT - 8.0)
    below = heights.get((round(x), good), 0.0)
    height = min(max(2.0, _BAR * number / most), _BAR - below)
    heights[round(x), good] = below + height
    y = _RUNS - below - height if good else _RUNS + below
    between = f"{clock(cluster.first_at, scene.now)} to {clock(cluster.last_at, scene.now)}"
    told = tag("title", f"{between}: {number} {cluster.fared}")
    box = tag("rect", told, x=x, y=y, width=8, height=height)
    return tag("g", box, class_=f"run is-{cluster.fared}", data_runs=number)


def _gone(scene: Scene, scale: TimeScale) -> Iterator[Markup]:
    for each in scene.gone:
        left, right = scale.x(each.first_at), scale.x(each.last_at)
        left = min(left, RIGHT - 4)
        told = tag("title", f"{_many(each.count, 'instant')} {each.state}: {each.why}")
        yield tag("rect", told, class_="gone", x=left, y=_GONE - 4, width=max(4.0, right - left), height=8)


def _nominal(scene: Scene, scale: TimeScale) -> Iterator[Markup]:
    marks = [f"M{scale.x(at):.1f} {_TICKS:g}v7" for at in scene.nominal or ()]
    if marks:
        yield tag("path", class_="nominal", d="".join(marks))
    yield tag("text", "runs", x=LEFT - 8, y=_RUNS + 4, class_="axis", text_anchor="end")
    yield tag("text", "skipped", x=LEFT - 8, y=_GONE + 4, class_="axis", text_anchor="end")
    yield tag("text", "baseline", x=LEFT - 8, y=_TICKS + 7, class_="axis", text_anchor="end")


def _coming(scene: Scene, scale: TimeScale) -> Iterator[Markup]:
    for at, source in scene.plans:
        told = tag("title", f"{clock(at, scene.now)} planned, {source}")
        yield tag("circle", told, class_="planned", cx=scale.x(at), cy=_RUNS, r=3.5)
    if scale.holds(scene.now):
        x = scale.x(scene.now)
        yield tag("path", class_="now", d=f"M{x:.1f} {_BANDS - 2:g}V{_TICKS + 7:g}")
        yield tag("text", "now", x=x, y=_BANDS - 5, class_="now-name", text_anchor="middle")


def _many(number: int, one: str, more: str = "") -> str:
    return f"{number:,} {one if number == 1 else more or one + 's'}"


def _rounded(gap: timedelta) -> str:
    return show_duration(timedelta(seconds=max(1, round(gap.total_seconds()))))
