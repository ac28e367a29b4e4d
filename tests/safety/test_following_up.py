"""When a model asks to look again: it is asked then if something changed, and nobody pays where nothing did."""

from datetime import timedelta

from cronicorn.domain.analysis.watching import Occasion
from cronicorn.domain.endpoint import AnalysisSwitch
from cronicorn.testing.contracts.stores import TENANT
from tests.safety.analyst import MINUTE, ON, Analyst, an_analyst, submits
from tests.servers.model import calls

AGAIN = calls(("submit_analysis", {"reasoning": "Down.", "confidence": 0.9, "next_analysis_in_minutes": 30}))
DOWN, OK = {"status": "down"}, {"status": "ok"}


async def analysed(analyst: Analyst, switch: AnalysisSwitch = ON) -> None:
    """Learn both states; then one is analysed."""
    await analyst.watch(analysis=switch)
    for body in (DOWN, OK, DOWN):
        await analyst.answer(body, times=12)
    await look(analyst)
    await analyst.asked()


async def look(analyst: Analyst) -> None:
    analyst.clock.advance(MINUTE)
    await analyst.planner().look_once()


async def occasions(analyst: Analyst) -> list[Occasion]:
    return [each.why.occasion for each in await analyst.analyses()]


async def test_a_quiet_endpoint_is_looked_at_again_for_nothing() -> None:
    async with an_analyst(AGAIN) as analyst:
        await analysed(analyst)
        spent = await analyst.used()
        for _ in range(100):
            await analyst.answer(DOWN)
            await look(analyst)

        assert await occasions(analyst) == [Occasion.REQUEST]
        assert await analyst.used() == spent


async def test_a_change_is_analysed_from_the_instant_on_that_the_model_named_and_once() -> None:
    async with an_analyst(AGAIN) as analyst:
        await analysed(analyst)
        at = (await analyst.watches.list(TENANT, "ep1", limit=1)).follow_up_at
        await analyst.answer(OK)
        await look(analyst)
        early = await occasions(analyst)
        assert at is not None
        analyst.clock.advance(at - analyst.clock.now() - MINUTE)
        await look(analyst)
        in_time = await occasions(analyst)
        for _ in range(100):
            await analyst.answer(OK)
            await look(analyst)

        assert early == [Occasion.REQUEST]
        assert in_time == [Occasion.FOLLOW_UP, Occasion.REQUEST]
        assert (await analyst.analyses())[0].at == at
        assert await occasions(analyst) == in_time


async def test_an_analysis_without_a_word_that_can_be_seen_says_so() -> None:
    async with an_analyst(submits(reasoning=" \u200b "), submits()) as analyst:
        await analyst.watch()
        await analyst.asked()
        await analyst.asked()

        assert [(each.reasoning, each.warnings) for each in await analyst.analyses()] == [
            ("Looked.", ()), ("", ("missing_reasoning",)),
        ]  # fmt: skip


async def test_the_switch_and_the_budget_hold() -> None:
    async with an_analyst(AGAIN, limit=10_000) as analyst:
        await analysed(analyst)
        await analyst.quota.record_usage(TENANT, 9_000)
        await analyst.answer(OK, times=31)
        await look(analyst)

        assert len(analyst.model.asked) == 1
        assert (await analyst.watches.list(TENANT, "ep1", limit=1)).follow_up_at is not None


async def test_a_longer_cooldown_puts_off_what_the_model_wants() -> None:
    async with an_analyst(AGAIN) as analyst:
        await analysed(analyst, AnalysisSwitch(enabled=True, cooldown=timedelta(hours=2)))

        assert [each.next_analysis for each in await analyst.analyses()] == [timedelta(hours=2)]
