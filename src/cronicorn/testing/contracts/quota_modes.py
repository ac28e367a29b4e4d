"""The façade, and the modes beside `reserve`."""

import asyncio

import pytest

from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.quota.allowance import Budget
from cronicorn.domain.quota.book import RESERVED_PAUSE
from cronicorn.domain.quota.decision import DenialReason, Granted, Mode
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.quota_books import (
    DAY,
    LIMIT,
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


class GuardContract(OpeningQuota):
    """The façade and the other modes. Subclass this with an `open_quota` fixture."""

    async def test_a_tenant_may_proceed_until_its_limit_is_used_up(self, quota: Books) -> None:
        await quota.record_usage("t1", LIMIT - 1)
        before = await quota.can_proceed("t1")
        await quota.record_usage("t1", 100)

        assert (before, await quota.can_proceed("t1")) == (True, False)
        assert await standing(quota) == (LIMIT + 99, 0)
        assert await quota.can_proceed("t2")

    async def test_what_is_reserved_keeps_nobody_from_proceeding(self, quota: Books) -> None:
        await grant(quota, "k1", LIMIT, budget=Budget.COMPILE)

        assert await quota.can_proceed("t1")

    async def test_recorded_usage_leaves_less_to_reserve(self, quota: Books) -> None:
        await quota.record_usage("t1", 450)
        await quota.record_usage("t1", 450)

        assert (await denied(quota, "k1", 200, budget=Budget.COMPILE)).reason is DenialReason.LIMIT

    async def test_a_new_window_lets_a_tenant_proceed_again(self, quota: Books, clock: VirtualClock) -> None:
        await quota.record_usage("t1", LIMIT)
        clock.jump(MIDNIGHT + DAY)

        assert await quota.can_proceed("t1")

    async def test_soft_lets_everybody_through_who_comes_before_the_limit_is_used_up(
        self, open_quota: OpenQuota
    ) -> None:
        quota = await open_quota(tiers(), Mode.SOFT)
        early = [await grant(quota, f"k{number}", 500, budget=Budget.COMPILE) for number in range(4)]
        await quota.commit(early[0], LIMIT - 1)
        last = await grant(quota, "last", 500, budget=Budget.COMPILE)

        await quota.commit(early[1], 500)
        refused = await denied(quota, "late", 1, budget=Budget.COMPILE)
        for grant_id in (*early[2:], last):
            await quota.commit(grant_id, 500)

        assert refused.reason is DenialReason.LIMIT
        assert await standing(quota) == (LIMIT - 1 + 4 * 500, 0)

    async def test_soft_keeps_its_analyses_from_what_is_kept_for_compiling(self, open_quota: OpenQuota) -> None:
        quota = await open_quota(tiers(), Mode.SOFT)
        await quota.commit(await grant(quota, "k1", 800), 800)

        assert (await denied(quota, "k2", 1)).reason is DenialReason.BUDGET
        assert await grant(quota, "k2", 1, budget=Budget.COMPILE)

    async def test_soft_lets_calls_of_both_kinds_and_of_all_processes_into_one_room(
        self, open_quota: OpenQuota
    ) -> None:
        room = tiers(soft_room=250)
        quota, other = await open_quota(room, Mode.SOFT), await open_quota(room, Mode.SOFT)
        first = await grant(quota, "k1", 150)

        refused = await denied(other, "k2", 101, budget=Budget.COMPILE)
        beside = await grant(other, "k2", 100, budget=Budget.COMPILE)
        full = await denied(quota, "k3", 1)
        await quota.commit(first, 10)
        again = await grant(other, "k3", 150)
        never = await denied(other, "k4", 251)

        assert (refused.reason, full.reason, never.reason) == (
            DenialReason.RESERVED,
            DenialReason.RESERVED,
            DenialReason.TOO_LARGE,
        )
        assert full.retry_after <= RESERVED_PAUSE
        assert len({first, beside, again}) == 3
        assert await standing(quota) == (10, 250)

    async def test_soft_grants_so_many_at_the_same_time_as_there_is_room_for(self, open_quota: OpenQuota) -> None:
        room = tiers(soft_room=250)
        quotas = [await open_quota(room, Mode.SOFT) for _ in range(2)]

        decisions = await asyncio.gather(*(ask(quotas[number % 2], f"k{number}", 60) for number in range(24)))

        assert sum(isinstance(decision, Granted) for decision in decisions) == 250 // 60
        assert await standing(quotas[0]) == (0, 240)

    async def test_soft_charges_a_call_whose_usage_was_never_recorded(
        self, open_quota: OpenQuota, clock: VirtualClock
    ) -> None:
        quota = await open_quota(tiers(), Mode.SOFT)
        await grant(quota)

        clock.advance(TTL)

        assert await standing(quota) == (100, 0)


class AdvisoryContract(OpeningQuota):
    """The mode `advisory`, where a store offers it. Subclass this with an `open_quota` fixture."""

    @pytest.fixture
    async def advisory(self, open_quota: OpenQuota) -> Books:
        """LIMIT tokens a day, charged at once."""
        return await open_quota(tiers(), Mode.ADVISORY)

    async def test_advisory_charges_the_estimate_at_once_and_corrects_it_once(self, advisory: Books) -> None:
        grant_id = await grant(advisory)
        before = await standing(advisory)

        await advisory.commit(grant_id, 30)
        await advisory.commit(grant_id, 60)

        assert (before, await standing(advisory)) == ((100, 0), (30, 0))

    async def test_advisory_takes_the_charge_of_a_released_grant_back(self, advisory: Books) -> None:
        await advisory.release(await grant(advisory))

        assert await standing(advisory) == (0, 0)

    async def test_advisory_keeps_the_charge_of_a_grant_that_nobody_ends(
        self, advisory: Books, clock: VirtualClock
    ) -> None:
        await grant(advisory)
        clock.advance(TTL)

        assert await standing(advisory) == (100, 0)

    async def test_advisory_grants_so_many_at_the_same_time_as_fit(
        self, advisory: Books, open_quota: OpenQuota
    ) -> None:
        other = await open_quota(tiers(), Mode.ADVISORY)

        decisions = await asyncio.gather(
            *(ask((advisory, other)[number % 2], f"k{number}", 90) for number in range(24))
        )

        assert sum(isinstance(decision, Granted) for decision in decisions) == 800 // 90
        assert await standing(advisory) == (720, 0)

    async def test_advisory_and_reserve_may_keep_the_same_books(self, advisory: Books, quota: Books) -> None:
        await grant(advisory, "k1", 300)
        await grant(quota, "k2", 300)

        assert await standing(advisory) == await standing(quota) == (300, 300)
        assert await grant(quota, "k1") == await grant(advisory, "k1")
