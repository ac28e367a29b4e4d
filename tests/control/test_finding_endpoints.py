"""Endpoints are found by how they stand, among those of one tenant."""

import pytest

from cronicorn.control import whereabouts
from cronicorn.control.document import PauseDocument
from cronicorn.control.whereabouts import EndpointStanding
from cronicorn.domain.fixtures import an_outcome
from tests.control.world import ALICE, BOB, a_world


@pytest.fixture
async def world():
    world = a_world()
    shop = await world.job(ALICE, "shop")
    failing = await world.endpoint(jobId=shop, name="stock", description="counts what is left")
    world.clock.move(minutes=1)
    await world.run_due(an_outcome(status_code=500))
    await world.endpoint(jobId=shop, name="orders", url="https://orders.example/new", dormant=True)
    paused = await world.endpoint(jobId=shop, name="prices", dormant=True)
    gone = await world.endpoint(jobId=shop, name="old", dormant=True)
    await world.endpoint(BOB, name="stock of another tenant")
    until = PauseDocument.model_validate({"pausedUntil": "2026-01-02T00:00:00Z"})
    await world.control.hints.pause(ALICE, paused.id, until)
    await world.control.endpoints.archive(ALICE, gone.id)
    assert failing.name == "stock"
    return world


@pytest.mark.parametrize(
    ("standing", "names"),
    [
        (None, ["stock", "orders", "prices"]),
        (EndpointStanding.FAILING, ["stock"]),
        (EndpointStanding.PAUSED, ["prices"]),
        (EndpointStanding.STEERED, ["prices"]),
        (EndpointStanding.ARCHIVED, ["old"]),
        (EndpointStanding.LATE, []),
    ],
)
async def test_those_that_stand_so_are_found(world, standing, names):
    found = await world.control.whereabouts.standing(ALICE, standing)

    assert [each.endpoint.name for each in found.found] == names
    assert found.complete


async def test_late_is_what_nobody_takes(world):
    world.clock.move(hours=1)

    found = await world.control.whereabouts.standing(ALICE, EndpointStanding.LATE)

    assert [each.endpoint.name for each in found.found] == ["stock"]


async def test_the_look_is_bounded_and_says_so(world, monkeypatch):
    monkeypatch.setattr(whereabouts, "SEARCHED_MAX", 2)

    found = await world.control.whereabouts.standing(ALICE)

    assert [each.endpoint.name for each in found.found] == ["stock", "orders"]
    assert not found.complete
