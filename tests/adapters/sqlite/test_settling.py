"""A settlement is decided on the endpoint as it was claimed, and once more when something was written meanwhile."""

from datetime import timedelta

import pytest

from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.domain.fixtures import a_run
from cronicorn.domain.plan import Source
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import MINUTE, ask_to_run, claim_one, deciding, endpoint_of, plant, rename
from tests.adapters.sqlite.empty_database import copy_to


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
async def stores(tmp_path, clock):
    stores = await SqliteStores.open(copy_to(tmp_path / "jobs.db"), clock)
    await plant(stores)
    clock.advance(MINUTE)
    yield stores
    await stores.aclose()


async def _settled(stores, lease):
    """The endpoints that were decided on, and how many statements that took."""
    run, seen = a_run(lease), []
    statements: list[str] = []
    decide = deciding(lease, run)

    def decision(endpoint, stored):
        seen.append(endpoint)
        return decide(endpoint, stored)

    await stores.database.write(lambda transaction: transaction.connection.set_trace_callback(statements.append))
    statements.clear()
    await stores.job_store.settle(lease, run, decision)
    await stores.database.write(lambda transaction: transaction.connection.set_trace_callback(None))
    return seen, statements[: statements.index("COMMIT") + 1]


async def test_what_nobody_touched_is_decided_once_and_written_by_two_statements(stores):
    lease = await claim_one(stores)

    seen, statements = await _settled(stores, lease)

    assert seen == [lease.endpoint]
    assert [statement.split()[0] for statement in statements] == ["BEGIN", "UPDATE", "INSERT", "COMMIT"]


async def test_an_edit_during_the_call_is_decided_on(stores):
    lease = await claim_one(stores)
    await rename(stores, "another")

    seen, _ = await _settled(stores, lease)

    assert [endpoint.name for endpoint in seen] == ["ep1", "another"]
    assert (await endpoint_of(stores)).name == "another"


async def test_a_manual_run_asked_for_during_the_call_is_kept(stores):
    lease = await claim_one(stores)
    await ask_to_run(stores)

    await _settled(stores, lease)

    assert (await endpoint_of(stores)).state.manual is not None


async def test_a_slot_given_to_a_test_call_during_the_call_is_not_given_again(stores):
    lease = await claim_one(stores)
    slot = await stores.run_control.record_test(a_run(lease, source=Source.TEST, fence=0))

    await _settled(stores, lease)

    assert (await endpoint_of(stores)).state.slots_issued > slot


async def test_a_lease_that_ran_out_untouched_is_still_settled(stores, clock):
    lease = await claim_one(stores)
    clock.advance(timedelta(hours=1))

    seen, _ = await _settled(stores, lease)

    assert len(seen) == 2
