"""Whether the store works is told in time, and asked once for all who want to know."""

import asyncio
import gc
from datetime import timedelta

import pytest

from cronicorn.api import readiness
from cronicorn.api.readiness import Readiness
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.ports import StoreHealth

AWAY = UnavailableError("The store is away.")


class SlowHealth(StoreHealth):
    """Answers when told to."""

    def __init__(self) -> None:
        self.answers: list[asyncio.Future[None]] = []

    async def ping(self) -> None:
        answer = asyncio.get_running_loop().create_future()
        self.answers.append(answer)
        await answer

    async def overdue(self, by: timedelta) -> int:
        raise NotImplementedError


@pytest.fixture
def health() -> SlowHealth:
    return SlowHealth()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "ANSWER_WITHIN_S", 0.01)


async def _asked(check: Readiness, count: int) -> list[asyncio.Task[None]]:
    asking = [asyncio.create_task(check.check()) for _ in range(count)]
    for _ in range(5):
        await asyncio.sleep(0)
    return asking


async def test_all_who_ask_at_the_same_time_share_one_look(health: SlowHealth) -> None:
    asking = await _asked(Readiness(health), 20)

    assert len(health.answers) == 1
    health.answers[0].set_result(None)
    await asyncio.gather(*asking)


async def test_all_who_share_a_look_hear_why_the_store_is_not_ready(health: SlowHealth) -> None:
    asking = await _asked(Readiness(health), 3)

    health.answers[0].set_exception(AWAY)

    assert await asyncio.gather(*asking, return_exceptions=True) == [AWAY] * 3


async def test_who_asks_after_an_answer_gets_a_look_of_their_own(health: SlowHealth) -> None:
    check = Readiness(health)
    [first] = await _asked(check, 1)
    health.answers[0].set_exception(AWAY)
    with pytest.raises(UnavailableError):
        await first

    [second] = await _asked(check, 1)
    health.answers[1].set_result(None)

    await second


@pytest.mark.usefixtures("at_once")
async def test_a_store_that_says_nothing_is_not_ready_and_not_asked_again_before_it_does(health: SlowHealth) -> None:
    check = Readiness(health)
    for _ in range(3):
        with pytest.raises(UnavailableError, match="has not answered for"):
            await check.check()
    assert len(health.answers) == 1

    [asking] = await _asked(check, 1)
    health.answers[0].set_result(None)

    await asking


async def test_who_stops_asking_leaves_the_look_to_others(health: SlowHealth) -> None:
    first, second = await _asked(Readiness(health), 2)

    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    health.answers[0].set_result(None)

    await second


@pytest.mark.usefixtures("at_once")
async def test_a_look_that_fails_when_nobody_asks_any_more_is_no_surprise(health: SlowHealth) -> None:
    surprises: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: surprises.append(context))
    check = Readiness(health)
    with pytest.raises(UnavailableError):
        await check.check()

    health.answers[0].set_exception(UnavailableError("The store is away."))
    for _ in range(5):
        await asyncio.sleep(0)
    del check
    health.answers.clear()
    gc.collect()

    assert surprises == []


def test_the_bound_is_what_the_reference_says() -> None:
    assert 0 < readiness.ANSWER_WITHIN_S < 2
