"""What stores of quotas promise that have to be kept small."""

from datetime import timedelta
from typing import Any

from cronicorn.domain.instant import shifted
from cronicorn.domain.quota.book import BOOKS_KEPT
from cronicorn.domain.quota.decision import GRANT_KEPT, Granted, Mode
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.quota_books import (
    DAY,
    NOON,
    TTL,
    Books,
    OpeningQuota,
    OpenQuota,
    ask,
    grant,
    standing,
    tiers,
)

MANY = 100


class UpkeepContract(OpeningQuota):
    """Subclass this with an `open_quota` fixture whose quotas are QuotaUpkeep as well."""

    async def test_grants_go_a_day_after_their_time_and_in_portions(
        self, open_quota: OpenQuota, clock: VirtualClock
    ) -> None:
        quota, upkeep = await self._opened(open_quota)
        for number in range(5):
            await quota.commit(await grant(quota, f"k{number}"), 10)
        clock.advance(TTL + GRANT_KEPT - timedelta(seconds=1))
        early = await upkeep.prune(shifted(clock.now(), DAY), MANY)
        clock.advance(timedelta(seconds=1))

        gone = [await upkeep.prune(clock.now(), 2) for _ in range(4)]

        assert (early, gone) == (0, [2, 2, 1, 0])
        clock.jump(NOON)
        assert await standing(quota) == (50, 0)

    async def test_a_grant_that_nobody_ended_is_charged_before_it_goes(
        self, open_quota: OpenQuota, clock: VirtualClock
    ) -> None:
        quota, upkeep = await self._opened(open_quota)
        for tenant_id in ("t1", "t2"):
            await grant(quota, "lost", tenant_id=tenant_id)
        clock.advance(TTL + GRANT_KEPT)

        for _ in range(4):
            await upkeep.prune(clock.now(), MANY)

        clock.jump(NOON)
        assert [await standing(quota, tenant_id) for tenant_id in ("t1", "t2")] == [(100, 0), (100, 0)]
        assert isinstance(await ask(quota, "lost"), Granted)
        assert await standing(quota) == (100, 100)

    async def test_a_grant_in_progress_stays_and_so_does_the_book_of_this_year(
        self, open_quota: OpenQuota, clock: VirtualClock
    ) -> None:
        quota, upkeep = await self._opened(open_quota)
        await quota.commit(await grant(quota, "k1"), 10)
        clock.jump(shifted(NOON, BOOKS_KEPT - DAY))
        await grant(quota, "k2")

        assert await upkeep.prune(shifted(clock.now(), DAY), MANY) == 0
        assert await standing(quota) == (0, 100)
        clock.jump(NOON)
        assert await standing(quota) == (10, 0)

    async def test_a_book_goes_when_its_window_is_long_over(self, open_quota: OpenQuota, clock: VirtualClock) -> None:
        quota, upkeep = await self._opened(open_quota)
        await quota.record_usage("t1", 10)
        clock.jump(shifted(NOON, BOOKS_KEPT + DAY))

        await upkeep.prune(clock.now(), MANY)

        clock.jump(NOON)
        assert await standing(quota) == (0, 0)

    async def _opened(self, open_quota: OpenQuota) -> tuple[Books, Any]:
        quota = await open_quota(tiers(), Mode.RESERVE)
        return quota, quota
