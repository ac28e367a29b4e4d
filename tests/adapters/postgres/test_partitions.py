"""Runs lie by days: made ahead, dropped whole, and whatever fits no day goes row by row."""

import asyncio
from datetime import UTC, timedelta

import asyncpg
import pytest

from cronicorn.adapters.postgres.partitions import DAY, DAYS_AHEAD, Partitions
from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.domain.fields import us
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.history import RunQuery
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import MINUTE, TENANT, claim_one, plant, run_once, settle
from tests.servers.databases import fresh_database

BY_PARTITION = "SELECT tableoid::regclass::text, count(*) FROM cronicorn.runs GROUP BY 1 ORDER BY 1"
A_RUN = f"""
INSERT INTO cronicorn.runs (endpoint_number, slot, attempt, fence, status, source, trace, outcome,
                            due_us, started_us, finished_us, duration_us)
VALUES (1, 1, 1, 1, 'success', 'baseline', '', '', 0, 0, {us(MIDNIGHT)}, 0)
"""
HOUR = timedelta(hours=1)


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
async def stores(clock, fresh_postgres_url):
    stores = await PostgresStores.open(fresh_postgres_url, clock)
    yield stores
    await stores.aclose()


@pytest.fixture
async def connection(fresh_postgres_url):
    """Somebody else's."""
    connection = await asyncpg.connect(fresh_postgres_url)
    yield connection
    await connection.close()


def _names(first, count):
    return [f"runs_{(first + number * DAY).astimezone(UTC):%Y%m%d}" for number in range(count)]


async def _partitions(connection):
    rows = await connection.fetch(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'cronicorn.runs'::regclass ORDER BY 1"
    )
    return [row[0].removeprefix("cronicorn.") for row in rows]


async def _counts(connection):
    return {name.removeprefix("cronicorn."): count for name, count in await connection.fetch(BY_PARTITION)}


async def _run_after(stores, clock, gap):
    """One run, *gap* later."""
    clock.advance(gap)
    await settle(stores, await claim_one(stores))


async def test_a_week_is_made_ahead_when_the_database_is_opened(stores, connection):
    assert await _partitions(connection) == [*_names(MIDNIGHT, DAYS_AHEAD + 1), "runs_default"]


async def test_days_are_made_once(stores, connection):
    before = await _partitions(connection)

    await Partitions(stores.database).make_ahead()

    assert await _partitions(connection) == before


async def test_pruning_makes_the_days_that_have_come_near(stores, clock, connection):
    clock.advance(3 * DAY)

    await stores.runs.prune(MIDNIGHT, 100)

    assert await _partitions(connection) == [*_names(MIDNIGHT, DAYS_AHEAD + 4), "runs_default"]


async def test_a_run_lies_in_the_day_in_which_it_ended(stores, clock, connection):
    await plant(stores)
    for gap in (MINUTE, DAY, HOUR):
        await _run_after(stores, clock, gap)

    first, second = _names(MIDNIGHT, 2)
    assert await _counts(connection) == {first: 1, second: 2}


async def test_a_part_looks_as_the_table_does(stores, connection):
    async def indexes(table):
        query = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'cronicorn' AND tablename = $1"
        found = [row[0] for row in await connection.fetch(query, table)]
        return sorted(text.partition(" USING ")[2] for text in found)

    assert await indexes(*_names(MIDNIGHT, 1)) == await indexes("runs")
    assert len(await indexes("runs")) == 4


async def test_old_days_are_dropped_whole_whatever_the_limit_and_counted(stores, clock, connection):
    await plant(stores)
    for gap in (HOUR, HOUR, DAY, DAY):
        await _run_after(stores, clock, gap)
    before = MIDNIGHT + 2 * DAY

    removed = await stores.runs.prune(before, 1)

    assert removed == 3
    assert _names(MIDNIGHT, 2) == [name for name in _names(MIDNIGHT, 3) if name not in await _partitions(connection)]
    assert (await stores.runs.list(TENANT, "ep1", RunQuery())).total == 1


