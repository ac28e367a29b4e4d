"""A store whose claims a lock service arbitrates keeps what its mechanism promises.

One clock judges the database and a service in this process, so that time stands still between two steps. That the real
services keep the promises of theirs is shown in tests/adapters/redis and tests/adapters/etcd, and what comes of both
together, in real time, in test_external.
"""

import pytest

from cronicorn.domain.mechanism import Mechanism
from cronicorn.testing.contracts.claims import ClaimContract, LeaseContract
from cronicorn.testing.contracts.job_store import JobStoreContract
from cronicorn.testing.contracts.run_book import RunBookContract
from tests.adapters.postgres.external_store import open_judged
from tests.adapters.postgres.shards import divide
from tests.adapters.postgres.variants import VARIANTS


class InBoth(JobStoreContract, RunBookContract):
    @pytest.fixture
    async def stores(self, clock, postgres_url, variant):
        stores = await open_judged(postgres_url, clock, VARIANTS[variant], mechanism=self.mechanism)
        yield stores
        await stores.aclose()


@pytest.mark.parametrize("variant", VARIANTS)
class TestRedis(InBoth):
    mechanism = Mechanism.REDIS


@pytest.mark.parametrize("variant", ["default"])
class TestEtcd(InBoth):
    mechanism = Mechanism.ETCD


class TestShards(ClaimContract, LeaseContract):
    mechanism = Mechanism.REDIS

    @pytest.fixture
    async def stores(self, clock, postgres_url):
        await divide(postgres_url, 4)
        stores = await open_judged(postgres_url, clock, mechanism=self.mechanism)
        yield stores
        await stores.aclose()
