"""Pictures are small, well-formed and say what they show."""

from xml.etree import ElementTree as ET

import pytest

from benchmarks.adaptation.plot import Line, plot
from benchmarks.adaptation.scenarios import SCENARIOS

SVG = "{http://www.w3.org/2000/svg}"


def drawn(name, lines):
    world = SCENARIOS[name](1)
    return plot(world, next(iter(world.endpoints.values())), lines)


@pytest.mark.parametrize("name", ["S1", "S7", "S10"])
def test_a_picture_of_busy_lines_is_well_formed_and_below_200_kilobytes(name):
    horizon = SCENARIOS[name](1).horizon
    restless = [t + t % 7 for t in range(30, horizon, 30)]
    lines = [Line(label=f"policy {number}", times=restless) for number in range(3)]

    text = drawn(name, lines)

    ET.fromstring(text)
    assert len(text.encode()) < 200_000


def test_a_picture_names_its_axes_its_lines_and_its_states():
    lines = [Line(label="oracle", times=[600, 1_200]), Line(label="<fixed>", times=[300])]

    tree = ET.fromstring(drawn("S1", lines))

    texts = [element.text for element in tree.iter(f"{SVG}text")]
    assert {"oracle", "<fixed>", "asked for", "normal", "surge", "critical", "hours"} <= set(texts)
    assert any(text is not None and text.startswith("S1, seed 1") for text in texts)
    assert "prefers-color-scheme:dark" in (tree.findtext(f"{SVG}style") or "")


def test_equal_gaps_in_a_row_are_one_stroke():
    steady = [Line(label="steady", times=list(range(60, 21_600, 60)))]

    text = drawn("S1", steady)

    assert text.count("H") < 40


def test_a_policy_that_never_called_is_drawn_empty():
    ET.fromstring(drawn("S1", [Line(label="silent", times=[])]))
