"""A stored endpoint that can't be read harms no other."""

import sqlite3
from datetime import timedelta

import pytest

from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import claim, plant
from tests.adapters.unreadable import RUINED

_RUIN = """
UPDATE schedule SET state = :state WHERE endpoint_number = (SELECT number FROM endpoints WHERE id = 'bad')
"""


@pytest.mark.parametrize("raised", RUINED)
async def test_an_endpoint_that_cannot_be_read_is_set_aside_and_its_batch_mates_are_claimed(raised, tmp_path, caplog):
    clock = VirtualClock()
    stores = await SqliteStores.open(tmp_path / "jobs.db", clock)
    await plant(stores, "good", "bad", "fine")
    document, state = RUINED[raised]
    with sqlite3.connect(tmp_path / "jobs.db") as connection:
        connection.execute("UPDATE endpoints SET document = ? WHERE id = 'bad'", [document])
        connection.execute(_RUIN, {"state": state})
    clock.advance(timedelta(minutes=2))

    leases = await claim(stores)

    assert [lease.endpoint.id for lease in leases] == ["good", "fine"]
    (told,) = [record for record in caplog.records if record.getMessage() == "endpoint_unreadable"]
    assert told.exc_info[0].__name__ == raised
    assert await claim(stores) == []
    await stores.aclose()
