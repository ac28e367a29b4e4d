"""Each instant of an endpoint is told once, whatever became of it, also while nobody has recorded that yet."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cronicorn.control.document import IntervalHintDocument, PauseDocument
from cronicorn.control.runs import UnfinishedRun
from cronicorn.control.slots import OpenState, SlotView
from cronicorn.domain.errors import NotFoundError
from cronicorn.domain.fixtures import MIDNIGHT, an_outcome
from cronicorn.domain.past_slots import SlotQuery
from cronicorn.domain.plan import Source
from cronicorn.domain.slot import SlotState
from tests.control.world import ALICE, BOB, World, a_world

MINUTE = timedelta(minutes=1)


async def slots_of(world: World, endpoint_id: str, **query: object) -> tuple[SlotView, ...]:
    asked = replace(SlotQuery(limit=100), **query)  # type: ignore[arg-type]
    return (await world.control.slots.list(ALICE, endpoint_id, asked)).slots


def states(slots: tuple[SlotView, ...]) -> list[str]:
    return [slot.state.value for slot in slots]


def instants(slots: tuple[SlotView, ...], end: int) -> list[int]:
    """The minutes up to *end* that *slots* stand for, in order."""
    told = [
        minute
        for slot in slots
        if slot.first_at is not None and slot.last_at is not None
        for minute in range(round((slot.first_at - MIDNIGHT) / MINUTE), round((slot.last_at - MIDNIGHT) / MINUTE) + 1)
    ]
    return sorted(minute for minute in told if minute <= end)


async def test_a_slot_waits_goes_on_and_is_on_record() -> None:
    world = a_world()
    endpoint = await world.endpoint(baselineCron="* * * * *")

    (waiting,) = await slots_of(world, endpoint.id)
    world.clock.move(minutes=1)
    lease = await world.claim()
    (going_on,) = await slots_of(world, endpoint.id)
    run = await world.finish(lease)
    following, ended = await slots_of(world, endpoint.id)

    assert (waiting.state, waiting.at, waiting.due_at) == (OpenState.WAITING, MIDNIGHT + MINUTE, MIDNIGHT + MINUTE)
    assert (going_on.state, going_on.number, going_on.attempts[0].id) == (OpenState.RUNNING, 1, run.id)
    assert (following.state, following.number) == (OpenState.WAITING, 2)
    assert (ended.state, ended.attempts, ended.source) == (SlotState.RAN, (run,), Source.BASELINE_CRON)
    assert {slot.first_at for slot in (waiting, going_on, ended)} == {MIDNIGHT + MINUTE}
    assert [slot.recorded for slot in (waiting, going_on, following, ended)] == [False, False, False, True]


async def test_a_retry_that_waits_or_goes_on_is_told_with_its_slot() -> None:
    world = a_world()
    endpoint = await world.endpoint(retries={"retryCount": 2, "minBackoffMs": 60_000})
    world.clock.move(minutes=1)
    failed = await world.run_due(an_outcome(500))

    (waiting,) = await slots_of(world, endpoint.id)
    due_at = await world.next_run_at(endpoint)
    assert due_at is not None
    world.clock.instant = due_at
    await world.claim()
    (going_on,) = await slots_of(world, endpoint.id)

    assert [each.id for each in waiting.attempts] == [failed.id, f"{endpoint.id}:1:2"]
    assert (waiting.state, going_on.state) == (OpenState.WAITING, OpenState.RUNNING)
    again = going_on.attempts[1]
    assert isinstance(again, UnfinishedRun)
    assert again.running
    assert waiting.at == going_on.at == failed.started_at


async def test_manual_runs_are_slots_of_their_own_that_stand_for_no_instant() -> None:
    world = a_world()
    endpoint = await world.endpoint()
    await world.control.requests.run_now(ALICE, endpoint.id)

    planned, manual = await slots_of(world, endpoint.id)
    run = await world.run_due()
    _, ended = await slots_of(world, endpoint.id)

    assert (planned.number, manual.number) == (1, 2)
    assert (manual.state, manual.source, manual.count) == (OpenState.WAITING, Source.MANUAL, 0)
    assert (ended.attempts, ended.first_at, ended.count) == ((run,), None, 0)


async def test_every_instant_is_told_once_whatever_happens() -> None:
    world = a_world()
    endpoint = await world.endpoint(baselineCron="* * * * *", overlap="buffer_one")
    await _each_minute(world, 2)
    lease = await _claim_next(world)
    world.clock.move(minutes=3)  # A long call, into which instants fall.
    await world.finish(lease)
    await _each_minute(world, 1)
    hint = IntervalHintDocument.model_validate({"intervalMs": 300_000, "ttlMinutes": 10})
    await world.control.hints.write_interval(ALICE, endpoint.id, hint)
    world.clock.move(minutes=3)
    during_hint = await slots_of(world, endpoint.id)
    hinted_until = (world.clock.now() - MIDNIGHT) // MINUTE
    await _run_next(world)
    pause = PauseDocument.model_validate({"pausedUntil": "2099-01-01T00:00:00Z"})
    await world.control.hints.pause(ALICE, endpoint.id, pause)
    world.clock.move(minutes=30)

    slots = await slots_of(world, endpoint.id)

    now = (world.clock.now() - MIDNIGHT) // MINUTE
    assert instants(during_hint, hinted_until) == list(range(1, hinted_until + 1))
    assert instants(slots, now) == list(range(1, now + 1))
    open_now = [(slot.state, slot.recorded) for slot in slots if slot.state is SlotState.SKIPPED_PAUSED]
    assert open_now == [(SlotState.SKIPPED_PAUSED, False)]
    assert {SlotState.RAN, SlotState.SUPERSEDED, SlotState.SKIPPED_OVERLAP} <= {slot.state for slot in slots}


async def test_what_is_owed_waits_as_a_range() -> None:
    world = a_world()
    endpoint = await world.endpoint(baselineCron="* * * * *", catchUp={"mode": "all", "maxRuns": 10})
    world.clock.move(minutes=4)
    await world.run_due()

    slots = await slots_of(world, endpoint.id)

    owed = [slot for slot in slots if slot.state is OpenState.WAITING]
    assert sum(slot.count for slot in owed) == 3
    assert instants(slots, 4) == [1, 2, 3, 4]


async def test_what_has_not_ended_is_told_on_the_first_page_and_inside_the_span() -> None:
    world = a_world()
    endpoint = await world.endpoint()
    await _each_minute(world, 3)
    asked = SlotQuery(limit=2)

    first = await world.control.slots.list(ALICE, endpoint.id, asked)
    second = await world.control.slots.list(ALICE, endpoint.id, replace(asked, after=first.next_after))
    past = await slots_of(world, endpoint.id, until=world.clock.now())
    future = await slots_of(world, endpoint.id, since=world.clock.now() + timedelta(seconds=1))

    assert (states(first.slots), states(second.slots)) == (["waiting", "ran", "ran"], ["ran"])
    assert second.next_after is None
    assert (states(past), states(future)) == (["ran"] * 3, ["waiting"])


async def test_nobody_else_is_told() -> None:
    world = a_world()
    endpoint = await world.endpoint()

    with pytest.raises(NotFoundError):
        await world.control.slots.list(BOB, endpoint.id, SlotQuery(limit=1))


async def _each_minute(world: World, count: int) -> None:
    for _ in range(count):
        world.clock.move(minutes=1)
        await world.run_due()


async def _claim_next(world: World):
    world.clock.move(minutes=1)
    return await world.claim()


async def _run_next(world: World) -> None:
    """Run what is due next."""
    due = await world.stores.job_store.next_due()
    assert due is not None
    world.clock.instant = max(due.due_at, world.clock.instant)
    await world.run_due()
