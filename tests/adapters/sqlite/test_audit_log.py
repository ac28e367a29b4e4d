"""Nobody changes or removes what the audit log of a SQLite file says."""

import sqlite3

import pytest

from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.domain.fixtures import a_job
from cronicorn.domain.permission import Operation
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.access import ALL, doing


@pytest.mark.parametrize("statement", ["UPDATE audit_log SET actor = 'nobody'", "DELETE FROM audit_log"])
async def test_the_file_itself_refuses_it(tmp_path, statement):
    stores = await SqliteStores.open(tmp_path / "cronicorn.db", VirtualClock())
    await stores.jobs.add(a_job(), doing(Operation.JOB_CREATE))
    connection = sqlite3.connect(tmp_path / "cronicorn.db")

    with pytest.raises(sqlite3.IntegrityError, match="only grows"):
        connection.execute(statement)

    connection.close()
    assert [entry.actor for entry in await stores.audit_log.list("t1", ALL)] == ["ann"]
    await stores.aclose()
