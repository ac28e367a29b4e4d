"""The quota in a SQLite file keeps the promises of its ports."""

import pytest

from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.quota import SqliteQuota
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.instant import shifted
from cronicorn.domain.quota.book import BOOKS_KEPT
from cronicorn.domain.quota.decision import GRANT_KEPT, Mode
from cronicorn.testing.contracts.quota import QuotaContract
from cronicorn.testing.contracts.quota_books import DAY, TTL, grant, standing, tiers
from cronicorn.testing.contracts.quota_modes import AdvisoryContract
from cronicorn.testing.contracts.quota_upkeep import UpkeepContract
from tests.adapters.sqlite.empty_database import copy_to


class TestSqliteQuota(QuotaContract, AdvisoryContract, UpkeepContract):
    @pytest.fixture
    async def open_quota(self, clock, tmp_path):
        opened = []
        path = copy_to(tmp_path / "cronicorn.db")

        async def open_another(terms, mode):
            opened.append(await SqliteDatabase.open(path, clock, readers=1))
            return SqliteQuota(opened[-1], terms, mode)

        yield open_another
        for database in opened:
            await database.aclose()

    async def test_what_is_old_is_forgotten_with_a_new_window(self, quota, clock):
        await quota.commit(await grant(quota, "old"), 1)
        await grant(quota, "k1", tenant_id="t2")

        clock.advance(TTL + GRANT_KEPT)
        fresh = await grant(quota)
        grants = await _values(quota, "SELECT id FROM quota_grants WHERE tenant_id = 't1'")
        clock.jump(shifted(clock.now(), BOOKS_KEPT + 2 * DAY))
        await quota.record_usage("t1", 1)
        books = await _values(quota, "SELECT tenant_id FROM quota_books ORDER BY number")

        assert grants == [fresh]
        assert books == ["t2", "t1", "t1"]  # the grant that nobody ended keeps its book
        assert await standing(quota, "t2") == (0, 0)

    async def test_a_file_that_is_closed_is_unavailable_and_nothing_is_reserved(self, quota, open_quota):
        other = await open_quota(tiers(), Mode.RESERVE)
        await quota._database.aclose()

        for command in (grant(quota), quota.remaining("t1"), quota.record_usage("t1", 1), quota.commit("x", 1)):
            with pytest.raises(UnavailableError):
                await command

        assert await standing(other) == (0, 0)


async def _values(quota, statement):
    rows = await quota._database.read(lambda transaction: transaction.connection.execute(statement).fetchall())
    return [row[0] for row in rows]
