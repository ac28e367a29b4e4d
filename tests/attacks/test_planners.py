"""Planners that are killed and frozen in the middle of their work, on a real server: nothing is spent or done twice."""

import os
import random
import signal
import threading
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.domain.analysis.watching import Occasion
from cronicorn.domain.compilation.recompiling import ANSWERS_LEAST
from cronicorn.domain.editing import edited
from cronicorn.domain.endpoint import AnalysisSwitch, CompileMode, Job, JobEndpoint
from cronicorn.domain.fixtures import a_run
from cronicorn.domain.ports import EndpointEdit
from cronicorn.domain.quota.terms import Terms
from cronicorn.domain.settlement import Change, Stored
from cronicorn.scheduler.analysing import AnalysisBounds
from cronicorn.testing.contracts.stores import CRON, MINUTE, TENANT, claim, plant, settle
from tests.attacks.file_clock import FileClock
from tests.attacks.planner_process import ASKED, COMPILE, DEATHS, FROZEN, LIMIT, LOOP
from tests.attacks.scene import CALL_TOKENS, Scene, died, faults, number_of, sender, signalled
from tests.compilation.workshop import SURGE, answering, writes
from tests.safety.analyst import submits
from tests.servers.model import Answer, Asked, fake_model
from tests.waiting import eventually, eventually_async

ON = AnalysisSwitch(enabled=True)
HINT = ("propose_interval", {"interval_s": 90, "reason": "why"})
ESTIMATE = AnalysisBounds().tokens_max
FLEET = tuple(f"ep{number}" for number in range(10))
ROUNDS = 7


@asynccontextmanager
async def a_scene(url: str, folder: Path, *script: object) -> AsyncIterator[Scene]:
    """A scene whose model answers *script*."""
    clock = FileClock(folder / "clock")
    stores = await PostgresStores.open(url, clock)
    with fake_model(*script) as model:  # type: ignore[arg-type]
        scene = Scene(url, stores, clock, model, folder)
        try:
            await scene.prepare()
            yield scene
        finally:
            scene.end()
            await stores.aclose()


async def test_a_planner_may_be_killed_anywhere_and_another_one_does_what_is_left(
    fresh_postgres_url: str, tmp_path: Path
) -> None:
    doomed: set[int] = set()

    def answer(asked: Asked) -> Answer:
        if sender(asked) in doomed:
            os.kill(sender(asked), signal.SIGKILL)
        return _answered(asked)

    async with a_scene(fresh_postgres_url, tmp_path, answer) as scene:
        ways = [*DEATHS, ASKED]
        await plant(scene.stores, *ways, analysis=ON, description="Hurry.", compile_mode=CompileMode.AUTO)
        for _ in range(ANSWERS_LEAST):
            scene.clock.advance(MINUTE)
            await _run_what_is_due(scene)
        for name in ways:
            await scene.stores.watches.request(TENANT, name, "alice")
        doomed.add(number_of(scene.planner(ASKED)))
        for way in DEATHS:
            scene.planner(way)
        assert all(died(planner) for planner in scene.planners)
        scene.clock.advance(2 * MINUTE)  # By then all have run once more, those whose hint stands too.
        await _run_what_is_due(scene)
        scene.drain()

        analyses = [await scene.analyses(name) for name in ways]
        drafts = [await scene.stores.drafts.list(TENANT, name) for name in ways]
        hints = [await scene.hints(name) for name in ways]
        assert [[each.applied for each in made] for made in analyses] == [[("interval 90 s",)]] * len(ways)
        assert [len(each) for each in hints] == [1] * len(ways)
        assert [len(each) for each in drafts] == [1] * len(ways)
        # Three died between their reservation and their charge, two between that and the end of their write.
        assert len(scene.model.asked) == len(ways) + 4 + len(drafts)
        assert await scene.books() == [(3 * ESTIMATE + (len(ways) + 2 + len(drafts)) * CALL_TOKENS, 0)]
        assert faults(await scene.verified()) == {}


