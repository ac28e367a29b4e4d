"""What is left of an endpoint whose deletion is interrupted."""

import pytest

from cronicorn.adapters.postgres.endpoint_catalog import PostgresEndpointCatalog
from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.domain.errors import NotFoundError
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import MINUTE, TENANT, plant, run_once
from tests.adapters.failing_writes import failing_after


async def test_an_endpoint_is_deleted_although_its_history_can_not_go_with_it(postgres_url, caplog):
    clock = VirtualClock()
    stores = await PostgresStores.open(postgres_url, clock)
    await plant(stores)
    run = await run_once(stores, clock)

    await PostgresEndpointCatalog(failing_after(1, stores.database)).delete(TENANT, "ep1")

    assert "history_left_to_prune" in caplog.text
    for asked in (stores.endpoints.get(TENANT, "ep1"), stores.runs.get(TENANT, run.id)):
        with pytest.raises(NotFoundError):
            await asked
    assert await stores.runs.prune(clock.now() + MINUTE, 10) == 1
    await stores.aclose()
