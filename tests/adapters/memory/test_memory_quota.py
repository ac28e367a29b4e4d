"""The quota in memory keeps the promises of its ports."""

import pytest

from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.adapters.memory.quota import MemoryQuota
from cronicorn.domain.instant import shifted
from cronicorn.domain.quota.book import BOOKS_KEPT
from cronicorn.domain.quota.decision import GRANT_KEPT
from cronicorn.testing.contracts.quota import QuotaContract
from cronicorn.testing.contracts.quota_books import DAY, TTL, grant, standing
from cronicorn.testing.contracts.quota_modes import AdvisoryContract


class TestMemoryQuota(QuotaContract, AdvisoryContract):
    @pytest.fixture
    def database(self, clock):
        return MemoryDatabase(clock)

    @pytest.fixture
    async def open_quota(self, database):
        async def opened(terms, mode):
            return MemoryQuota(database, terms, mode)

        return opened

    async def test_what_is_old_is_forgotten_with_a_new_window(self, quota, database, clock):
        await grant(quota)
        await standing(quota, "t2")

        clock.advance(TTL + GRANT_KEPT)
        await standing(quota)
        grants = len(database.grants)
        clock.jump(shifted(clock.now(), BOOKS_KEPT + DAY))
        await standing(quota)

        assert (grants, {key.tenant_id for key in database.books}, len(database.books)) == (0, {"t1", "t2"}, 2)

    async def test_a_grant_that_still_counts_as_reserved_is_not_forgotten(self, quota, database, clock):
        await grant(quota)

        assert not database.grants[await grant(quota)].forgotten(shifted(clock.now(), TTL + 9 * GRANT_KEPT))
