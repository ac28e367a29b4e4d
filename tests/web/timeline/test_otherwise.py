"""The drawing of what else the next run could have been."""

import re
from datetime import timedelta
from xml.etree import ElementTree as ET

from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.web.timeline.otherwise import LEFT, RIGHT, ROWS_MAX, otherwise_drawing
from tests.control.world import ALICE, a_world
from tests.web.site import a_hint


async def test_each_thing_that_moves_the_next_run_has_a_row_and_what_does_not_has_none() -> None:
    world = a_world()
    endpoint = await world.endpoint(minIntervalMs=10_000, maxIntervalMs=3_600_000)
    calm = await world.control.schedules.explain(ALICE, endpoint.id)
    await world.control.hints.write_interval(ALICE, endpoint.id, a_hint(20_000, "<sale>"))
    told = await world.control.schedules.explain(ALICE, endpoint.id)

    drawn = otherwise_drawing(told.now, told.current.plan, told.otherwise)
    circles = list(ET.fromstring(drawn).iter("circle"))

    assert otherwise_drawing(calm.now, calm.current.plan, calm.otherwise) == ""
    assert "Without the interval hint of 20s by a person: 40 s later." in drawn
    assert "minimum" not in drawn
    assert len(circles) == 2
    assert all(LEFT <= float(each.attrib["cx"]) <= RIGHT for each in circles)


async def test_many_rows_a_plan_in_the_past_and_hostile_names_are_drawn_within_bounds() -> None:
    world = a_world()
    endpoint = await world.endpoint(minIntervalMs=10_000)
    await world.control.hints.write_interval(ALICE, endpoint.id, a_hint(20_000, "x"))
    told = await world.control.schedules.explain(ALICE, endpoint.id)
    (moves,) = [each for each in told.otherwise if each.matters]
    many = [type(moves)(f"</text><script>{number}" * 9, moves.plan, matters=True) for number in range(30)]

    drawn = otherwise_drawing(MIDNIGHT + timedelta(days=400), told.current.plan, many)

    ET.fromstring(drawn)
    assert "<script>" not in drawn
    assert len(re.findall("<circle", drawn)) == ROWS_MAX + 1
