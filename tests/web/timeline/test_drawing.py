"""The timeline: every run once, nothing outside, hostile text as text, thousands of runs in time."""

import re
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.web.timeline.drawing import HEIGHT, WIDTH, described, drawing
from cronicorn.web.timeline.hour import Coming, hour_line
from cronicorn.web.timeline.scene import Band, Gone, RunMark, Scene
from cronicorn.web.timeline.svg import TimeScale
from cronicorn.web.timeline.table import timeline_rows
from cronicorn.web.timeline.thinning import MARKS_MAX, clustered

SVG_BYTES_MAX = 22_000
NOON, LATER = MIDNIGHT + timedelta(hours=3), MIDNIGHT + timedelta(hours=6)
_SIZES = re.compile(r"-?\d+\.?\d*")


def instants(least: datetime = MIDNIGHT - timedelta(days=2), most: datetime = LATER + timedelta(days=2)) -> Any:
    return st.datetimes(least.replace(tzinfo=None), most.replace(tzinfo=None)).map(
        lambda at: at.replace(tzinfo=MIDNIGHT.tzinfo)
    )


FARED = st.sampled_from(["success", "degraded", "failed", "canceled"])
LENGTHS = st.timedeltas(timedelta(microseconds=1), timedelta(days=400))
TEXTS = st.text(max_size=40)
RUNS = st.builds(RunMark, at=instants(MIDNIGHT, LATER), fared=FARED, gap=st.none() | LENGTHS, source=TEXTS, told=TEXTS)
EARLY, LATE = instants(MIDNIGHT, NOON), instants(NOON, LATER)
AUTHORS = st.sampled_from(["person", "rule", "model", "signal"])
BANDS = st.builds(Band, since=EARLY, until=LATE, author=AUTHORS, kind=TEXTS, why=TEXTS)
GONE = st.builds(Gone, first_at=EARLY, last_at=LATE, state=TEXTS, why=TEXTS, count=st.integers(0, 10**9))
SCENES = st.builds(
    Scene, name=TEXTS, since=st.just(MIDNIGHT), until=st.just(LATER), now=instants(),
    runs=st.lists(RUNS, max_size=160).map(lambda runs: sorted(runs, key=lambda run: run.at)),
    runs_left_out=st.integers(0, 10**6), bands=st.lists(BANDS, max_size=8), gone=st.lists(GONE, max_size=8),
    nominal=st.none() | st.lists(instants(MIDNIGHT, LATER), max_size=20),
    plans=st.lists(st.tuples(instants(MIDNIGHT, LATER), TEXTS), max_size=8),
    base=st.none() | LENGTHS, low=st.none() | LENGTHS, high=st.none() | LENGTHS,
)  # fmt: skip


@given(SCENES)
def test_every_run_is_drawn_once_and_nothing_lies_outside(scene: Scene) -> None:
    text = str(drawing(scene))
    plain = "".join(letter for letter in text if letter in "\t\n" or (letter >= " " and letter not in "\ufffe\uffff"))
    tree = ET.fromstring(plain.encode("utf-8", "replace"))

    drawn: Counter[str] = Counter()
    for group in tree.iter("g"):
        if "data-runs" in group.attrib:
            drawn[group.attrib["class"].removeprefix("run is-")] += int(group.attrib["data-runs"])
    assert drawn == Counter(run.fared for run in scene.runs)
    assert sum(row.runs for row in timeline_rows(scene)) == len(scene.runs)
    for each in tree.iter():
        for name, most in (("x", WIDTH), ("cx", WIDTH), ("y", HEIGHT), ("cy", HEIGHT)):
            if name in each.attrib:
                assert -1 <= float(each.attrib[name]) <= most, ET.tostring(each)
        if each.tag == "rect":
            assert float(each.attrib["x"]) + float(each.attrib["width"]) <= WIDTH
            assert float(each.attrib["y"]) + float(each.attrib["height"]) <= HEIGHT
    assert {each.tag for each in tree.iter()} <= {"svg", "title", "desc", "g", "path", "rect", "circle", "text"}


def many(number: int, **changes: Any) -> Scene:
    """*number* runs, evenly spread, each seventh failed."""
    gap = (LATER - MIDNIGHT) / number
    runs = [
        RunMark(
            at=MIDNIGHT + gap * place, fared="failed" if place % 7 == 3 else "success", gap=gap if place else None,
            source="baseline-interval", told="200, 12 ms", id=f"ep:{place}:1",
        )
        for place in range(number)
    ]  # fmt: skip
    values: dict[str, Any] = {"name": "stock", "since": MIDNIGHT, "until": LATER, "now": LATER, "runs": runs}
    return Scene(**values | changes)


