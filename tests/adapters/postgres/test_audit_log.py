"""Nobody changes or removes what the audit log of a PostgreSQL database says."""

import asyncpg
import pytest

from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.domain.fixtures import a_job
from cronicorn.domain.permission import Operation
from cronicorn.testing.contracts.access import ALL, doing
from tests.servers.databases import fresh_database


@pytest.mark.parametrize(
    "statement", ["UPDATE cronicorn.audit_log SET actor = 'nobody'", "DELETE FROM cronicorn.audit_log",
                  "TRUNCATE cronicorn.audit_log"],
)  # fmt: skip
async def test_the_database_itself_refuses_it(statement):
    with fresh_database() as url:
        stores = await PostgresStores.open(url)
        await stores.jobs.add(a_job(), doing(Operation.JOB_CREATE))
        connection = await asyncpg.connect(url)

        with pytest.raises(asyncpg.RaiseError, match="only grows"):
            await connection.execute(statement)

        await connection.close()
        assert [entry.actor for entry in await stores.audit_log.list("t1", ALL)] == ["ann"]
        await stores.aclose()
