"""Hints that a person writes."""

from datetime import timedelta
from typing import Any

import pytest

from cronicorn.control.document import (
    DeferHintDocument,
    IntervalHintDocument,
    OneShotHintDocument,
    PauseDocument,
)
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.hint import Hint
from tests.control.world import ALICE, World, a_world

HOUR = timedelta(hours=1)


async def interval_hint(world: World, endpoint: JobEndpoint, **fields: Any) -> Hint:
    document = IntervalHintDocument.model_validate(fields)
    view = await world.control.hints.write_interval(ALICE, endpoint.id, document)
    return view.endpoint.state.hints[-1]


async def one_shot(world: World, endpoint: JobEndpoint, **fields: Any) -> Hint:
    document = OneShotHintDocument.model_validate(fields)
    view = await world.control.hints.write_one_shot(ALICE, endpoint.id, document)
    return view.endpoint.state.hints[-1]


async def test_a_hint_lasts_an_hour_unless_it_says_otherwise() -> None:
    world = a_world()
    endpoint = await world.endpoint()

    by_default = await interval_hint(world, endpoint, intervalMs=5_000)
    short = await interval_hint(world, endpoint, intervalMs=5_000, ttlMinutes=1)

    assert by_default.expires_at == MIDNIGHT + HOUR
    assert short.expires_at == MIDNIGHT + timedelta(minutes=1)


async def test_a_later_hint_of_a_person_replaces_the_earlier_one() -> None:
    world = a_world()
    endpoint = await world.endpoint()

    await interval_hint(world, endpoint, intervalMs=5_000)
    await interval_hint(world, endpoint, intervalMs=7_000)

    (hint,) = (await world.now_stored(endpoint)).state.hints
    assert hint.interval == timedelta(seconds=7)


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"intervalMs": 9_999}, "/intervalMs"),
        ({"intervalMs": 90_001}, "/intervalMs"),
        ({"intervalMs": 999}, "/intervalMs"),
        ({"intervalMs": 10**30}, "/intervalMs"),
        ({"intervalMs": 20_000, "ttlMinutes": 0}, "/ttlMinutes"),
        ({"intervalMs": 20_000, "ttlMinutes": 43_201}, "/ttlMinutes"),
    ],
)
async def test_an_interval_outside_its_bounds_is_refused(fields: dict[str, int], pointer: str) -> None:
    world = a_world()
    endpoint = await world.endpoint(minIntervalMs=10_000, maxIntervalMs=90_000)

    with pytest.raises(InvalidInputError) as refusal:
        await interval_hint(world, endpoint, **fields)

    assert [fault.pointer for fault in refusal.value.fields] == [pointer]
    assert (await world.now_stored(endpoint)).state.hints == ()


@pytest.mark.parametrize("interval_ms", [10_000, 90_000])
async def test_the_bounds_themselves_are_allowed(interval_ms: int) -> None:
    world = a_world()
    endpoint = await world.endpoint(minIntervalMs=10_000, maxIntervalMs=90_000)

    hint = await interval_hint(world, endpoint, intervalMs=interval_ms)

    assert hint.interval == timedelta(milliseconds=interval_ms)


async def test_of_two_ways_to_say_when_the_instant_counts() -> None:
    world = a_world()
    endpoint = await world.endpoint()

    hint = await one_shot(world, endpoint, nextRunAt="2026-01-01T00:00:30Z", nextRunInMs=5_000)

    assert hint.at == MIDNIGHT + timedelta(seconds=30)


@pytest.mark.parametrize("fields", [{}, {"nextRunAt": "2026-01-01T00:00:00Z"}, {"nextRunAt": "2025-12-31T00:00:00Z"}])
async def test_a_one_shot_without_a_future_is_refused(fields: dict[str, str]) -> None:
    world = a_world()
    endpoint = await world.endpoint()

    with pytest.raises(InvalidInputError):
        await one_shot(world, endpoint, **fields)


async def test_a_one_shot_never_lapses_before_its_time() -> None:
    world = a_world()
    endpoint = await world.endpoint(dormant=True)

    near = await one_shot(world, endpoint, nextRunInMs=60_000, ttlMinutes=5)
    far = await one_shot(world, endpoint, nextRunInMs=7_200_000, ttlMinutes=5)

    assert near.expires_at == MIDNIGHT + timedelta(minutes=5)
    assert far.expires_at == MIDNIGHT + timedelta(minutes=125)


@pytest.mark.parametrize("fields", [{}, {"until": "2025-12-31T00:00:00Z"}, {"forMs": 0}])
async def test_a_defer_without_a_future_is_refused(fields: dict[str, Any]) -> None:
    world = a_world()
    endpoint = await world.endpoint()

    with pytest.raises(InvalidInputError):
        await world.control.hints.write_defer(ALICE, endpoint.id, DeferHintDocument.model_validate(fields))


async def test_a_pause_until_a_past_instant_is_refused() -> None:
    world = a_world()
    endpoint = await world.endpoint()
    document = PauseDocument.model_validate({"pausedUntil": "2025-12-31T00:00:00Z"})

    with pytest.raises(InvalidInputError, match="future"):
        await world.control.hints.pause(ALICE, endpoint.id, document)


async def test_the_end_of_time_is_a_pause_too() -> None:
    world = a_world()
    endpoint = await world.endpoint()
    document = PauseDocument.model_validate({"pausedUntil": "9999-12-31T23:59:59.999Z"})

    view = await world.control.hints.pause(ALICE, endpoint.id, document)

    assert view.endpoint.state.plan is not None
    assert view.endpoint.state.plan.source == "paused"


@pytest.mark.parametrize(
    ("reason", "kept"),
    [(None, None), ("", None), ("  sale \n today\x00 ", "sale   today"), ("x" * 600, "x" * 500)],
)
async def test_a_reason_is_kept_on_one_line_of_500_characters(reason: str | None, kept: str | None) -> None:
    world = a_world()
    endpoint = await world.endpoint()

    hint = await interval_hint(world, endpoint, intervalMs=5_000, reason=reason)

    assert hint.reason == kept


async def test_an_archived_endpoint_cant_be_steered() -> None:
    world = a_world()
    endpoint = await world.endpoint()
    await world.control.endpoints.archive(ALICE, endpoint.id)

    with pytest.raises(InvalidInputError, match="archived"):
        await interval_hint(world, endpoint, intervalMs=5_000)
