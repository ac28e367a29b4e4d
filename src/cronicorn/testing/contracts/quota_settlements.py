"""How a grant ends, and in which window."""

import asyncio
from datetime import timedelta

import pytest

from cronicorn.domain.calendar import Calendar, Period
from cronicorn.domain.errors import InvalidInputError, NotFoundError
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.instant import MICROSECOND
from cronicorn.domain.quota.allowance import Allowance, Tiers
from cronicorn.domain.quota.decision import DenialReason, Mode
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.quota_books import (
    DAY,
    TTL,
    Books,
    OpeningQuota,
    OpenQuota,
    denied,
    grant,
    standing,
    tiers,
)


class _MonthsForOne(Tiers):
    """The usual tiers, but for one tenant."""

    async def of(self, tenant_id: str) -> Allowance:
        one = Allowance(limit=7, calendar=Calendar(period=Period.MONTH))
        return one if tenant_id == "t2" else self.allowances[self.default]


class SettlementContract(OpeningQuota):
    """Subclass this with an `open_quota` fixture."""

    async def test_a_committed_grant_is_charged_what_was_used(self, quota: Books) -> None:
        await quota.commit(await grant(quota), 30)

        assert await standing(quota) == (30, 0)

    async def test_only_the_first_end_of_a_grant_counts(self, quota: Books) -> None:
        committed, released = await grant(quota, "k1"), await grant(quota, "k2")
        await quota.commit(committed, 30)
        await quota.release(released)

        for grant_id in (committed, released):
            await quota.commit(grant_id, 70)
            await quota.release(grant_id)

        assert await standing(quota) == (30, 0)

    async def test_the_same_commit_many_times_at_once_charges_once(self, quota: Books) -> None:
        grant_id = await grant(quota)

        await asyncio.gather(*(quota.commit(grant_id, 30) for _ in range(8)))

        assert await standing(quota) == (30, 0)

    async def test_where_nobody_knows_what_was_used_the_estimate_is_charged(self, quota: Books) -> None:
        await quota.commit(await grant(quota), None)

        assert await standing(quota) == (100, 0)

    async def test_what_was_used_is_charged_also_above_the_estimate_and_the_limit(self, quota: Books) -> None:
        await quota.commit(await grant(quota), 5_000)

        assert await standing(quota) == (5_000, 0)
        assert (await quota.remaining("t1")).remaining == 0

    async def test_a_released_grant_is_charged_nothing(self, quota: Books) -> None:
        await quota.release(await grant(quota))

        assert await standing(quota) == (0, 0)

    async def test_a_grant_that_was_never_made_is_not_found(self, quota: Books) -> None:
        with pytest.raises(NotFoundError):
            await quota.commit("0" * 32, 1)
        with pytest.raises(NotFoundError):
            await quota.release("0" * 32)

    @pytest.mark.parametrize("actual", [-1, 10**13])
    async def test_what_nobody_can_have_used_is_refused(self, quota: Books, actual: int) -> None:
        with pytest.raises(InvalidInputError):
            await quota.commit(await grant(quota), actual)
        with pytest.raises(InvalidInputError):
            await quota.record_usage("t1", actual)

        assert await standing(quota) == (0, 100)

    async def test_a_grant_that_nobody_ends_is_charged_its_estimate_when_its_time_is_up(
        self, quota: Books, clock: VirtualClock
    ) -> None:
        await grant(quota)

        clock.advance(TTL - MICROSECOND)
        before = await standing(quota)
        clock.advance(MICROSECOND)
        after = await standing(quota)

        assert (before, after) == ((0, 100), (100, 0))

    async def test_whoever_reserves_next_charges_what_has_expired(self, quota: Books, clock: VirtualClock) -> None:
        await grant(quota, "k1", 800)
        clock.advance(TTL)

        refused = await denied(quota, "k2")

        assert refused.reason is DenialReason.BUDGET

    @pytest.mark.parametrize("seen", [False, True])
    async def test_a_late_commit_corrects_the_charge_once(
        self, quota: Books, clock: VirtualClock, *, seen: bool
    ) -> None:
        grant_id = await grant(quota)
        clock.advance(2 * TTL)
        if seen:
            assert await standing(quota) == (100, 0)

        await quota.commit(grant_id, 30)
        await quota.commit(grant_id, 60)

        assert await standing(quota) == (30, 0)

    async def test_a_late_release_takes_the_charge_back(self, quota: Books, clock: VirtualClock) -> None:
        grant_id = await grant(quota)
        clock.advance(2 * TTL)
        assert await standing(quota) == (100, 0)

        await quota.release(grant_id)

        assert await standing(quota) == (0, 0)

    async def test_a_grant_belongs_to_the_window_in_which_it_was_made(self, quota: Books, clock: VirtualClock) -> None:
        clock.jump(MIDNIGHT + DAY - timedelta(minutes=1))
        committed, released, expired = [await grant(quota, key) for key in ("k1", "k2", "k3")]
        clock.advance(timedelta(minutes=1))
        fresh = await standing(quota)

        await quota.commit(committed, 40)
        await quota.release(released)
        clock.advance(TTL)
        after = await standing(quota)

        assert (fresh, after) == ((0, 0), (0, 0))
        assert await grant(quota, "k3") == expired
        clock.jump(MIDNIGHT + DAY - timedelta(seconds=1))
        assert await standing(quota) == (140, 0)

    @pytest.mark.parametrize(
        ("calendar", "reset_at"),
        [
            (Calendar(period=Period.MONTH), MIDNIGHT + 31 * DAY),
            (Calendar(period=Period.DAY), MIDNIGHT + DAY),
        ],
    )
    async def test_a_window_lasts_as_long_as_its_calendar_says(
        self, open_quota: OpenQuota, clock: VirtualClock, calendar: Calendar, reset_at: object
    ) -> None:
        quota = await open_quota(tiers(calendar=calendar), Mode.RESERVE)
        await quota.commit(await grant(quota), 100)
        seen = await quota.remaining("t1")
        assert seen.reset_at == reset_at

        clock.jump(seen.reset_at - MICROSECOND)
        last = await standing(quota)
        clock.advance(MICROSECOND)

        assert (last, await standing(quota)) == ((100, 0), (0, 0))

    async def test_tenants_with_calendars_of_their_own_keep_their_own_books(self, open_quota: OpenQuota) -> None:
        quota = await open_quota(_MonthsForOne(), Mode.RESERVE)
        await quota.record_usage("t2", 3)

        first, second = await quota.remaining("t1"), await quota.remaining("t2")

        assert (first.limit, first.used, first.reset_at) == (10_000, 0, MIDNIGHT + DAY)
        assert (second.limit, second.used, second.reset_at) == (7, 3, MIDNIGHT + 31 * DAY)
