"""A planner that has descriptions compiled again: when there is a reason, once, inside the budget, and not in vain."""

from datetime import timedelta
from itertools import count, pairwise

import pytest

from cronicorn.domain.analysis.watching import LOOK_EVERY
from cronicorn.domain.compilation.draft import CompileReason, Draft, DraftStatus
from cronicorn.domain.endpoint import CompileMode
from cronicorn.domain.instant import MINUTE
from cronicorn.scheduler.backoff import WAIT_LEAST, WAIT_MOST, Backoff
from cronicorn.scheduler.planner import ModelPlanner, PlannerPorts, PlannerSettings
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import CRON, TENANT
from tests.compilation.workshop import ANN, HIGH, STEADY, SURGE, Workshop, a_workshop, compile_part, writes
from tests.servers.model import Answer, refuses

DAY = timedelta(days=1)
RENAMED = {"errors_percent": 8.5, "status": "degraded"}
AFTER_DRIFT = SURGE | {"fields": [{"name": "err", "path": "$.errors_percent", "type": "number"}]}


def a_planner(workshop: Workshop) -> ModelPlanner:
    """The planner of one process."""
    ports = PlannerPorts(
        watches=workshop.stores.watches,
        endpoints=workshop.stores.endpoints, history=workshop.stores.runs, quota=workshop.quota,
        client=workshop.drafting._compiler._client, drafts=workshop.drafting,
    )  # fmt: skip
    ids = count()
    return ModelPlanner(ports, PlannerSettings(model="fake-1"), workshop.clock, CRON, lambda kind: f"{kind}{next(ids)}")


async def looked(workshop: Workshop, planner: ModelPlanner, body: object, times: int) -> list[Draft]:
    """The drafts after so many answers, each followed by a look."""
    for _ in range(times):
        await workshop.answered(body)
        await planner.look_once()
    return list(await workshop.stores.drafts.list(TENANT, "ep1"))


async def test_answers_that_drift_are_compiled_again_once() -> None:
    async with a_workshop(writes(SURGE), writes(AFTER_DRIFT)) as workshop:
        await workshop.endpoint()
        await workshop.seen_a_surge()
        draft = await workshop.made()
        await workshop.drafts.activate(ANN, "ep1", draft.id)
        planner = a_planner(workshop)
        quiet = await looked(workshop, planner, HIGH, 2) + await looked(workshop, planner, STEADY, 30)
        asked = len(workshop.model.asked)
        drafts = await looked(workshop, planner, RENAMED, 40)

    assert {each.id for each in quiet} == {draft.id}
    assert asked == 1
    assert [(each.reason, each.status) for each in drafts] == [
        (CompileReason.DRIFT, DraftStatus.DRAFT), (CompileReason.ASKED, DraftStatus.ACTIVE),
    ]  # fmt: skip
    assert len(workshop.model.asked) == 2


async def test_nothing_is_compiled_that_nobody_asked_for() -> None:
    async with a_workshop(writes(SURGE)) as workshop:
        await workshop.endpoint()
        drafts = await looked(workshop, a_planner(workshop), HIGH, 20)

    assert drafts == []
    assert workshop.model.asked == []


async def test_in_the_mode_auto_a_description_is_compiled_by_itself() -> None:
    async with a_workshop(writes(SURGE)) as workshop:
        await workshop.endpoint(compile_mode=CompileMode.AUTO)
        (draft,) = await looked(workshop, a_planner(workshop), STEADY, 20)

    assert draft.reason is CompileReason.FIRST
    assert len(workshop.model.asked) == 1


async def test_a_model_that_is_away_is_asked_ever_more_rarely(caplog: pytest.LogCaptureFixture) -> None:
    away: Answer = refuses(503)
    async with a_workshop(away) as workshop:
        await workshop.endpoint(compile_mode=CompileMode.AUTO)
        planner, instants, asked = a_planner(workshop), [], 0
        for _ in range(90):
            await looked(workshop, planner, STEADY, 1)
            if len(workshop.model.asked) > asked:
                instants.append(workshop.clock.now())
                asked = len(workshop.model.asked)

        assert compile_part(await workshop.spent()) == 0
    gaps = [after - before for before, after in pairwise(instants)]
    assert len(gaps) == 4
    assert all(longer >= 2 * shorter - LOOK_EVERY for shorter, longer in pairwise(gaps))
    assert gaps[0] >= WAIT_LEAST
    failures = [record for record in caplog.records if record.message.endswith("_failed")]
    assert [(each.message, getattr(each, "why", "")) for each in failures] == [("model_failed", "compile")] * 5


async def test_a_budget_that_no_window_covers_is_asked_for_again_within_six_hours_of_a_higher_limit() -> None:
    async with a_workshop(writes(SURGE), limit=1_000) as workshop:
        await workshop.endpoint(compile_mode=CompileMode.AUTO)
        planner = a_planner(workshop)
        before = await looked(workshop, planner, STEADY, 200)
        asked = len(workshop.model.asked)
        workshop.allow(100_000)
        await workshop.answered(STEADY)
        workshop.clock.advance(WAIT_MOST)
        await planner.look_once()
        (draft,) = await workshop.stores.drafts.list(TENANT, "ep1")

    assert (before, asked) == ([], 0)
    assert draft.reason is CompileReason.FIRST
    assert len(workshop.model.asked) == 1


async def test_a_budget_that_says_when_it_begins_anew_is_not_asked_before(caplog: pytest.LogCaptureFixture) -> None:
    async with a_workshop(writes(SURGE), limit=10_000) as workshop:
        await workshop.endpoint(compile_mode=CompileMode.AUTO)
        await workshop.quota.record_usage(TENANT, 8_000)
        drafts = await looked(workshop, a_planner(workshop), STEADY, 300)

    assert drafts == []
    assert [record.message for record in caplog.records].count("compile_postponed") == 1


def test_patience_doubles_and_heeds_a_longer_word() -> None:
    clock = VirtualClock()
    patience = Backoff(clock)
    waits = []
    for _ in range(12):
        patience.failed("ep1")
        began = clock.monotonic()
        while not patience.may("ep1"):
            clock.advance(MINUTE)
        waits.append(timedelta(seconds=clock.monotonic() - began))
    patience.failed("ep2", retry_after=DAY)

    assert waits[:3] == [WAIT_LEAST, 2 * WAIT_LEAST, 4 * WAIT_LEAST]
    assert waits[-1] == WAIT_MOST
    clock.advance(DAY - MINUTE)
    assert not patience.may("ep2")
    patience.worked("ep2")
    assert patience.may("ep2")
