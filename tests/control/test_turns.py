"""Turns are taken one at a time, and whoever asks often waits behind whoever asks once."""

import asyncio

import pytest

from cronicorn.control.turns import ASKED_MAX, Turns
from cronicorn.domain.errors import QuotaExceededError


async def test_turns_are_taken_one_at_a_time_and_who_asks_often_holds_nobody_up():
    turns, taken, under_way = Turns(), list[str](), list[str]()

    async def work(tenant: str) -> None:
        async with turns.turn(tenant):
            under_way.append(tenant)
            await asyncio.sleep(0)
            assert under_way == [tenant]
            under_way.remove(tenant)
            taken.append(tenant)

    async with asyncio.TaskGroup() as group:
        for tenant in ["loud"] * 5 + ["calm"]:
            group.create_task(work(tenant))

    assert taken == ["loud", "calm", "loud", "loud", "loud", "loud"]


async def test_whoever_no_longer_waits_for_a_turn_keeps_nobody_from_theirs():
    turns, taken = Turns(), list[str]()

    async def work(tenant: str) -> None:
        async with turns.turn(tenant):
            taken.append(tenant)

    async with turns.turn("a"):
        waiting = [asyncio.create_task(work(tenant)) for tenant in ("a", "b")]
        await asyncio.sleep(0)
        for each in waiting:
            each.cancel()
        await asyncio.wait(waiting)
    async with asyncio.timeout(5):
        await asyncio.gather(work("a"), work("b"))

    assert sorted(taken) == ["a", "b"]


async def test_more_than_a_tenant_can_wait_for_is_refused_at_once():
    turns, taken = Turns(), list[str]()

    async def work(tenant: str) -> None:
        async with turns.turn(tenant):
            taken.append(tenant)

    async with turns.turn("loud"), asyncio.TaskGroup() as group:
        waiting = [group.create_task(work("loud")) for _ in range(ASKED_MAX - 1)]
        await asyncio.sleep(0)
        with pytest.raises(QuotaExceededError, match="8 such requests of yours wait"):
            await work("loud")
        calm = group.create_task(work("calm"))
        await asyncio.sleep(0)
        for each in (*waiting, calm):
            each.cancel()
    await work("loud")

    assert taken == ["loud"]
