"""What is observed keeps its promises."""

from dataclasses import replace

import pytest

from cronicorn.adapters.metrics.observed_job_store import ObservedJobStore
from cronicorn.adapters.metrics.prometheus import Metrics
from cronicorn.testing.contracts.job_store import JobStoreContract
from cronicorn.wiring.database_url import DatabaseUrl
from cronicorn.wiring.stores import open_stores


class TestObservedJobStore(JobStoreContract):
    @pytest.fixture
    async def stores(self, clock):
        stores = await open_stores(DatabaseUrl("memory"), clock, durable=False)
        observed = ObservedJobStore(stores.job_store, Metrics(), clock)
        return replace(stores, job_store=observed)
