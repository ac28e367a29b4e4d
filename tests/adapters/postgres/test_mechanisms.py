"""The mechanisms beside leases in PostgreSQL keep what they promise, whatever the server lacks and how it isolates."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cronicorn.adapters.postgres.job_store import PostgresJobStore
from cronicorn.adapters.postgres.legacy import PostgresLegacyJobStore
from cronicorn.adapters.postgres.optimistic import PostgresOptimisticJobStore
from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.domain.mechanism import Mechanism
from cronicorn.testing.contracts.job_store import JobStoreContract
from cronicorn.testing.contracts.mechanisms import LegacyContract, OptimisticContract
from cronicorn.testing.contracts.rollups import RollupsContract
from cronicorn.testing.contracts.run_book import RunBookContract
from cronicorn.testing.contracts.shares import SharesContract
from tests.adapters.postgres.variants import VARIANTS

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("variant", VARIANTS)
class InDatabase:
    """Closes what a test has opened."""

    @pytest.fixture
    async def opened(self, clock, postgres_url, variant):
        stores = await PostgresStores.open(postgres_url, clock, VARIANTS[variant])
        self.made: list[PostgresJobStore] = []
        yield stores
        for made in self.made:
            await made.aclose()
        await stores.aclose()

    def closing(self, store):
        self.made.append(store)
        return store


class Legacy(InDatabase):
    mechanism = Mechanism.LEGACY

    @pytest.fixture
    async def stores(self, opened):
        return replace(opened, job_store=self.closing(PostgresLegacyJobStore(opened.database, lock=SECOND)))


class Optimistic(InDatabase):
    mechanism = Mechanism.OPTIMISTIC

    @pytest.fixture
    async def stores(self, opened):
        return replace(opened, job_store=self.closing(PostgresOptimisticJobStore(opened.database, spread=1)))


class TestLegacyJobStore(Legacy, JobStoreContract):
    pass


class TestLegacyRunBook(Legacy, RunBookContract):
    pass


class TestOptimisticRunBook(Optimistic, RunBookContract):
    pass


class TestOptimisticRollups(Optimistic, RollupsContract):
    pass


class TestOptimisticJobStore(Optimistic, JobStoreContract):
    pass


class TestLegacy(Legacy, LegacyContract):
    def locks(self, stores, lock):
        return self.closing(PostgresLegacyJobStore(stores.database, lock=lock))

    def leases(self, stores):
        return self.closing(PostgresJobStore(stores.database))


class TestOptimistic(Optimistic, OptimisticContract):
    def versions(self, stores, spread=1):
        return self.closing(PostgresOptimisticJobStore(stores.database, spread=spread))

    def leases(self, stores):
        return self.closing(PostgresJobStore(stores.database))


class TestSharesOfLeases(Legacy, SharesContract):
    def of_share(self, stores, share):
        return self.closing(PostgresJobStore(stores.database, share=share))


class TestSharesOfLocks(Legacy, SharesContract):
    def of_share(self, stores, share):
        return self.closing(PostgresLegacyJobStore(stores.database, share=share))


class TestSharesWithoutLocks(Optimistic, SharesContract):
    def of_share(self, stores, share):
        return self.closing(PostgresOptimisticJobStore(stores.database, share=share))
