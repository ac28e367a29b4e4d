"""What a caller hears when the file can't be used, and what is left of what it asked for."""

import sqlite3
from datetime import timedelta

import pytest

from cronicorn.adapters.sqlite.endpoint_catalog import SqliteEndpointCatalog
from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.domain.errors import InvalidInputError, NotFoundError, UnavailableError
from cronicorn.domain.fixtures import a_job, a_run, an_outcome
from cronicorn.domain.history import RunQuery
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import (
    MINUTE,
    TENANT,
    TTL,
    claim,
    claim_one,
    endpoint_of,
    plant,
    run_once,
    settle,
)
from tests.adapters.failing_writes import failing_after
from tests.adapters.sqlite.empty_database import copy_to


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
async def stores(tmp_path, clock):
    stores = await SqliteStores.open(copy_to(tmp_path / "cronicorn.db"), clock, busy_timeout=timedelta(milliseconds=50))
    yield stores
    await stores.aclose()


async def _pragma(stores, text):
    await stores.database.write(lambda transaction: transaction.connection.execute(f"PRAGMA {text}").fetchall())


async def test_a_folder_is_no_database(tmp_path, clock):
    with pytest.raises(UnavailableError, match="name a file in a folder that exists"):
        await SqliteStores.open(tmp_path, clock)


async def test_a_file_in_a_folder_that_is_not_there_can_not_be_opened(tmp_path, clock):
    with pytest.raises(UnavailableError, match="name a file in a folder that exists"):
        await SqliteStores.open(tmp_path / "nowhere" / "cronicorn.db", clock)


async def test_another_kind_of_file_is_refused_and_left_alone(tmp_path, clock):
    path = tmp_path / "notes.txt"
    path.write_text("Buy milk. " * 1_000)

    with pytest.raises(UnavailableError, match="not a SQLite database"):
        await SqliteStores.open(path, clock)

    assert path.read_text() == "Buy milk. " * 1_000


@pytest.mark.parametrize("url", ["postgresql://localhost/cronicorn", "sqlite://", ":memory:", "", "sqlite:///:memory:"])
async def test_an_address_that_names_no_file_is_refused(url, clock):
    with pytest.raises(InvalidInputError):
        await SqliteStores.open(url, clock)


async def test_a_damaged_file_says_so(tmp_path, clock):
    path = copy_to(tmp_path / "cronicorn.db")
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))

    with pytest.raises(UnavailableError, match="damaged: put a backup in its place"):
        await SqliteStores.open(path, clock)


async def test_a_full_disk_leaves_nothing_half_written_and_heals(stores, clock):
    await plant(stores)
    clock.advance(MINUTE)
    lease = await claim_one(stores)
    run = a_run(lease, an_outcome(body="x" * 1_000_000))
    before = await endpoint_of(stores)
    await _pragma(stores, "max_page_count = 60")

    with pytest.raises(UnavailableError, match=r"^The database [\w.]+ has no room left: free some space"):
        await settle(stores, lease, run)

    assert await endpoint_of(stores) == before
    assert (await stores.runs.list(TENANT, "ep1", RunQuery())).total == 0
    await _pragma(stores, "max_page_count = 100000")
    await settle(stores, lease, run)
    assert await stores.runs.get(TENANT, run.id) == run


async def test_a_full_disk_fails_only_what_needs_room(stores, clock):
    await plant(stores)
    clock.advance(MINUTE)
    await _pragma(stores, "max_page_count = 60")
    lease = await claim_one(stores)

    with pytest.raises(UnavailableError):
        await settle(stores, lease, a_run(lease, an_outcome(body="x" * 1_000_000)))

    assert stores.job_store.renew([lease], ttl=TTL).lost == frozenset()
    await settle(stores, lease, a_run(lease))


async def test_a_file_that_may_only_be_read_says_so(stores, clock):
    await plant(stores)
    await _pragma(stores, "query_only = ON")

    with pytest.raises(UnavailableError, match="can't be written: make the file"):
        await stores.health.ping()
    with pytest.raises(UnavailableError):
        await claim(stores)


async def test_a_file_that_another_process_keeps_locked_is_unavailable_until_it_lets_go(stores, clock):
    await plant(stores)
    clock.advance(MINUTE)
    lease = await claim_one(stores)
    other = sqlite3.connect(stores.database.file.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(UnavailableError, match="locked by another process"):
        await stores.health.ping()
    with pytest.raises(UnavailableError):
        stores.job_store.renew([lease], ttl=TTL)
    during = await endpoint_of(stores)

    other.execute("COMMIT")
    other.close()
    assert stores.job_store.renew([lease], ttl=TTL).lost == frozenset()
    await settle(stores, lease)
    assert during == lease.endpoint


async def test_a_closed_store_says_so(stores, clock):
    await plant(stores)
    clock.advance(MINUTE)
    lease = await claim_one(stores)
    await stores.aclose()

    for call in (claim(stores), stores.job_store.next_due(), stores.health.ping(), stores.jobs.list(TENANT)):
        with pytest.raises(UnavailableError, match="closed: open it again"):
            await call
    with pytest.raises(UnavailableError, match="closed: open it again"):
        stores.job_store.renew([lease], ttl=TTL)


async def test_a_text_that_no_column_can_hold_is_refused_alone(stores, clock):
    with pytest.raises(InvalidInputError, match="surrogate"):
        await stores.jobs.add(a_job(name="\ud800"))

    await plant(stores)
    await run_once(stores, clock)


async def test_an_endpoint_is_deleted_although_its_history_can_not_go_with_it(stores, clock, caplog):
    await plant(stores)
    run = await run_once(stores, clock)
    failing = SqliteEndpointCatalog(failing_after(1, stores.database))

    await failing.delete(TENANT, "ep1")

    assert "history_left_to_prune" in caplog.text
    for asked in (stores.endpoints.get(TENANT, "ep1"), stores.runs.get(TENANT, run.id)):
        with pytest.raises(NotFoundError):
            await asked
    assert await stores.runs.prune(clock.now() + MINUTE, 10) == 1
