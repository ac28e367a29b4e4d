"""What is reserved, and what is denied."""

import asyncio
from datetime import timedelta

import pytest

from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.instant import MICROSECOND
from cronicorn.domain.quota.allowance import Budget, Burst
from cronicorn.domain.quota.decision import BudgetTokens, DenialReason, Denied, Granted, Mode
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.quota_books import (
    DAY,
    LIMIT,
    NOON,
    TTL,
    Books,
    OpeningQuota,
    OpenQuota,
    ask,
    denied,
    grant,
    standing,
    tiers,
)


class ReservationContract(OpeningQuota):
    """Subclass this with an `open_quota` fixture."""

    async def test_what_is_granted_is_reserved(self, quota: Books) -> None:
        decision = await ask(quota)

        assert isinstance(decision, Granted)
        assert (decision.remaining, decision.reset_at) == (700, MIDNIGHT + DAY)
        assert await standing(quota) == (0, 100)

    async def test_nothing_was_used_before_the_first_reservation(self, quota: Books) -> None:
        seen = await quota.remaining("t1")

        assert (seen.limit, seen.used, seen.reserved, seen.remaining) == (LIMIT, 0, 0, LIMIT)
        assert seen.reset_at == MIDNIGHT + DAY
        assert seen.budgets == {budget: BudgetTokens() for budget in Budget}

    async def test_the_last_token_is_granted_and_no_more(self, quota: Books) -> None:
        await grant(quota, "k1", 600)
        await grant(quota, "k2", 400, budget=Budget.COMPILE)

        refused = await denied(quota, "k3", 1)

        assert (refused.remaining, refused.reason) == (0, DenialReason.RESERVED)
        assert await standing(quota) == (0, LIMIT)

    async def test_what_is_used_up_is_denied_until_the_window_ends(self, quota: Books) -> None:
        await quota.commit(await grant(quota, "k1", 950, budget=Budget.COMPILE), 950)

        refused = await denied(quota, "k2", 100)

        assert refused == Denied(remaining=50, retry_after=DAY / 2, reset_at=MIDNIGHT + DAY, reason=DenialReason.LIMIT)

    async def test_more_than_there_ever_is_is_denied_for_good(self, quota: Books) -> None:
        assert (await denied(quota, "k1", LIMIT + 1, budget=Budget.COMPILE)).reason is DenialReason.TOO_LARGE

    async def test_analyses_leave_what_is_kept_for_compiling(self, quota: Books) -> None:
        await grant(quota, "k1", 800)

        refused = await denied(quota, "k2", 1)
        await quota.commit(await grant(quota, "k1", 800), 800)
        used_up = await denied(quota, "k2", 1)
        await grant(quota, "k3", 200, budget=Budget.COMPILE)

        assert (refused.reason, used_up.reason) == (DenialReason.RESERVED, DenialReason.BUDGET)
        seen = await quota.remaining("t1")
        assert seen.budgets == {Budget.COMPILE: BudgetTokens(reserved=200), Budget.ANALYSIS: BudgetTokens(used=800)}

    async def test_compiling_may_take_the_whole_limit(self, quota: Books) -> None:
        await grant(quota, "k1", LIMIT, budget=Budget.COMPILE)

        assert (await denied(quota, "k2", 1)).reason is DenialReason.RESERVED

    async def test_the_same_key_again_is_the_same_grant(self, quota: Books) -> None:
        first, again = await ask(quota), await ask(quota)

        assert first == again
        assert await standing(quota) == (0, 100)

    async def test_the_same_key_is_the_same_grant_also_when_it_has_ended(
        self, quota: Books, clock: VirtualClock
    ) -> None:
        for end in ("commit", "release", "expiry"):
            grant_id = await grant(quota, end)
            match end:
                case "commit":
                    await quota.commit(grant_id, 70)
                case "release":
                    await quota.release(grant_id)
                case _:
                    clock.advance(TTL)

            assert await grant(quota, end) == grant_id

        assert await standing(quota) == (170, 0)

    async def test_the_same_key_at_the_same_time_reserves_once(self, quota: Books) -> None:
        decisions = await asyncio.gather(*(ask(quota) for _ in range(8)))

        assert {decision.grant_id for decision in decisions if isinstance(decision, Granted)} == {await grant(quota)}
        assert await standing(quota) == (0, 100)

    async def test_the_same_key_of_another_tenant_is_another_call(self, quota: Books) -> None:
        assert await grant(quota) != await grant(quota, tenant_id="t2")
        assert await standing(quota) == await standing(quota, "t2") == (0, 100)

    async def test_a_denied_key_may_be_granted_later(self, quota: Books) -> None:
        large = await grant(quota, "k1", 800)
        await denied(quota, "k2", 1)
        await quota.release(large)

        assert await grant(quota, "k2", 1)

    async def test_of_many_at_the_same_time_so_many_are_granted_as_fit(
        self, quota: Books, open_quota: OpenQuota
    ) -> None:
        other = await open_quota(tiers(), Mode.RESERVE)

        decisions = await asyncio.gather(*(ask((quota, other)[number % 2], f"k{number}", 90) for number in range(24)))

        assert sum(isinstance(decision, Granted) for decision in decisions) == 800 // 90
        assert await standing(quota) == await standing(other) == (0, 720)

    async def test_a_burst_is_denied_until_it_is_over(self, open_quota: OpenQuota, clock: VirtualClock) -> None:
        every = timedelta(seconds=10)
        quota = await open_quota(tiers(burst=Burst(calls=2, every=every)), Mode.RESERVE)
        await grant(quota, "k1")
        await grant(quota, "k2")

        refused = await denied(quota, "k3")
        clock.advance(refused.retry_after - MICROSECOND)
        early = await denied(quota, "k3")
        clock.advance(early.retry_after)

        assert (refused.reason, refused.retry_after, early.retry_after) == (DenialReason.BURST, every, MICROSECOND)
        assert await grant(quota, "k3")
        assert await grant(quota, tenant_id="t2")

    async def test_a_clock_that_is_set_back_ends_a_burst_instead_of_all_grants(
        self, open_quota: OpenQuota, clock: VirtualClock
    ) -> None:
        quota = await open_quota(tiers(burst=Burst(calls=2, every=timedelta(minutes=1))), Mode.RESERVE)
        await grant(quota, "k1")
        clock.jump(NOON - timedelta(hours=6))

        assert await grant(quota, "k2")
        assert await grant(quota, "k3")
        assert (await denied(quota, "k4")).reason is DenialReason.BURST

    async def test_a_burst_goes_on_over_the_end_of_a_window(self, open_quota: OpenQuota, clock: VirtualClock) -> None:
        quota = await open_quota(tiers(burst=Burst(calls=1, every=timedelta(minutes=1))), Mode.RESERVE)
        clock.jump(MIDNIGHT + DAY - timedelta(seconds=1))
        await grant(quota, "k1")

        clock.advance(timedelta(seconds=1))

        assert (await denied(quota, "k2")).retry_after == timedelta(seconds=59)

    @pytest.mark.parametrize(("estimate", "key", "ttl"), [(0, "k", TTL), (-1, "k", TTL), (1, "", TTL), (1, "k", -TTL)])
    async def test_what_makes_no_sense_is_refused(self, quota: Books, estimate: int, key: str, ttl: timedelta) -> None:
        with pytest.raises(InvalidInputError):
            await quota.reserve("t1", estimate, budget=Budget.ANALYSIS, key=key, ttl=ttl)

    async def test_a_changed_limit_counts_at_once(self, quota: Books, open_quota: OpenQuota) -> None:
        await quota.commit(await grant(quota, "k1", 500), 500)
        lower, higher = await open_quota(tiers(400), Mode.RESERVE), await open_quota(tiers(2_000), Mode.RESERVE)

        assert (await denied(lower, "k2", 10)).remaining == 0
        assert await grant(higher, "k2", 900)