def test_ten_thousand_runs_are_drawn_in_few_marks_and_soon() -> None:
    scene = many(10_000)

    began = time.process_time()
    text = str(drawing(scene))
    took = time.process_time() - began

    assert len(text) < SVG_BYTES_MAX
    assert sum(int(number) for number in re.findall(r'data-runs="(\d+)"', text)) == 10_000
    assert took < 2


def test_as_many_runs_as_can_be_told_apart_are_drawn_one_by_one() -> None:
    text = str(drawing(many(MARKS_MAX)))

    assert text.count('data-runs="1"') == MARKS_MAX
    assert len(text) < SVG_BYTES_MAX
    assert all(len(cluster.runs) == 1 for cluster in clustered(many(MARKS_MAX)))
    assert not all(len(cluster.runs) == 1 for cluster in clustered(many(MARKS_MAX + 1)))


def test_a_run_with_a_mark_of_its_own_is_led_to_and_a_crowd_is_counted() -> None:
    (first, *_), crowd = timeline_rows(many(3)), timeline_rows(many(10_000))

    assert (first.run_id, first.runs, first.told) == ("ep:0:1", 1, "200, 12 ms; baseline-interval")
    assert {row.run_id for row in crowd} == {None}
    assert crowd[0].gap == (LATER - MIDNIGHT) / 10_000
    assert crowd[0].told == "baseline-interval"


def test_a_failed_run_is_told_by_its_shape_and_place_and_not_by_its_colour_alone() -> None:
    text = str(drawing(many(4)))

    shapes = {each[0]: each[1:] for each in re.findall(
        r'class="run is-(\w+)".*?d="([^"]+)" transform="translate\(\S+ ([\d.]+)\)"', text
    )}  # fmt: skip
    assert shapes["success"][0] != shapes["failed"][0]
    assert float(shapes["success"][1]) < float(shapes["failed"][1])


def test_text_from_elsewhere_is_text() -> None:
    hostile = "</title></svg><script>alert(1)</script>"
    scene = many(
        3, name=hostile, bands=[Band(since=MIDNIGHT, until=LATER, author="rule", kind="interval", why=hostile)],
        gone=[Gone(first_at=MIDNIGHT, last_at=LATER, state="missed", why=hostile, count=2)], plans=[(LATER, hostile)],
    )  # fmt: skip

    text = str(drawing(scene))

    assert "<script" not in text
    assert text.count("&lt;script&gt;") == 4


def test_it_is_described_in_sentences_for_whoever_does_not_see_it() -> None:
    told = described(many(14, runs_left_out=3))

    assert told.startswith("From 00:00:00Z to 06:00:00Z: 17 runs. 12 success. 2 failed.")
    assert "Between two runs" in told
    assert 'role="img" aria-labelledby="timeline-title timeline-told"' in str(drawing(many(1)))


@given(instants(), st.timedeltas(timedelta(minutes=1), timedelta(days=92)))
def test_a_few_round_instants_stand_on_the_axis(since: datetime, span: timedelta) -> None:
    scale = TimeScale(since=since, until=since + span, left=0, right=100)

    ticks = scale.ticks()

    assert 1 <= len(ticks) <= 8
    assert all(scale.holds(at) for at, _ in ticks)
    gaps = {later - earlier for (earlier, _), (later, _) in pairwise(ticks)}
    assert len(gaps) <= 1


@pytest.mark.parametrize("span", [timedelta(minutes=1), timedelta(days=40)])
def test_the_axis_ends_where_the_calendar_does(span: timedelta) -> None:
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

    for begins in (first, last - span):
        scale = TimeScale(since=begins, until=begins + span, left=0, right=100)
        assert scale.ticks()
        assert all(scale.holds(at) for at, _ in scale.ticks())


@given(st.lists(st.builds(Coming, at=instants(), name=TEXTS, steered=st.booleans()), max_size=80))
def test_the_next_hour_holds_what_is_due_and_piles_up_what_falls_together(coming: list[Coming]) -> None:
    text = str(hour_line(MIDNIGHT, coming))

    soon = [each for each in coming if each.at <= MIDNIGHT + timedelta(hours=1)]
    assert text.count("<circle") <= len(soon)
    assert ("<circle" in text) == bool(soon)
    assert all(float(y) >= 0 for y in re.findall(r'cy="([-\d.]+)"', text))
