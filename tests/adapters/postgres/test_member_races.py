"""Who comes in while their password is changed is out afterwards, whichever of the two is first."""

import asyncio
from dataclasses import replace

import pytest

from cronicorn.adapters.postgres.connecting import connect
from cronicorn.adapters.postgres.options import PostgresOptions
from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.access import a_member
from cronicorn.testing.contracts.issued_keys import settle_in
from cronicorn.testing.contracts.stores import TENANT
from tests.waiting import eventually_awaited

COMING_IN = "SELECT 1 FROM cronicorn.members WHERE id = $1 FOR SHARE"
BEGUN = "INSERT INTO cronicorn.signed_in (hash, member_id, created_us, seen_us) VALUES ('late', $1, $2, $2)"
WAITS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.mark.parametrize("left", [True, False])
async def test_a_session_that_begins_while_the_password_is_changed_ends_with_the_old_one(postgres_url, left):
    stores = await PostgresStores.open(postgres_url, VirtualClock())
    connection = await connect(postgres_url, PostgresOptions())
    ann = a_member()
    try:
        await settle_in(stores)
        await stores.members.add(ann, 10)
        # As `begin` does it: the member is looked at and locked, and then the session is written.
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(COMING_IN, ann.id)
        change = asyncio.create_task(
            stores.members.change(
                TENANT, ann.id, lambda before, now: replace(before, password="another") if left else None
            )
        )
        await eventually_awaited(lambda: _waits(postgres_url))
        await connection.execute(BEGUN, ann.id, 1_800_000_000_000_000)
        await transaction.commit()
        await change

        assert await stores.signed_in.find("late") is None
    finally:
        await connection.close()
        await stores.aclose()


async def _waits(url):
    looking = await connect(url, PostgresOptions())
    try:
        return bool(await looking.fetchval(WAITS))
    finally:
        await looking.close()
