"""The invariants of quotas, each tried on every store.

Q1 what is used and reserved is never above the limit · Q2 each grant is charged once · Q3 soft exceeds the limit by its
bound at most, and reaches it · Q4 tenants do not touch one another · Q5 a holder that dies is charged in time · Q6 no
grant is lost or doubled where windows meet.
"""

import asyncio
import random
from datetime import timedelta

import pytest

from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.quota.allowance import Budget
from cronicorn.domain.quota.decision import DenialReason, Granted, Mode
from cronicorn.domain.quota.soft import SoftBound
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.quota_books import DAY, LIMIT, TTL, ask, denied, grant, standing, tiers
from tests.quota.places import KINDS, opened

CALLS = 8
CALL_TOKENS = 60


@pytest.fixture
def clock():
    return VirtualClock(MIDNIGHT + DAY / 2)


@pytest.fixture(params=KINDS)
async def open_quota(request, tmp_path, clock, redis_url):
    async with opened(request.param, tmp_path, clock, redis_url) as open_another:
        yield open_another


async def _call(quota, key, chance, watch, tenant_id="t1"):
    """One call by the book: reserve, spend no more than that, commit; how many tokens it cost."""
    decision = await ask(quota, key, CALL_TOKENS, tenant_id=tenant_id, budget=Budget.COMPILE)
    watch(await standing(quota, tenant_id))
    if not isinstance(decision, Granted):
        return 0
    await asyncio.sleep(0)
    actual = chance.choice([0, 13, CALL_TOKENS, None])
    for _ in range(chance.randint(1, 2)):
        await quota.commit(decision.grant_id, actual)
    watch(await standing(quota, tenant_id))
    return actual if actual is not None else CALL_TOKENS


async def test_q1_used_and_reserved_tokens_are_never_above_the_limit(open_quota):
    quotas, chance = [open_quota(tiers(), Mode.RESERVE) for _ in range(3)], random.Random(1)
    seen: list[tuple[int, int]] = []

    for turn in range(6):
        await asyncio.gather(
            *(_call(quotas[number % 3], f"{turn} {number}", chance, seen.append) for number in range(10))
        )

    assert all(used >= 0 and reserved >= 0 and used + reserved <= LIMIT for used, reserved in seen)
    assert max(used + reserved for used, reserved in seen) > LIMIT - CALL_TOKENS


async def test_q2_what_is_used_is_the_sum_of_what_was_committed_each_grant_once(open_quota):
    quota, chance = open_quota(tiers(100_000), Mode.RESERVE), random.Random(2)

    costs = await asyncio.gather(*(_call(quota, f"k{number}", chance, lambda _: None) for number in range(40)))

    assert sum(costs) > 0
    assert await standing(quota) == (sum(costs), 0)


async def _overrun(quota, chance, name, *, worst=False):
    """How much a soft quota is exceeded when whoever may calls, and calls end at any time."""
    number = 0
    open_grants: list[str] = []
    if worst:
        await quota.record_usage("t1", LIMIT - 1)
    while True:
        number += 1
        decision = await ask(quota, f"{name} {number}", CALL_TOKENS, budget=Budget.COMPILE)
        if isinstance(decision, Granted):
            open_grants.append(decision.grant_id)
        elif open_grants:
            which = 0 if worst else chance.randrange(len(open_grants))
            await quota.commit(open_grants.pop(which), CALL_TOKENS)
        else:
            return (await standing(quota))[0] - LIMIT


async def test_q3_soft_exceeds_the_limit_by_its_bound_at_most_and_reaches_it(open_quota, clock):
    bound = SoftBound(limit=LIMIT, concurrency=CALLS, call_tokens_max=CALL_TOKENS)
    quota, chance = open_quota(tiers(soft_room=bound.room), Mode.SOFT), random.Random(3)

    worst = await _overrun(quota, chance, "worst", worst=True)
    others = []
    for number in range(5):
        clock.advance(DAY)
        others.append(await _overrun(quota, chance, f"other {number}"))

    assert worst == bound.overrun_max == CALLS * CALL_TOKENS - 1
    assert max(others) <= bound.overrun_max


async def _decisions(quota, tenant_id, beside):
    """What a tenant is answered while *beside* happens."""
    decisions = []
    for number in range(12):
        await beside(number)
        decisions.append(await ask(quota, f"k{number}", 110, tenant_id=tenant_id))
    return [(type(each), each.remaining, each.reset_at) for each in decisions], await standing(quota, tenant_id)


async def test_q4_one_tenants_traffic_never_changes_another_tenants_decision(open_quota):
    quota = open_quota(tiers(), Mode.RESERVE)

    async def nothing(_):
        return

    async def spike(number):
        await asyncio.gather(*(ask(quota, f"{number} {call}", 90, tenant_id="loud") for call in range(6)))
        await quota.record_usage("loud", 5_000)

    alone, beside_a_spike = await _decisions(quota, "t1", nothing), await _decisions(quota, "t2", spike)

    assert alone == beside_a_spike


async def test_q5_the_grant_of_a_holder_that_dies_is_charged_when_its_time_is_up(open_quota, clock):
    dying, other = (open_quota(tiers(), Mode.RESERVE) for _ in range(2))
    await grant(dying, "k1", 500)
    del dying

    clock.advance(TTL)

    assert await standing(other) == (500, 0)
    assert (await denied(other, "k2", 400)).reason is DenialReason.BUDGET


async def test_q6_where_windows_meet_no_grant_is_lost_or_doubled(open_quota, clock):
    quota, end = open_quota(tiers(), Mode.RESERVE), MIDNIGHT + DAY
    ends = {"early": timedelta(seconds=-1), "late": timedelta(seconds=1), "expired": TTL + timedelta(seconds=1)}
    made = {}
    for name, after in ends.items():
        clock.jump(end - timedelta(seconds=30))
        made[name] = await grant(quota, name)
        clock.jump(end + after)
        if name != "expired":
            await quota.commit(made[name], 40)
            await quota.commit(made[name], 40)
    new = await grant(quota, "new")
    await quota.commit(new, 7)

    in_the_new = await standing(quota)
    clock.jump(end - timedelta(seconds=1))
    in_the_old = await standing(quota)

    assert in_the_new == (7, 0)
    assert in_the_old == (40 + 40 + 100, 0)
