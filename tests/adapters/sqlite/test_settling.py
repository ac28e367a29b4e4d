"""A settlement is decided on the endpoint as it was claimed, and once more when something was written meanwhile."""

import asyncio
from datetime import timedelta

import pytest

from cronicorn.adapters.sqlite.endpoint_rows import record_run
from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.domain.errors import ConflictError
from cronicorn.domain.fixtures import a_run
from cronicorn.domain.history import RunQuery
from cronicorn.domain.plan import Source
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import (
    MINUTE,
    TENANT,
    ask_to_run,
    claim,
    claim_one,
    deciding,
    endpoint_of,
    plant,
    rename,
    settle,
)
from tests.adapters.sqlite.empty_database import copy_to

RECORDED = ["INSERT", "INSERT", "INSERT"]
"""What records runs, counts them for their endpoints and counts them for their jobs."""


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


async def test_what_nobody_touched_is_decided_once_and_written_by_four_statements(stores):
    lease = await claim_one(stores)

    seen, statements = await _settled(stores, lease)

    assert seen == [lease.endpoint]
    assert [statement.split()[0] for statement in statements] == [
        "BEGIN", "UPDATE", *RECORDED, "COMMIT",
    ]  # fmt: skip


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


async def _claimed(tmp_path, clock, *ids):
    """Stores of these endpoints, all of them claimed."""
    stores = await SqliteStores.open(copy_to(tmp_path / "several.db"), clock)
    await plant(stores, *ids)
    clock.advance(MINUTE)
    return stores, await claim(stores, limit=len(ids))


async def _runs_of(stores, endpoint_id):
    return (await stores.runs.list(TENANT, endpoint_id, RunQuery())).total


async def _begun_to_settle(stores, leases):
    """How the statements begin that settle *leases* at once, to the end of the first transaction."""
    statements: list[str] = []
    await stores.database.write(lambda transaction: transaction.connection.set_trace_callback(statements.append))
    await asyncio.gather(*(settle(stores, lease) for lease in leases))
    await stores.database.write(lambda transaction: transaction.connection.set_trace_callback(None))
    begun = [statement.split()[0] for statement in statements[statements.index("BEGIN IMMEDIATE") :]]
    return begun[: begun.index("COMMIT") + 1]


async def test_what_is_settled_at_once_and_as_it_was_claimed_takes_four_statements(tmp_path, clock):
    stores, leases = await _claimed(tmp_path, clock, *"abc")

    assert await _begun_to_settle(stores, leases) == [
        "BEGIN", "SAVEPOINT", "UPDATE", "RELEASE", *RECORDED, "COMMIT",
    ]  # fmt: skip

    assert [await _runs_of(stores, name) for name in "abc"] == [1, 1, 1]
    assert [(await endpoint_of(stores, name)).state.slot for name in "abc"] == [2, 2, 2]
    await stores.aclose()


async def test_more_than_go_in_one_statement_are_settled_all(tmp_path, clock):
    ids = [f"ep{number}" for number in range(70)]
    stores, leases = await _claimed(tmp_path, clock, *ids)
    await rename(stores, "another", "ep40")

    await asyncio.gather(*(settle(stores, lease) for lease in leases))

    assert [await _runs_of(stores, name) for name in ids] == [1] * 70
    assert (await endpoint_of(stores, "ep40")).name == "another"
    await stores.aclose()


async def test_what_is_settled_at_once_is_written_by_one_transaction_and_only_what_was_edited_is_decided_again(
    tmp_path, clock
):
    stores, leases = await _claimed(tmp_path, clock, "a", "b", "c")
    await rename(stores, "another", "b")

    begun = await _begun_to_settle(stores, leases)

    together = ["BEGIN", "SAVEPOINT", "UPDATE", "ROLLBACK", "RELEASE"]
    each = ["UPDATE", *RECORDED, "UPDATE", "UPDATE", *RECORDED]
    assert begun == [*together, *each, "SELECT", *RECORDED, "UPDATE", "COMMIT"]
    assert [await _runs_of(stores, name) for name in "abc"] == [1, 1, 1]
    assert (await endpoint_of(stores, "b")).name == "another"
    await stores.aclose()


async def test_a_run_that_is_recorded_already_fails_alone(tmp_path, clock):
    stores, leases = await _claimed(tmp_path, clock, "a", "b", "c")
    run = a_run(leases[1])
    await stores.database.write(lambda transaction: record_run(transaction.connection, 2, run))

    answers = await asyncio.gather(*(settle(stores, lease) for lease in leases), return_exceptions=True)

    assert [isinstance(answer, ConflictError) for answer in answers] == [False, True, False]
    assert [await _runs_of(stores, name) for name in "abc"] == [1, 1, 1]
    assert (await endpoint_of(stores, "b")).state == leases[1].endpoint.state
    await stores.aclose()


async def test_a_settlement_whose_caller_left_in_time_is_not_written_with_the_others(tmp_path, clock):
    stores, leases = await _claimed(tmp_path, clock, "a", "b")
    leaving = asyncio.create_task(settle(stores, leases[0]))
    staying = asyncio.create_task(settle(stores, leases[1]))
    await asyncio.sleep(0)
    leaving.cancel()

    await staying

    assert [await _runs_of(stores, name) for name in "ab"] == [0, 1]
    await settle(stores, leases[0])
    assert await _runs_of(stores, "a") == 1
    await stores.aclose()


async def test_the_same_lease_settled_twice_at_once_is_written_once(tmp_path, clock):
    stores, (lease,) = await _claimed(tmp_path, clock, "a")

    first, second = await asyncio.gather(settle(stores, lease), settle(stores, lease))

    assert first.state == second.state
    assert await _runs_of(stores, "a") == 1
    await stores.aclose()


async def test_what_a_lease_was_claimed_with_is_forgotten_once_it_is_known_to_be_lost(tmp_path, clock):
    stores, (lease,) = await _claimed(tmp_path, clock, "a")
    clock.advance(timedelta(hours=1))
    (taken_over,) = await claim(stores)

    assert stores.job_store.renew([lease], ttl=MINUTE).lost

    assert list(stores.job_store._claimed) == [taken_over.claim_id]
    await stores.aclose()
