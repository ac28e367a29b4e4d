"""A whole PostgreSQL database, written and read as one."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from cronicorn.adapters.postgres.archive import PostgresArchive
from cronicorn.adapters.postgres.fleet_view import PostgresFleetView
from cronicorn.adapters.postgres.migration import LOCK
from cronicorn.adapters.postgres.options import PostgresOptions
from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.control.verification import Verifier
from cronicorn.domain.archive import COPIED, Table
from cronicorn.domain.errors import ConflictError, InvalidInputError
from cronicorn.domain.mechanism import Mechanism
from cronicorn.domain.verification import Check, Findings
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.archives import ArchiveContract, an_installation, contents, fill
from cronicorn.testing.contracts.stores import CRON, MINUTE, TENANT, TTL, claim, next_due_at, plant, settle
from tests.control.kept_by_planners import plan


@pytest.fixture
def archive(postgres_url):
    return PostgresArchive(postgres_url, PostgresOptions())


class TestArchive(ArchiveContract):
    @pytest.fixture
    def archive(self, postgres_url):
        return PostgresArchive(postgres_url, PostgresOptions())


async def _ask(url, statement):
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetch(statement)
    finally:
        await connection.close()


async def test_a_nul_character_is_refused_with_its_place(archive):
    installation = an_installation()
    installation[Table.JOBS][0] |= {"name": "a\0b"}

    with pytest.raises(InvalidInputError, match="name of jobs 7 holds a NUL"):
        await fill(archive, installation)

    assert await contents(archive) == {table: [] for table in COPIED}


async def test_what_a_schedule_is_found_by_follows_from_tenant_and_endpoint(archive, postgres_url):
    await fill(archive, an_installation())

    rows = await _ask(postgres_url, "SELECT endpoint_id, shard, host FROM cronicorn.schedule ORDER BY endpoint_number")

    assert [tuple(row) for row in rows] == [("ep1", 0, "127.0.0.1"), ("ep2", 0, "")]


async def test_runs_lie_in_the_partition_of_their_day(archive, postgres_url):
    await fill(archive, an_installation())

    rows = await _ask(postgres_url, "SELECT DISTINCT tableoid::regclass::text FROM cronicorn.runs")

    assert [row[0] for row in rows] == ["cronicorn.runs_20260101"]


async def test_days_that_a_starting_worker_makes_are_waited_for(archive, postgres_url):
    worker = await asyncpg.connect(postgres_url)
    making = worker.transaction()
    await making.start()
    await worker.execute(f"{LOCK}; CREATE TABLE cronicorn.runs_29990101 (LIKE cronicorn.runs INCLUDING ALL)")
    filling = asyncio.create_task(fill(archive, an_installation()))
    await asyncio.sleep(0.5)

    await worker.execute(
        "ALTER TABLE cronicorn.runs ATTACH PARTITION cronicorn.runs_29990101 FOR VALUES FROM (1000) TO (2000)"
    )
    await making.commit()
    await filling

    await worker.close()


async def test_numbers_given_later_are_higher_than_any_before(archive, postgres_url):
    installation = an_installation()
    for table, column in ((Table.ENDPOINTS, "number"), (Table.SCHEDULE, "endpoint_number"), (Table.RUNS, "number")):
        installation[table][-1] |= {column: 50}
    installation[Table.RUNS][-1] |= {"endpoint_number": 100}
    await fill(archive, installation)

    rows = await _ask(
        postgres_url,
        "SELECT nextval('cronicorn.runs_number'), nextval('cronicorn.endpoints_number_seq'), "
        "nextval('cronicorn.jobs_number_seq'), nextval('cronicorn.skips_number_seq')",
    )

    assert tuple(rows[0]) == (51, 101, 8, 9)


async def test_another_versions_database_is_refused(fresh_postgres_url):
    await _ask(fresh_postgres_url, "UPDATE cronicorn.alembic_version SET version_num = '9999'")

    with pytest.raises(ConflictError, match="9999"):
        await contents(PostgresArchive(fresh_postgres_url, PostgresOptions()))


async def _examined(url):
    async def work(snapshot):
        findings = Findings()
        await snapshot.examine(findings)
        return findings

    return await PostgresArchive(url, PostgresOptions()).read(work)


async def test_a_whole_database_is_as_it_must_be(archive, postgres_url):
    await fill(archive, an_installation())

    findings = await _examined(postgres_url)

    assert findings.sound
    assert findings.tallies[Check.STRUCTURE].checked > 20
    assert findings.tallies[Check.PLACE].checked == 2


@pytest.mark.parametrize(
    ("damage", "check", "told"),
    [
        ("DROP INDEX cronicorn.schedule_due", Check.STRUCTURE, "it has no valid index schedule_due"),
        ("ALTER TABLE cronicorn.skips DROP COLUMN exact", Check.STRUCTURE, "cronicorn.skips: it has no exact"),
        (
            "ALTER TABLE cronicorn.schedule DROP CONSTRAINT taken_over_after_expiry",
            Check.STRUCTURE,
            "it has no constraint taken_over_after_expiry",
        ),
        ("UPDATE cronicorn.schedule SET shard = shard + 1", Check.PLACE, "ep1: its shard is not"),
        ("UPDATE cronicorn.schedule SET bucket = bucket + 1", Check.PLACE, "ep1: its bucket is not"),
        ("UPDATE cronicorn.schedule SET host = 'x'", Check.PLACE, "ep1: its host is not"),
        ("UPDATE cronicorn.schedule SET endpoint_id = endpoint_id || 'x'", Check.PLACE, "its endpoint_id is not"),
    ],
)
async def test_what_is_missing_or_misplaced_is_found(fresh_postgres_url, damage, check, told):
    await fill(PostgresArchive(fresh_postgres_url, PostgresOptions()), an_installation())
    await _ask(fresh_postgres_url, damage)

    findings = await _examined(fresh_postgres_url)

    assert not findings.sound
    assert any(told in example for example in findings.tallies[check].examples)


async def test_the_view_of_the_fleet_shows_every_lease_and_whose_it_is(postgres_url):
    clock = VirtualClock()
    stores = await PostgresStores.open(postgres_url, clock)
    await plant(stores, "a", "b")
    clock.advance(MINUTE)
    await claim(stores, worker_id="w2", limit=1)
    clock.advance(TTL)
    await claim(stores, worker_id="w1", limit=1)

    fleet = await PostgresFleetView(postgres_url, PostgresOptions(), clock).leases()

    assert [(slot.worker_id, slot.tenant, slot.endpoint, slot.mechanism) for slot in fleet.live] == [
        ("w1", TENANT, "shop/a", Mechanism.LEASE)
    ]
    assert (fleet.now, len(fleet.slots)) == (clock.now(), 1)
    await stores.aclose()


async def test_the_history_of_a_server_is_sound(postgres_url):
    clock = VirtualClock()
    stores = await PostgresStores.open(postgres_url, clock)
    await plant(stores, "a", "b")
    for _ in range(5):
        await run_all(stores, clock)
    await claim(stores)
    verifier = Verifier(clock=clock, cron=CRON, retention=timedelta(days=30), wait_max=MINUTE)

    findings = await verifier.verify(PostgresArchive(postgres_url, PostgresOptions(), clock))

    assert findings.sound, findings.tallies
    assert findings.tallies[Check.BOOKS].checked > 5
    await stores.aclose()


async def test_what_planners_and_limits_leave_on_a_server_is_sound_and_faults_of_it_are_found(fresh_postgres_url):
    clock = VirtualClock()
    stores = await PostgresStores.open(fresh_postgres_url, clock)
    await plan(stores)
    await stores.aclose()
    archive = PostgresArchive(fresh_postgres_url, PostgresOptions(), clock)
    verifier = Verifier(clock=clock, cron=CRON, retention=timedelta(days=1), wait_max=MINUTE)

    before = await verifier.verify(archive)
    await _ask(fresh_postgres_url, "DELETE FROM cronicorn.watches")
    await _ask(fresh_postgres_url, "UPDATE cronicorn.policy_drafts SET status = 'active'")
    await _ask(fresh_postgres_url, "UPDATE cronicorn.analyses SET document = '{}'")
    await _ask(fresh_postgres_url, "UPDATE cronicorn.run_counts SET runs = 0")
    after = await verifier.verify(archive)

    assert before.sound, {check: tally for check, tally in before.tallies.items() if tally.found}
    looked_at = {Check.READABLE, Check.RUN_COUNTS, Check.WATCHES, Check.DRAFTS}
    assert all(before.tallies[check].checked for check in looked_at)
    assert after.broken == looked_at


async def run_all(stores, clock):
    due_at = await next_due_at(stores.job_store)
    clock.advance(due_at - clock.now())
    for lease in await claim(stores):
        await settle(stores, lease)
