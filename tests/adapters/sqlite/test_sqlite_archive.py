"""A whole SQLite file, written and read as one."""

import sqlite3
from contextlib import closing

import pytest

from cronicorn.adapters.sqlite.archive import SqliteArchive
from cronicorn.adapters.sqlite.connection import SqliteFile
from cronicorn.adapters.sqlite.fleet_view import SqliteFleetView
from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.domain.archive import Table
from cronicorn.domain.errors import ConflictError, NotFoundError
from cronicorn.domain.fixtures import MIDNIGHT, an_endpoint
from cronicorn.domain.mechanism import Mechanism
from cronicorn.domain.tenant import ApiKey, Tenant
from cronicorn.domain.verification import Check, Findings
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.archives import ArchiveContract, an_installation, contents, fill
from cronicorn.testing.contracts.stores import MINUTE, TENANT, TTL, claim, plant, start


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cronicorn.db"


def _archive(path):
    return SqliteArchive(SqliteFile(path=path), VirtualClock())


class TestArchive(ArchiveContract):
    @pytest.fixture
    def archive(self, path):
        return _archive(path)


async def test_numbers_given_later_are_higher_than_any_before(path):
    installation = an_installation()
    for table, column in ((Table.ENDPOINTS, "number"), (Table.SCHEDULE, "endpoint_number"), (Table.RUNS, "number")):
        installation[table][-1] |= {column: 50}
    installation[Table.RUNS][-1] |= {"endpoint_number": 100}
    await fill(_archive(path), installation)

    stores = await SqliteStores.open(path, VirtualClock())
    await stores.endpoints.add(an_endpoint(id="new"), start)
    await stores.aclose()

    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT number FROM endpoints WHERE id = 'new'").fetchone() == (101,)


async def test_reading_makes_no_file(path):
    with pytest.raises(NotFoundError, match="no Cronicorn installation"):
        await contents(_archive(path))

    assert not path.exists()


@pytest.mark.parametrize("statement", ["VACUUM", "CREATE TABLE theirs (name TEXT)"])
async def test_reading_a_file_of_others_leaves_it_as_it_is(path, statement):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
    before = path.read_bytes()

    with pytest.raises(NotFoundError, match="no Cronicorn installation"):
        await contents(_archive(path))
    with pytest.raises(NotFoundError, match="no Cronicorn installation"):
        await SqliteFleetView(SqliteFile(path=path), VirtualClock()).leases()
    with pytest.raises(NotFoundError, match="no Cronicorn installation"):
        await SqliteStores.open(path, VirtualClock(), existing=True)

    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


async def test_another_versions_file_is_refused(path):
    await fill(_archive(path), an_installation())
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(ConflictError, match="9999"):
        await contents(_archive(path))


async def _examined(path):
    async def work(snapshot):
        findings = Findings()
        await snapshot.examine(findings)
        return findings

    return await _archive(path).read(work)


async def test_a_whole_file_is_as_it_must_be(path):
    await fill(_archive(path), an_installation())

    findings = await _examined(path)

    assert findings.sound
    assert findings.tallies[Check.STRUCTURE].checked > 20
    assert findings.tallies[Check.PLACE].checked == 2


@pytest.mark.parametrize(
    ("damage", "check", "told"),
    [
        ("DROP INDEX runs_by_end", Check.STRUCTURE, "table runs: it has no index runs_by_end"),
        ("ALTER TABLE skips DROP COLUMN exact", Check.STRUCTURE, "table skips: it has no exact"),
        (
            "ALTER TABLE tenants RENAME TO old; CREATE TABLE tenants (id TEXT, name TEXT, created_us INTEGER)",
            Check.STRUCTURE,
            "table tenants: it has no constraint tenants_name",
        ),
        ("DROP TABLE skips", Check.STRUCTURE, "table skips: it has no "),
        (
            "UPDATE schedule SET bucket = bucket + 1 WHERE endpoint_number = 3",
            Check.PLACE,
            "schedule 3: it is in bucket",
        ),
    ],
)
async def test_what_is_missing_or_misplaced_is_found(path, damage, check, told):
    await fill(_archive(path), an_installation())
    with sqlite3.connect(path) as connection:
        connection.executescript(damage)

    findings = await _examined(path)

    assert not findings.sound
    assert any(told in example for example in findings.tallies[check].examples)


async def test_a_damaged_file_is_found(path):
    await fill(_archive(path), an_installation())
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET rootpage = 3 WHERE name = 'runs_by_end'")

    findings = await _examined(path)

    assert "SQLite finds it damaged" in findings.tallies[Check.STRUCTURE].examples[0]


async def test_the_view_of_the_fleet_shows_every_lease_and_whose_it_is(path):
    clock = VirtualClock()
    stores = await SqliteStores.open(path, clock)
    tenant = Tenant(id=TENANT, name="the shop", created_at=MIDNIGHT)
    await stores.keys.add_tenant(tenant, ApiKey(id="k", tenant_id=TENANT, prefix="ck_", hash="h", created_at=MIDNIGHT))
    await plant(stores, "a", "b", "c")
    clock.advance(MINUTE)
    await claim(stores, worker_id="w2", limit=2, ttl=TTL)
    clock.advance(TTL)
    await claim(stores, worker_id="w1", limit=1)

    fleet = await SqliteFleetView(SqliteFile(path=path), clock).leases()

    assert [(holder.worker_id, len(holder.slots), holder.expired) for holder in fleet.holders()] == [
        ("w1", 1, 0),
        ("w2", 1, 1),
    ]
    assert fleet.now == clock.now()
    [mine, other] = sorted(fleet.slots, key=lambda slot: slot.worker_id)
    assert (mine.tenant, mine.endpoint, mine.mechanism, mine.slot) == ("the shop", "shop/a", Mechanism.LEASE, 1)
    assert (other.claimed_at, other.expires_at) == (MIDNIGHT + MINUTE, MIDNIGHT + MINUTE + TTL)
    assert fleet.of_tenant("the shop").slots == fleet.of_tenant(TENANT).slots == fleet.slots
    assert fleet.of_tenant("another").slots == []
    await stores.aclose()


async def test_the_view_of_the_fleet_shows_a_mechanism_of_another_version(path):
    clock = VirtualClock()
    stores = await SqliteStores.open(path, clock)
    await plant(stores)
    clock.advance(MINUTE)
    await claim(stores)
    await stores.aclose()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE schedule SET mechanism = 'newer'")

    fleet = await SqliteFleetView(SqliteFile(path=path), clock).leases()

    assert [holder.mechanism for holder in fleet.holders()] == ["newer"]
