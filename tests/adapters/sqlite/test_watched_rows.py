"""Rows of watches: one that can't be read harms no other, and an upgrade or a copy makes those that are missing."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from importlib import import_module

import pytest

from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.domain.endpoint import AnalysisSwitch
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.settlement import Change
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import TENANT, plant

TTL = timedelta(minutes=1)
RULED = {"description": "What matters.", "policy": Policy()}


@pytest.mark.parametrize("ruin", [
    "UPDATE watches SET memory = '[]' WHERE endpoint_number = 1",
    "UPDATE watches SET memory = '{' WHERE endpoint_number = 1",
    "UPDATE endpoints SET document = '{' WHERE number = 1",
    "UPDATE schedule SET state = '[]' WHERE endpoint_number = 1",
])  # fmt: skip
async def test_a_row_that_can_not_be_read_harms_no_other(ruin, tmp_path, caplog):
    stores = await SqliteStores.open(tmp_path / "jobs.db", VirtualClock())
    await plant(stores, "bad", "fine", analysis=AnalysisSwitch(enabled=True))
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as connection, connection:
        connection.execute(ruin)

    claimed = await stores.watches.claim_due(claim_id="c1", limit=10, ttl=TTL)

    assert "fine" in {watch.endpoint.id for watch in claimed}
    told = {record.getMessage() for record in caplog.records}
    assert told == ({"endpoint_unreadable"} if len(claimed) == 1 else set())
    assert await stores.watches.claim_due(claim_id="c2", limit=10, ttl=TTL) == []
    await stores.aclose()


async def test_an_upgrade_watches_what_has_a_description_and_a_policy(tmp_path):
    path = tmp_path / "jobs.db"
    stores = await SqliteStores.open(path, VirtualClock())
    await plant(stores, "ruled", **RULED)
    await plant(stores, "empty", description="", policy=Policy())
    await plant(stores, "plain", description="What matters.")
    await stores.aclose()
    migration = import_module("cronicorn.adapters.sqlite.migrations.versions.0004_analyses")
    with closing(sqlite3.connect(path)) as connection:
        made = connection.execute("SELECT endpoint_number FROM watches").fetchall()
        connection.execute("DELETE FROM watches")
        connection.execute(migration._WATCH)
        upgraded = connection.execute("SELECT endpoint_number FROM watches").fetchall()

    assert made == upgraded == [(1,)]


async def test_an_archived_endpoint_is_watched_no_more(tmp_path):
    stores = await SqliteStores.open(tmp_path / "jobs.db", VirtualClock())
    await plant(stores, "ep1", analysis=AnalysisSwitch(enabled=True), **RULED)
    for archived_at in (MIDNIGHT, None):

        def edit(endpoint, _job, _stored, at=archived_at):
            return Change(endpoint=replace(endpoint, archived_at=at))

        await stores.endpoints.change(TENANT, "ep1", edit)
        claimed = await stores.watches.claim_due(claim_id=str(archived_at), limit=10, ttl=timedelta(microseconds=1))
        assert len(claimed) == (archived_at is None)
    await stores.aclose()
