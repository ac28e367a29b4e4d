"""What is observed keeps its promises."""

from dataclasses import replace

import pytest

from cronicorn.adapters.metrics.observed_job_store import ObservedJobStore
from cronicorn.adapters.metrics.observed_watches import ObservedDrafts, ObservedWatchStore
from cronicorn.adapters.metrics.prometheus import Metrics
from cronicorn.testing.contracts.drafts import DraftsContract
from cronicorn.testing.contracts.job_store import JobStoreContract
from cronicorn.testing.contracts.watches import WatchStoreContract
from cronicorn.wiring.database_url import DatabaseUrl
from cronicorn.wiring.stores import open_stores


class TestObservedJobStore(JobStoreContract):
    @pytest.fixture
    async def stores(self, clock):
        stores = await open_stores(DatabaseUrl("memory"), clock, durable=False)
        observed = ObservedJobStore(stores.job_store, Metrics(), clock)
        return replace(stores, job_store=observed)


class TestObservedWatchStore(WatchStoreContract):
    @pytest.fixture
    async def stores(self, clock):
        stores = await open_stores(DatabaseUrl("memory"), clock, durable=False)
        return replace(stores, watches=ObservedWatchStore(stores.watches, Metrics()))


class TestObservedDrafts(DraftsContract):
    @pytest.fixture
    async def stores(self, clock):
        stores = await open_stores(DatabaseUrl("memory"), clock, durable=False)
        return replace(stores, drafts=ObservedDrafts(stores.drafts, Metrics()))
