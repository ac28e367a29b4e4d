"""The quota in PostgreSQL keeps the promises of its ports."""

import asyncio
from datetime import timedelta

import pytest

from cronicorn.adapters.postgres.database import PostgresDatabase
from cronicorn.adapters.postgres.quota import PostgresQuota
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.instant import shifted
from cronicorn.domain.quota.allowance import Budget, Burst
from cronicorn.domain.quota.book import BOOKS_KEPT
from cronicorn.domain.quota.decision import GRANT_KEPT, DenialReason, Denied, Mode
from cronicorn.testing.contracts.quota import QuotaContract
from cronicorn.testing.contracts.quota_books import DAY, TTL, ask, grant, standing, tiers
from cronicorn.testing.contracts.quota_modes import AdvisoryContract
from cronicorn.testing.contracts.quota_upkeep import UpkeepContract
from tests.adapters.postgres.variants import VARIANTS


@pytest.mark.parametrize("variant", VARIANTS)
class TestPostgresQuota(QuotaContract, AdvisoryContract, UpkeepContract):
    @pytest.fixture
    async def open_quota(self, clock, postgres_url, variant):
        opened = []

        async def open_another(terms, mode):
            opened.append(await PostgresDatabase.open(postgres_url, VARIANTS[variant], clock))
            return PostgresQuota(opened[-1], terms, mode)

        yield open_another
        for database in opened:
            await database.aclose()

    async def test_what_is_old_is_forgotten_with_a_new_window(self, quota, clock):
        await quota.commit(await grant(quota, "old"), 1)
        await grant(quota, "k1", tenant_id="t2")

        clock.advance(TTL + GRANT_KEPT)
        fresh = await grant(quota)
        grants = await _values(quota, "SELECT id FROM cronicorn.quota_grants WHERE tenant_id = 't1'")
        clock.jump(shifted(clock.now(), BOOKS_KEPT + 2 * DAY))
        await quota.record_usage("t1", 1)
        books = await _values(quota, "SELECT tenant_id FROM cronicorn.quota_books ORDER BY number")

        assert grants == [fresh]
        assert books == ["t2", "t1"]
        assert await standing(quota, "t2") == (0, 0)

    async def test_a_database_that_is_closed_is_unavailable_and_nothing_is_reserved(self, quota, open_quota):
        other = await open_quota(tiers(), Mode.RESERVE)
        await quota._database.aclose()

        for command in (grant(quota), quota.remaining("t1"), quota.record_usage("t1", 1), quota.commit("x", 1)):
            with pytest.raises(UnavailableError):
                await command

        assert await standing(other) == (0, 0)

    async def test_a_book_that_is_gone_is_begun_anew(self, quota):
        await quota.record_usage("t1", 5)
        async with quota._database.connection() as connection:
            await connection.execute("DELETE FROM cronicorn.quota_books")

        assert await standing(quota) == (0, 0)
        assert await grant(quota)

    async def test_what_waits_for_one_book_is_reserved_in_one_transaction(self, quota):
        first = await ask(quota, "k0", 100)
        decisions = await _ask_at_once(quota, 100, 200, 300)
        compiled = await _ask_at_once(quota, 10, 20, budget=Budget.COMPILE, prefix="c")

        assert [each.remaining for each in (first, *decisions)] == [700, 600, 400, 100]
        assert [each.remaining for each in compiled] == [290, 270]
        assert len({each.grant_id for each in (first, *decisions, *compiled)}) == 6
        assert await standing(quota) == (0, 730)
        assert await _values(quota, PER_TRANSACTION) == [1, 2, 3]

    async def test_what_does_not_fit_together_is_decided_each_by_itself(self, quota):
        decisions = await _ask_at_once(quota, 300, 300, 300)

        assert sorted(each.remaining for each in decisions if not isinstance(each, Denied)) == [200, 500]
        assert [each.reason for each in decisions if isinstance(each, Denied)] == [DenialReason.RESERVED]
        assert await standing(quota) == (0, 600)

    async def test_a_key_that_is_known_or_named_twice_is_reserved_once(self, quota):
        known = await grant(quota, "k1", 100)

        first, again, other = await asyncio.gather(grant(quota, "k1"), grant(quota, "k2", 50), grant(quota, "k2", 50))

        assert first == known
        assert again == other != known
        assert await standing(quota) == (0, 150)

    async def test_what_has_expired_is_charged_before_others_are_reserved_together(self, quota, clock):
        await grant(quota, "old", 500)
        clock.advance(TTL)

        decisions = await _ask_at_once(quota, 200, 100)

        assert [each.remaining for each in decisions] == [100, 0]
        assert await standing(quota) == (500, 300)

    async def test_a_burst_ends_in_the_middle_of_those_that_ask_together(self, open_quota, clock):
        quota = await open_quota(tiers(burst=Burst(calls=4, every=timedelta(seconds=10))), Mode.RESERVE)
        pair = await _ask_at_once(quota, 1, 1)

        rest = await _ask_at_once(quota, 1, 1, 1, prefix="r")
        clock.advance(timedelta(seconds=20))
        later = await _ask_at_once(quota, 1, 1, prefix="l")

        (denial,) = (each for each in (*pair, *rest, *later) if isinstance(each, Denied))
        assert denial in rest
        assert (denial.reason, denial.retry_after) == (DenialReason.BURST, timedelta(seconds=10))
        assert await standing(quota) == (0, 6)

    async def test_whoever_gives_up_waiting_reserves_nothing(self, quota):
        await grant(quota)
        first = asyncio.create_task(ask(quota, "k2", 100))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        waiting = [asyncio.create_task(ask(quota, key, 100)) for key in ("k3", "k4")]
        await asyncio.sleep(0)
        waiting[0].cancel()

        assert (await first).remaining == 600
        assert (await waiting[1]).remaining == 500
        assert await standing(quota) == (0, 300)

    async def test_callers_that_have_gone_take_nothing_where_not_all_of_them_fit(self, quota):
        await grant(quota)
        gone = [asyncio.create_task(ask(quota, f"gone{number}", 10)) for number in range(100)]
        for _ in range(3):
            await asyncio.sleep(0)
        for task in gone:
            task.cancel()

        await asyncio.wait(gone)
        await asyncio.gather(*(ask(quota, f"later{number}", 10) for number in range(2)))

        assert await standing(quota) == (0, 120)


PER_TRANSACTION = "SELECT count(*) FROM cronicorn.quota_grants GROUP BY xmin ORDER BY 1"


async def _ask_at_once(quota, *estimates, budget=Budget.ANALYSIS, prefix="k1"):
    return await asyncio.gather(
        *(ask(quota, f"{prefix}{number}", estimate, budget=budget) for number, estimate in enumerate(estimates))
    )


async def _values(quota, statement):
    async with quota._database.connection() as connection:
        return [record[0] for record in await connection.fetch(statement)]