@pytest.mark.parametrize("way", [LOOP, FROZEN], ids=["while it asks", "before it writes"])
async def test_a_planner_that_is_frozen_past_its_claim_and_its_grant_writes_nothing(
    way: str, fresh_postgres_url: str, tmp_path: Path
) -> None:
    asked, answers = threading.Event(), threading.Event()

    def slowly(_: Asked) -> Answer:
        asked.set()
        if way == LOOP:
            answers.wait(60)
        return submits(HINT)

    async with a_scene(fresh_postgres_url, tmp_path, slowly, submits(HINT)) as scene:
        await plant(scene.stores, analysis=ON)
        await scene.stores.watches.request(TENANT, "ep1", "alice")
        frozen = scene.planner(way)
        eventually(asked.is_set, within_s=60)
        if way == LOOP:
            signalled(frozen, signal.SIGSTOP)
        eventually(lambda: _stopped(frozen), within_s=60)
        scene.drain()
        between = await scene.books()
        answers.set()
        signalled(frozen, signal.SIGCONT)
        eventually(lambda: "look_lost" in scene.told(frozen), within_s=60)

        assert between == [(CALL_TOKENS + (ESTIMATE if way == LOOP else CALL_TOKENS), 0)]
        assert await scene.books() == [(2 * CALL_TOKENS, 0)], "its charge is corrected"
        assert "analysis_made" not in scene.told(frozen)
        assert len(await scene.analyses("ep1")) == len(await scene.hints("ep1")) == 1
        assert faults(await scene.verified()) == {}


async def test_a_crowd_under_attack_stays_within_its_limit_and_leaves_sound_books(
    fresh_postgres_url: str, tmp_path: Path
) -> None:
    pause, chance = threading.Event(), random.Random(20_260_101)

    def answer(asked: Asked) -> Answer:
        pause.wait(0.05)
        return _answered(asked)

    async with a_scene(fresh_postgres_url, tmp_path, answer) as scene:
        await plant(scene.stores, *FLEET, analysis=ON, description="Hurry.", compile_mode=CompileMode.AUTO)
        for _ in range(3):
            scene.planner(LOOP)
        for _ in range(2):
            scene.planner(COMPILE, endpoint=FLEET[0])
        await eventually_async(partial(_heard_more, scene, 0), within_s=60)
        for number in range(ROUNDS):
            heard = len(scene.model.asked)
            await _run_what_is_due(scene)
            for name in FLEET:
                await scene.stores.endpoints.change(TENANT, name, _edit(chance, number))
            for name in FLEET:
                await scene.asked_for(name)
            terms = Terms(limit=chance.choice((LIMIT // 2, LIMIT)))
            await scene.stores.terms.agree(TENANT, terms.over)
            victim, frozen = chance.sample([each for each in scene.planners if each.is_alive()], 2)
            signalled(frozen, signal.SIGSTOP)
            with suppress(TimeoutError):  # Where nothing is left to spend, nobody asks.
                await eventually_async(partial(_heard_more, scene, heard), within_s=1)
            scene.replace(victim)
            signalled(frozen, signal.SIGCONT)
            to_midnight = timedelta(days=1) - timedelta(minutes=number, seconds=10)
            scene.clock.advance(to_midnight if number == ROUNDS // 2 else MINUTE)
        scene.end()
        scene.drain()

        books = await scene.books()
        analyses = [each for name in FLEET for each in await scene.analyses(name)]
        answered = sum(each.spent.tokens for each in analyses)
        assert analyses
        assert len(books) >= 2, "a day began meanwhile"
        assert all(used <= LIMIT and not reserved for used, reserved in books), books
        assert answered <= len(scene.model.asked) * CALL_TOKENS <= sum(used for used, _ in books)
        answered_requests = Counter(
            each.endpoint_id
            for each in analyses
            if each.why.occasion is Occasion.REQUEST and each.error is None and each.denied is None
        )
        assert max(answered_requests.values(), default=0) <= ROUNDS, "each was asked for so often"
        drafted = sum("write_policy" in each.tools for each in scene.model.asked)
        drafts = [each for name in FLEET for each in await scene.stores.drafts.list(TENANT, name)]
        assert 0 < sum(each.spent.rounds for each in drafts) <= drafted
        assert answered_requests.total() <= len(scene.model.asked) - drafted
        assert faults(await scene.verified()) == {}


def _answered(asked: Asked) -> Answer:
    return writes(SURGE) if "write_policy" in asked.tools else submits(HINT)


def _stopped(planner: ForkServerProcess) -> bool:
    return Path(f"/proc/{planner.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def _heard_more(scene: Scene, than: int) -> bool:
    return len(scene.model.asked) > than


async def _run_what_is_due(scene: Scene) -> None:
    for lease in await claim(scene.stores, limit=100):
        await settle(scene.stores, lease, a_run(lease, answering({"error_rate_pct": 8.5})))


def _edit(chance: random.Random, number: int) -> EndpointEdit:
    changes = {
        "interval_min": timedelta(seconds=chance.randrange(1, 60)),
        "analysis": AnalysisSwitch(enabled=chance.random() < 0.8),
        "description": f"Hurry, {number}.",
    }
    chosen = {name: value for name, value in changes.items() if chance.random() < 0.5}

    def edit(endpoint: JobEndpoint, _job: Job, stored: Stored) -> Change:
        return edited(endpoint, replace(endpoint, **chosen), stored, CRON)  # type: ignore[arg-type]

    return edit
