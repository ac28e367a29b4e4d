"""A stored endpoint that can't be read harms no other, whatever keeps workers apart."""

from dataclasses import replace

import pytest

from cronicorn.adapters.postgres.optimistic import PostgresOptimisticJobStore
from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import MINUTE, claim, plant
from tests.adapters.postgres.external_store import open_judged
from tests.adapters.unreadable import RUINED


async def _unlocked(url, clock):
    stores = await PostgresStores.open(url, clock)
    return replace(stores, job_store=PostgresOptimisticJobStore(stores.database))


@pytest.mark.parametrize("raised", RUINED)
@pytest.mark.parametrize("opened", [PostgresStores.open, open_judged, _unlocked], ids=["lease", "redis", "optimistic"])
async def test_an_endpoint_that_cannot_be_read_is_set_aside_and_its_batch_mates_are_claimed(
    opened, raised, postgres_url, caplog
):
    clock = VirtualClock()
    stores = await opened(postgres_url, clock)
    await plant(stores, "good", "bad", "fine")
    document, state = RUINED[raised]
    async with stores.database.connection() as connection:
        await connection.fetch("UPDATE cronicorn.endpoints SET document = $1 WHERE id = 'bad'", document)
        await connection.fetch("UPDATE cronicorn.schedule SET state = $1 WHERE endpoint_id = 'bad'", state)
    clock.advance(2 * MINUTE)

    leases = await claim(stores)

    assert [lease.endpoint.id for lease in leases] == ["good", "fine"]
    (told,) = [record for record in caplog.records if record.getMessage() == "endpoint_unreadable"]
    assert told.exc_info[0].__name__ == raised
    await stores.aclose()
