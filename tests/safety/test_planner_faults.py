"""A planner among edits, kills, other planners and a fleet in which nothing happens."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cronicorn.domain.analysis.watching import LOOK_EVERY, RETRY_LEAST, RETRY_MOST, Occasion
from cronicorn.domain.compilation.draft import CompileReason, Draft
from cronicorn.domain.compilation.ports import DraftMaker
from cronicorn.domain.compilation.recompiling import ANSWERS_LEAST
from cronicorn.domain.endpoint import AnalysisSwitch, CompileMode, Job, JobEndpoint
from cronicorn.domain.errors import NotFoundError
from cronicorn.domain.fixtures import a_pause, an_interval_hint
from cronicorn.domain.hint import Author, HintKind
from cronicorn.domain.instant import MINUTE
from cronicorn.domain.permission import EVERYTHING, Operation
from cronicorn.domain.plan import Source
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.principal import Principal
from cronicorn.domain.settlement import Change, Stored
from cronicorn.scheduler.analysing import AnalysisBounds
from cronicorn.scheduler.compiling import DEADLINE, ROUNDS_MAX
from cronicorn.scheduler.planner import ModelPlanner, PlannerSettings
from cronicorn.testing.contracts.stores import TENANT, hint
from tests.domain.compilation.values import a_policy
from tests.safety.analyst import LOOK, Analyst, an_analyst, submits
from tests.servers.model import HANGS, Answer, Asked, calls, refuses
from tests.waiting import eventually_async

HINT = ("propose_interval", {"interval_s": 90, "reason": "why"})
CLAIM_TTL = PlannerSettings(model="fake-1").claim_ttl
DESCRIBED = {"description": "Check every 15 s while errors are high.", "policy": a_policy()}


def meanwhile(analyst: list[Analyst], work: object, answer: Answer) -> object:
    """An answer of the model before which *work* is done in the loop of the test."""
    loop = asyncio.get_running_loop()

    def made(_: Asked) -> Answer:
        asyncio.run_coroutine_threadsafe(work(analyst[0]), loop).result(10)  # type: ignore[operator]
        return answer

    return made


async def test_what_is_new_is_analysed_once_and_hints_follow_in_one_write() -> None:
    async with an_analyst(LOOK, submits(HINT)) as analyst:
        await analyst.watch()
        await analyst.answer({"status": "ok"}, times=25)
        await analyst.planner().look_once()
        quiet = len(analyst.model.asked)
        for _ in range(3):
            await analyst.answer({"status": "degraded"}, times=2)
            await analyst.planner().look_once()

        (analysis,) = await analyst.analyses()
        assert quiet == 0
        assert (analysis.why.occasion, analysis.why.detail) == (Occasion.NOVELTY, "/status")
        assert analysis.applied == ("interval 90 s",)
        assert [each.reason for each in await analyst.hints()] == ["why"]
        assert await analyst.used() == (240, 0)


@pytest.mark.parametrize(("fleet", "every"), [(1_000, timedelta(minutes=40)), (5, timedelta(minutes=1))])
async def test_a_quiet_fleet_costs_no_token_in_a_day(fleet: int, every: timedelta) -> None:
    async with an_analyst(submits()) as analyst:
        planner, rounds = analyst.planner(parallel=100), timedelta(days=1) // every
        await analyst.watch(*(f"ep{number}" for number in range(fleet)), **DESCRIBED)
        for number in range(rounds):
            analyst.clock.advance(every - MINUTE)
            answered = {"status": "ok", "queue": 90 + number * 7 % 40, "load": 0.3 + number % 13 / 50}
            runs = await analyst.answer(answered)
            assert len(runs) == fleet
            while await planner.look_once():
                pass

        assert analyst.model.asked == []
        assert await analyst.used() == (0, 0)


@pytest.mark.parametrize(
    ("values", "asked"),
    [
        ({}, 0),
        ({"description": "Hurry while errors are high."}, 0),
        (DESCRIBED, 0),
        (DESCRIBED | {"compile_mode": CompileMode.OFF}, 0),
        ({"description": "Hurry while errors are high.", "compile_mode": CompileMode.OFF}, 0),
        ({"description": "Hurry while errors are high.", "compile_mode": CompileMode.AUTO}, 1),
    ],
    ids=["nothing said", "described", "with a policy", "with a policy, not compiled", "not compiled", "auto"],
)
async def test_nothing_is_sent_of_an_endpoint_that_is_off(values: dict[str, Any], asked: int) -> None:
    async with an_analyst(submits()) as analyst:
        await analyst.watch(**{"analysis": AnalysisSwitch(), **values})
        planner = analyst.planner()
        for number in range(40):
            await analyst.answer({f"key{chr(97 + number % 26)}": number})
            await planner.look_once()

        assert min(len(analyst.model.asked), 1) == asked, "the mode auto alone compiles"
        assert all(each.tools.keys() == {"write_policy"} for each in analyst.model.asked)
        assert await analyst.analyses() == ()


@pytest.mark.parametrize(("mode", "again"), [(CompileMode.REVIEW, True), (CompileMode.OFF, False)])
async def test_a_compile_that_somebody_asked_for_is_repeated_unless_compiling_is_off(
    mode: CompileMode, *, again: bool
) -> None:
    def described(endpoint: JobEndpoint, _job: Job, _stored: Stored) -> Change:
        return Change(endpoint=replace(endpoint, description="Something else.", compile_mode=mode))

    async with an_analyst(submits()) as analyst:
        await analyst.watch(analysis=AnalysisSwitch(), **DESCRIBED)
        await analyst.drafts().make(
            Principal(tenant_id=TENANT, actor="alice", permissions=EVERYTHING, operation=Operation.DRAFT_MAKE),
            "ep1",
            CompileReason.ASKED,
        )
        asked = len(analyst.model.asked)
        await analyst.stores.endpoints.change(TENANT, "ep1", described)
        planner = analyst.planner()
        for number in range(20):
            await analyst.answer({f"key{number}": number})
            await planner.look_once()

        assert asked > 0
        assert (len(analyst.model.asked) > asked) is again


async def test_no_answer_is_lost_where_pages_of_runs_that_began_at_once_meet() -> None:
    async with an_analyst(submits()) as analyst:
        await analyst.watch()
        run = replace((await analyst.answer({"status": "ok"}))[0], source=Source.TEST, fence=0)
        for _ in range(150):
            await analyst.stores.run_control.record_test(run)
        await analyst.planner().look_once()
        analyst.clock.advance(LOOK_EVERY)
        (watch,) = await analyst.watches.claim_due(claim_id="next", limit=1, ttl=MINUTE)

        assert watch.memory.known.answers == 151
        assert watch.cursor == run.started_at


async def test_two_planners_never_analyse_one_endpoint_within_a_claim() -> None:
    async with an_analyst(submits()) as analyst:
        await analyst.watch("ep1", "ep2", "ep3")
        for name in ("ep1", "ep2", "ep3"):
            await analyst.watches.request(TENANT, name, "alice")
        await asyncio.gather(*(analyst.planner().look_once() for _ in range(4)))

        assert len(analyst.model.asked) == 3


async def test_a_planner_that_is_killed_while_it_compiles_has_kept_its_analysis_and_still_holds_its_claim() -> None:
    def answer(asked: Asked) -> Answer:
        return HANGS if "write_policy" in asked.tools else submits(HINT)

    async with an_analyst(answer) as analyst:
        await analyst.watch(description="Hurry while errors are high.", compile_mode=CompileMode.AUTO)
        for _ in range(ANSWERS_LEAST):
            await analyst.answer({"status": "ok"})
        await analyst.watches.request(TENANT, "ep1", "alice")
        killed = asyncio.create_task(analyst.planner().look_once())
        await eventually_async(lambda: len(analyst.model.asked) == 2)
        kept, hints = await analyst.analyses(), await analyst.hints()
        analyst.clock.advance(2 * MINUTE)
        looked = await analyst.planner().look_once()
        killed.cancel()
        await asyncio.gather(killed, return_exceptions=True)

        assert [each.applied for each in kept] == [("interval 90 s",)]
        assert [each.reason for each in hints] == ["why"]
        assert looked == 0, "who compiles still holds the claim"


def test_a_claim_must_outlive_an_analysis_and_all_rounds_of_a_compile() -> None:
    asking = AnalysisBounds().deadline + ROUNDS_MAX * DEADLINE

    with pytest.raises(AssertionError, match="all rounds of a compile"):
        PlannerSettings(model="fake-1", claim_ttl=asking)


async def test_a_planner_that_is_stopped_lets_its_looks_end_and_begins_no_other() -> None:
    here: list[ModelPlanner] = []

    async def stopped(_: Analyst) -> None:
        here[0].stop(MINUTE)

    analysts: list[Analyst] = []
    async with an_analyst(meanwhile(analysts, stopped, submits(HINT))) as analyst:
        analysts.append(analyst)
        await analyst.watch()
        await analyst.watches.request(TENANT, "ep1", "alice")
        here.append(analyst.planner())
        await asyncio.wait_for(here[0].run(), 20)

        assert len(analyst.model.asked) == 1
        assert [each.error for each in await analyst.analyses()] == [None]
        assert len(await analyst.hints()) == 1
        assert await analyst.used() == (120, 0)


async def test_a_look_that_is_cut_off_is_charged_and_made_again_at_once() -> None:
    async with an_analyst(HANGS, submits(HINT)) as analyst:
        await analyst.watch()
        await analyst.watches.request(TENANT, "ep1", "alice")
        planner = analyst.planner()
        running = asyncio.create_task(planner.run())
        await eventually_async(lambda: analyst.model.asked)
        planner.stop(timedelta(milliseconds=10))
        await asyncio.wait_for(running, 20)
        charged = await analyst.used()
        looked = await analyst.planner().look_once()

        assert charged == (analyst.bounds.tokens_max, 0)
        assert looked == 1
        assert len(await analyst.hints()) == 1


async def test_a_planner_that_is_killed_changes_nothing_and_another_one_takes_over() -> None:
    async with an_analyst(submits(HINT)) as analyst:
        await analyst.watch()
        await analyst.watches.request(TENANT, "ep1", "alice")
        await analyst.watches.claim_due(claim_id="killed", limit=1, ttl=CLAIM_TTL)
        analyst.clock.advance(CLAIM_TTL - MINUTE)
        early = await analyst.planner().look_once()
        analyst.clock.advance(2 * MINUTE)
        await analyst.planner().look_once()

        assert early == 0
        assert len(await analyst.hints()) == 1
        assert len(await analyst.analyses()) == 1
        assert (await analyst.used())[1] == 0


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """The events of planners so far."""
    caplog.set_level(logging.INFO, logger="cronicorn.scheduler.planner")
    return lambda: [each.getMessage() for each in caplog.records if each.name == "cronicorn.scheduler.planner"]


async def test_an_analysis_that_is_kept_is_told(told: Callable[[], list[str]]) -> None:
    async with an_analyst(submits(HINT)) as analyst:
        await analyst.watch()
        await analyst.asked()

        assert told() == ["analysis_made"]


async def test_a_planner_that_comes_too_late_writes_nothing(told: Callable[[], list[str]]) -> None:
    async def others(analyst: Analyst) -> None:
        analyst.clock.advance(CLAIM_TTL + MINUTE)
        await analyst.watches.claim_due(claim_id="other", limit=1, ttl=MINUTE)

    here: list[Analyst] = []
    async with an_analyst(meanwhile(here, others, submits(HINT))) as analyst:
        here.append(analyst)
        await analyst.watch()
        await analyst.asked()

        assert await analyst.hints() == []
        assert await analyst.analyses() == ()
        assert (await analyst.used())[1] == 0
        assert told() == ["look_lost"], "no analysis is told of that is not kept"


async def test_an_edit_during_an_analysis_counts_and_clamps_what_it_wants() -> None:
    async def raised(analyst: Analyst) -> None:
        def edit(endpoint: JobEndpoint, _job: Job, _stored: Stored) -> Change:
            return Change(endpoint=replace(endpoint, interval_min=timedelta(minutes=20)))

        await analyst.stores.endpoints.change(TENANT, "ep1", edit)

    here: list[Analyst] = []
    async with an_analyst(meanwhile(here, raised, submits(HINT))) as analyst:
        here.append(analyst)
        await analyst.watch()
        await analyst.asked()

        assert [each.interval for each in await analyst.hints()] == [timedelta(minutes=20)]


async def test_an_endpoint_that_is_deleted_during_an_analysis_leaves_only_what_it_took() -> None:
    async def deleted(analyst: Analyst) -> None:
        await analyst.stores.endpoints.delete(TENANT, "ep1")

    here: list[Analyst] = []
    async with an_analyst(meanwhile(here, deleted, submits(HINT))) as analyst:
        here.append(analyst)
        await analyst.watch()
        await analyst.asked()

        assert len(analyst.model.asked) == 1
        assert await analyst.used() == (120, 0)
        assert analyst.watches._analyses == {}
        with pytest.raises(NotFoundError):
            await analyst.endpoint()


@pytest.mark.parametrize(
    ("values", "kept"), [({}, []), (DESCRIBED, [()])], ids=["watched no more", "watched for its description"]
)
async def test_an_endpoint_that_is_switched_off_during_an_analysis_is_not_touched(
    values: dict[str, Any], kept: list[tuple[str, ...]]
) -> None:
    async def off(analyst: Analyst) -> None:
        def edit(endpoint: JobEndpoint, _job: Job, _stored: Stored) -> Change:
            return Change(endpoint=replace(endpoint, analysis=AnalysisSwitch()))

        await analyst.stores.endpoints.change(TENANT, "ep1", edit)

    here: list[Analyst] = []
    async with an_analyst(meanwhile(here, off, submits(("propose_rule", {"rule": "Hurry."}), HINT))) as analyst:
        here.append(analyst)
        await analyst.watch(**values)
        await analyst.asked()

        assert await analyst.used() == (120, 0)
        assert await analyst.hints() == []
        assert [each.applied for each in await analyst.analyses()] == kept


async def test_an_analysis_says_what_was_written_and_not_what_was_asked_for() -> None:
    wanted = (("propose_rule", {"rule": "Hurry."}), ("pause_for", {"seconds": 86_400}), HINT)
    async with an_analyst(submits(*wanted), submits(("clear_hints", {})), submits(("clear_hints", {}))) as analyst:
        await analyst.watch(interval_min=timedelta(minutes=20), interval_max=timedelta(minutes=30))
        for _ in range(3):
            await analyst.asked()

        applied = [each.applied for each in await analyst.analyses()]
        assert applied == [(), ("clear hints",), ("pause 1799 s", "interval 1200 s", "rule: Hurry.")]


async def test_nothing_is_said_to_be_written_where_the_job_is_paused_meanwhile() -> None:
    async def suspended(analyst: Analyst) -> None:
        def edit(endpoint: JobEndpoint, _job: Job, _stored: Stored) -> Change:
            return Change(endpoint=replace(endpoint, state=replace(endpoint.state, suspended=True)))

        await analyst.stores.endpoints.change(TENANT, "ep1", edit)

    here: list[Analyst] = []
    async with an_analyst(meanwhile(here, suspended, submits(HINT))) as analyst:
        here.append(analyst)
        await analyst.watch()
        await analyst.asked()

        assert await analyst.hints() == []
        assert [each.applied for each in await analyst.analyses()] == [()]


async def test_what_was_staged_before_earlier_hints_are_cleared_is_kept() -> None:
    pause = ("pause_for", {"seconds": 60})
    async with an_analyst(submits(pause), submits(HINT, ("clear_hints", {}))) as analyst:
        await analyst.watch()
        await analyst.asked()
        await analyst.asked()

        assert [each.kind for each in await analyst.hints()] == [HintKind.INTERVAL]
        assert (await analyst.analyses())[0].applied == ("clear hints", "interval 90 s")


async def test_an_analysis_without_an_end_is_kept_and_changes_nothing() -> None:
    async with an_analyst(calls(HINT), *[calls(("get_history", {}))] * 3) as analyst:
        await analyst.watch()
        await analyst.asked()

        (analysis,) = await analyst.analyses()
        assert analysis.applied == ()
        assert await analyst.hints() == []


async def test_only_its_own_hints_are_cleared() -> None:
    async with an_analyst(submits(HINT), submits(("clear_hints", {}))) as analyst:
        await analyst.watch()
        now = analyst.clock.now()
        for written in (an_interval_hint(MINUTE, now=now), a_pause(now + MINUTE, now=now)):
            await hint(analyst.stores, written)
        await analyst.asked()
        assert len(await analyst.hints()) == 1
        await analyst.asked()

        assert [each.author for each in (await analyst.endpoint()).state.hints] == [Author.PERSON, Author.PERSON]


async def test_a_refusal_that_a_person_must_mend_stops_the_asking_for_all() -> None:
    async with an_analyst(refuses(401)) as analyst:
        await analyst.watch("ep1", "ep2")
        planner = analyst.planner()
        for name in ("ep1", "ep2"):
            await analyst.watches.request(TENANT, name, "alice")
            await planner.look_once()
            analyst.clock.advance(MINUTE)

        assert len(analyst.model.asked) == 1
        assert await analyst.used() == (0, 0)


async def test_whoever_asks_while_the_model_refuses_reads_why_once_and_is_served_later() -> None:
    async with an_analyst(refuses(401), submits(HINT)) as analyst:
        await analyst.watch("ep1", "ep2")
        planner = analyst.planner()
        await analyst.watches.request(TENANT, "ep1", "alice")
        await planner.look_once()
        for _ in range(3):
            await analyst.watches.request(TENANT, "ep2", "bob")
            await planner.look_once()
            analyst.clock.advance(MINUTE)
        (told,) = await analyst.analyses("ep2")
        asked = len(analyst.model.asked)
        analyst.clock.advance(PlannerSettings(model="m").fatal_pause)
        await planner.look_once()

        assert asked == 1
        assert told.error is not None
        assert told.error.startswith("Not asked before 2026-01-01T01:00:01+00:00, unless the planner is started anew")
        assert "401" in told.error
        assert len(await analyst.hints("ep2")) == 1


async def test_a_model_that_is_busy_is_asked_again_later() -> None:
    async with an_analyst(refuses(429, retry_after="120"), submits(HINT)) as analyst:
        await analyst.watch()
        await analyst.asked()
        analyst.clock.advance(RETRY_LEAST)
        await analyst.planner().look_once()
        asked_early = len(analyst.model.asked)
        analyst.clock.advance(MINUTE)
        await analyst.planner().look_once()

        assert asked_early == 1
        assert len(await analyst.hints()) == 1


async def test_a_spent_budget_means_no_call_and_whoever_asked_is_told() -> None:
    async with an_analyst(submits(), limit=5_000) as analyst:
        await analyst.watch()
        await analyst.asked()

        (analysis,) = await analyst.analyses()
        assert analysis.quota == "denied: too_large"
        assert analysis.denied is not None
        assert (analysis.denied.reason.value, analysis.denied.remaining) == ("too_large", 4_000)
        assert analysis.denied.reset_at > analysis.at
        assert analyst.model.asked == []


class _BrokenMaker(DraftMaker):
    """Finds a bug with each endpoint."""

    async def make(self, principal: Principal, endpoint_id: str, reason: CompileReason) -> Draft:
        raise AssertionError

    async def consider(self, principal: Principal, endpoint_id: str) -> CompileReason | None:
        raise RuntimeError(endpoint_id)


async def test_a_bug_in_compiling_costs_no_analysis(caplog: pytest.LogCaptureFixture) -> None:
    async with an_analyst(submits(HINT)) as analyst:
        await analyst.watch(description="What matters.", policy=Policy())
        await analyst.answer({"status": "ok"})
        await analyst.watches.request(TENANT, "ep1", "alice")
        await analyst.planner(drafts=_BrokenMaker()).look_once()

        assert len(await analyst.analyses()) == 1
        assert len(analyst.model.asked) == 1
        assert [each.getMessage() for each in caplog.records if each.levelname == "ERROR"] == ["compile_crashed"]


async def test_a_bug_in_a_look_is_not_met_again_at_once(caplog: pytest.LogCaptureFixture) -> None:
    async with an_analyst(submits(HINT)) as analyst:
        await analyst.watch()
        await analyst.answer({"status": "ok"})
        await analyst.watches.request(TENANT, "ep1", "alice")
        planner = analyst.planner()
        planner._ports = replace(planner._ports, history=None)  # type: ignore[arg-type]
        for _ in range(3):
            await planner.look_once()
            analyst.clock.advance(2 * MINUTE)
        mended = analyst.planner()
        await mended.look_once()

        assert analyst.model.asked == [], "it waits"
        analyst.clock.advance(RETRY_MOST)
        await mended.look_once()
        assert len(analyst.model.asked) == 1
        assert {each.getMessage() for each in caplog.records if each.levelname == "ERROR"} == {"look_crashed"}
