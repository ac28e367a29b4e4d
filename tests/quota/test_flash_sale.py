"""A small flash sale through the real client of a model: reserve, call, commit, as a planner does."""

import asyncio
from datetime import timedelta

import pytest

from cronicorn.adapters.ai.connecting import connected
from cronicorn.adapters.system_clock import SystemClock
from cronicorn.domain.calendar import Calendar, Period
from cronicorn.domain.quota.allowance import Allowance, Budget, Tiers
from cronicorn.domain.quota.decision import Denied, Mode
from cronicorn.domain.quota.soft import SoftBound
from cronicorn.scheduler import Question, tool
from tests.quota.places import KINDS, opened
from tests.servers.model import calls, fake_model

PLANNERS = 3
CALLS = 4
"""At once, by each of them."""
JOBS = 60
CALL_TOKENS = 1_000
LIMIT = 20_000
TTL = timedelta(minutes=5)
USAGE = {"prompt_tokens": 700, "completion_tokens": 200, "total_tokens": 900}
BOUND = SoftBound(limit=LIMIT, concurrency=PLANNERS * CALLS, call_tokens_max=CALL_TOKENS)
CALENDAR = Calendar(period=Period.MONTH)
ALLOWANCE = Allowance(limit=LIMIT, calendar=CALENDAR, compile_percent=0, burst=None, soft_room=BOUND.room)
TIERS = Tiers(allowances={"free-tier": ALLOWANCE})


@tool("End the analysis.")
async def submit_analysis(*, reasoning: str):
    return "done"


QUESTION = Question(
    system="You decide.",
    input="What?",
    tools=[submit_analysis],
    final_tool="submit_analysis",
    tokens_max=CALL_TOKENS,
    answer_tokens_max=300,
)


async def _analyse(quota, client, key, room):
    """What one job's analysis costs; None when it is denied."""
    async with room:
        decision = await quota.reserve("loud", CALL_TOKENS, budget=Budget.ANALYSIS, key=key, ttl=TTL)
        if isinstance(decision, Denied):
            return None
        session = await client.plan_with_tools(QUESTION)
        assert session.final is not None
        await quota.commit(decision.grant_id, session.usage.tokens)
        return session.usage.tokens


async def _quiet(quota):
    """What another tenant is told to have left after each of its calls."""
    decisions = [await quota.reserve("quiet", 10, budget=Budget.ANALYSIS, key=str(call), ttl=TTL) for call in range(20)]
    return [decision.remaining for decision in decisions]


MODES = [
    pytest.param(kind, mode, id=f"{kind} {mode}")
    for kind in KINDS
    for mode in Mode
    if (kind, mode) != ("redis", Mode.ADVISORY)
]


@pytest.mark.parametrize(("kind", "mode"), MODES)
async def test_what_a_model_is_paid_stays_within_what_the_mode_promises(kind, mode, tmp_path, redis_url):
    answer = calls(("submit_analysis", {"reasoning": "All is well."}), usage=USAGE)
    with fake_model(answer) as model:
        async with (
            opened(kind, tmp_path, SystemClock(), redis_url) as open_quota,
            connected("openai:fake-1", base_url=model.url, api_key=None) as client,
        ):
            quotas = [open_quota(TIERS, mode) for _ in range(PLANNERS)]
            rooms = [asyncio.Semaphore(CALLS) for _ in range(PLANNERS)]
            costs, quiet = await asyncio.gather(
                asyncio.gather(
                    *(_analyse(quotas[job % PLANNERS], client, str(job), rooms[job % PLANNERS]) for job in range(JOBS))
                ),
                _quiet(quotas[0]),
            )
            seen = await quotas[0].remaining("loud")

    spent = sum(cost for cost in costs if cost is not None)
    assert (seen.used, seen.reserved) == (spent, 0)
    assert spent == 900 * len(model.asked), "a call that was denied was made, or one was charged twice"
    assert spent <= LIMIT + (BOUND.overrun_max if mode is Mode.SOFT else 0)
    assert spent > LIMIT - CALL_TOKENS * (1 if mode is Mode.SOFT else PLANNERS * CALLS)
    assert None in costs
    assert quiet == [LIMIT - 10 * call for call in range(1, 21)]
