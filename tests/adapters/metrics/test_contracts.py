"""What is observed keeps its promises."""

from dataclasses import replace

import pytest

from cronicorn.adapters.memory.stores import MemoryStores
from cronicorn.adapters.metrics.observed_job_store import ObservedJobStore
from cronicorn.adapters.metrics.prometheus import Metrics
from cronicorn.testing.contracts.job_store import JobStoreContract


class TestObservedJobStore(JobStoreContract):
    @pytest.fixture
    async def stores(self, clock):
        stores = MemoryStores.open(clock)
        observed = ObservedJobStore(stores.job_store, Metrics(), monotonic=clock.monotonic)
        return replace(stores, job_store=observed)
