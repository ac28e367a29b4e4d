"""What is drawn of an endpoint: bands with their authors and reasons, read off what was recorded."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

from cronicorn.domain.fixtures import MIDNIGHT, an_outcome
from cronicorn.web.timeline.scene import Band, Scene, scene_of
from tests.control.world import ALICE, World, a_world

POLICY = {
    "version": 1,
    "fields": {"err": {"path": "$.err", "type": "number"}},
    "rules": [{"id": "burst", "when": "err > 5", "until": "err < 2", "action": {"interval": "30s"}}],
}


async def told(errors: list[int], **fields: Any) -> tuple[World, Scene]:
    """A world where an endpoint answered *errors*, one after the other, and what is to be drawn of it."""
    world = a_world()
    endpoint = await world.endpoint(minIntervalMs=10_000, **fields)
    for each in errors:
        at = await world.next_run_at(endpoint)
        assert at is not None
        world.clock.instant = at
        await world.run_due(an_outcome(body=f'{{"err": {each}}}', body_is_json=True))
    until = world.clock.now() + timedelta(minutes=2)
    return world, scene_of(await world.control.timelines.show(ALICE, endpoint.id, MIDNIGHT, until))


async def test_a_rule_that_came_and_went_is_a_band_with_its_name() -> None:
    world, scene = await told([0, 9, 9, 9, 1, 0, 0], policy=POLICY)

    (band,) = [each for each in scene.bands if each.author == "rule"]
    assert (band.kind, band.why) == ("interval", "burst")
    assert band.since - (MIDNIGHT + timedelta(minutes=2)) < timedelta(milliseconds=10)  # When the answer was there.
    assert band.until == MIDNIGHT + timedelta(minutes=3, seconds=30)
    assert [run.gap for run in scene.runs][:4] == [None, *[timedelta(seconds=each) for each in (60, 30, 30)]]
    assert scene.low == timedelta(seconds=10)
    assert world.clock.now() <= scene.until


async def test_a_hint_that_counts_is_a_band_until_it_ends_and_is_told_once() -> None:
    _, scene = await told([0, 9, 9], policy=POLICY)

    bands = [each for each in scene.bands if each.author == "rule"]
    ends = [(each.since, each.until) for each in bands]
    assert all(one.until <= other.since for one, other in pairwise(bands)), ends
    assert bands[-1].until == scene.until
    assert bands[-1].why.startswith("every 30s")


async def test_what_an_endpoint_is_told_by_its_answers_is_a_band_of_a_signal() -> None:
    world = a_world()
    endpoint = await world.endpoint()
    world.clock.move(minutes=1)
    await world.run_due(an_outcome(503, headers=(("retry-after", "300"),)))

    until = world.clock.now() + timedelta(minutes=10)
    scene = scene_of(await world.control.timelines.show(ALICE, endpoint.id, MIDNIGHT, until))

    assert scene.bands
    assert {each.author for each in scene.bands} == {"signal"}
    assert isinstance(scene.bands[0], Band)
    assert [(run.fared, run.told.partition(",")[0]) for run in scene.runs] == [("failed", "503")]
