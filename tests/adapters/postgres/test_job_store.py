"""The job store in PostgreSQL keeps the promises of its port, whatever the server lacks and however it isolates."""

import pytest

from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.testing.contracts.job_store import JobStoreContract
from tests.adapters.postgres.shards import divide
from tests.adapters.postgres.variants import VARIANTS


@pytest.mark.parametrize("variant", VARIANTS)
class TestJobStore(JobStoreContract):
    @pytest.fixture
    async def stores(self, clock, postgres_url, variant):
        stores = await PostgresStores.open(postgres_url, clock, VARIANTS[variant])
        yield stores
        await stores.aclose()


class TestJobStoreInShards(JobStoreContract):
    @pytest.fixture
    async def stores(self, clock, postgres_url):
        await divide(postgres_url, 4)
        stores = await PostgresStores.open(postgres_url, clock)
        yield stores
        await stores.aclose()
