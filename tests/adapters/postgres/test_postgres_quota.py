"""The quota in PostgreSQL keeps the promises of its ports."""

import pytest

from cronicorn.adapters.postgres.database import PostgresDatabase
from cronicorn.adapters.postgres.quota import PostgresQuota
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.instant import shifted
from cronicorn.domain.quota.book import BOOKS_KEPT
from cronicorn.domain.quota.decision import GRANT_KEPT, Mode
from cronicorn.testing.contracts.quota import QuotaContract
from cronicorn.testing.contracts.quota_books import DAY, TTL, grant, standing, tiers
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


async def _values(quota, statement):
    async with quota._database.connection() as connection:
        return [record[0] for record in await connection.fetch(statement)]