async def test_the_day_in_which_the_past_begins_goes_row_by_row_oldest_first(stores, clock, connection):
    await plant(stores)
    runs = [await run_once(stores, clock) for _ in range(5)]

    async def kept():
        return [run.id for run in (await stores.runs.list(TENANT, "ep1", RunQuery())).runs]

    some = (await stores.runs.prune(runs[3].finished_at, 2), await kept())
    rest = (await stores.runs.prune(runs[3].finished_at, 2), await kept())

    assert some == (2, [runs[4].id, runs[3].id, runs[2].id])
    assert rest == (1, [runs[4].id, runs[3].id])
    assert await _counts(connection) == {_names(MIDNIGHT, 1)[0]: 2}


async def test_a_run_of_no_day_is_kept_found_and_forgotten_like_any_other(stores, clock, connection):
    await plant(stores)
    await _run_after(stores, clock, 30 * DAY)
    await connection.execute("DELETE FROM cronicorn.skips")

    listed = (await stores.runs.list(TENANT, "ep1", RunQuery())).total
    assert await _counts(connection) == {"runs_default": 1}
    removed = [await stores.runs.prune(clock.now() + HOUR, 5) for _ in range(2)]

    assert (listed, removed) == (1, [1, 0])


async def test_a_day_that_has_runs_among_the_rest_is_left_out_and_the_others_are_made(stores, clock, connection):
    await plant(stores)
    await _run_after(stores, clock, 30 * DAY)

    await Partitions(stores.database).make_ahead()

    made = _names(MIDNIGHT + 30 * DAY, DAYS_AHEAD + 1)
    assert [name for name in made if name not in await _partitions(connection)] == made[:1]
    await run_once(stores, clock)
    assert (await _counts(connection))["runs_default"] == 2


async def test_days_of_the_past_can_be_made_for_a_history_that_is_copied(stores, connection):
    await Partitions(stores.database).make(MIDNIGHT - 3 * DAY, 2)

    assert _names(MIDNIGHT - 3 * DAY, 3) == (await _partitions(connection))[:3]


async def test_days_wait_for_a_reader_who_takes_long_and_what_is_old_goes_row_by_row(stores, clock, connection, caplog):
    await plant(stores)
    await _run_after(stores, clock, HOUR)
    clock.advance(2 * DAY)
    (day,) = _names(MIDNIGHT, 1)
    reading = connection.transaction()
    await reading.start()
    await connection.fetch("SELECT 1 FROM cronicorn.runs")

    during = await stores.runs.prune(MIDNIGHT + DAY, 100)
    kept = day in await _partitions(connection)
    await reading.rollback()
    after = await stores.runs.prune(MIDNIGHT + DAY, 100)

    assert kept
    assert during >= 1
    assert after == 0
    assert day not in await _partitions(connection)
    assert [record.message for record in caplog.records] == ["partitions_not_made", "partitions_not_dropped"]


async def test_settlements_go_on_while_days_are_made(stores, clock, connection):
    await plant(stores)
    await _run_after(stores, clock, MINUTE)
    settling = connection.transaction()
    await settling.start()
    await connection.execute(A_RUN)
    clock.advance(2 * DAY)

    await Partitions(stores.database).make_ahead()
    await settling.commit()

    assert len(await _partitions(connection)) == DAYS_AHEAD + 4
    assert (await _counts(connection)).popitem()[1] == 2


async def test_two_that_make_the_same_days_at_once_make_them_once(clock):
    with fresh_database() as url:
        stores = [await PostgresStores.open(url, clock) for _ in range(2)]
        clock.advance(40 * DAY)
        await asyncio.gather(*(Partitions(each.database).make_ahead() for each in stores))
        connection = await asyncpg.connect(url)

        assert set(_names(clock.now(), DAYS_AHEAD + 1)) <= set(await _partitions(connection))
        await connection.close()
        for each in stores:
            await each.aclose()
