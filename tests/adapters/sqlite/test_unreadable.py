"""A stored endpoint that can't be read harms no other."""

import sqlite3
from datetime import timedelta

from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.domain.editing import started
from cronicorn.domain.fixtures import a_job, an_endpoint
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.cron import EveryMinuteCron


async def test_an_endpoint_that_cannot_be_read_is_set_aside_and_its_batch_mates_are_claimed(tmp_path, caplog):
    clock = VirtualClock()
    stores = await SqliteStores.open(tmp_path / "jobs.db", clock)
    await stores.jobs.add(a_job())
    for name in ("good", "bad", "fine"):
        endpoint = an_endpoint(id=name, name=name)
        await stores.endpoints.add(endpoint, lambda _job, new, now: started(new, now, EveryMinuteCron()))
    with sqlite3.connect(tmp_path / "jobs.db") as connection:
        connection.execute("UPDATE endpoints SET document = '{}' WHERE id = 'bad'")
    clock.advance(timedelta(minutes=2))

    leases = await stores.job_store.claim_due(worker_id="w1", limit=10, ttl=timedelta(seconds=30))

    assert [lease.endpoint.id for lease in leases] == ["good", "fine"]
    assert "endpoint_unreadable" in caplog.text
    assert await stores.job_store.claim_due(worker_id="w1", limit=10, ttl=timedelta(seconds=30)) == []
    await stores.aclose()
