"""Backups and exports, as they are typed."""

import asyncio
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta

import yaml

from cronicorn.adapters.postgres.archive import PostgresArchive
from cronicorn.adapters.postgres.options import PostgresOptions
from cronicorn.adapters.sqlite.archive import SqliteArchive
from cronicorn.adapters.sqlite.connection import SqliteFile
from cronicorn.adapters.sqlite.migration import revision_of
from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.adapters.system_clock import SystemClock
from cronicorn.domain.archive import Table
from cronicorn.testing.contracts.archives import contents
from cronicorn.testing.contracts.stores import ask_to_run, claim, plant, settle
from tests.adapters.sqlite.revisions import made_at
from tests.cli.command import cronicorn, environment, started
from tests.waiting import eventually

CLOCK = SystemClock()
FILE = """\
jobs:
  - name: shop
    description: what customers see
    endpoints:
      - name: stock
        url: https://shop.example/stock
        baselineIntervalMs: 60000
        headersJson: {authorization: Bearer s3cret, accept: text/plain}
        flow: {rate: 5, parallelism: 2}
        adapt: "on"
        onceAt: null
      - name: late
        url: https://shop.example/late
        onceAt: 2099-01-01T00:00:00Z
        criteria: {fields: {ok: {http: ok}}, degraded: "!ok"}
"""


def archive(path):
    return SqliteArchive(SqliteFile(path=path), CLOCK)


def env_of(path):
    return environment(DATABASE_URL=f"sqlite:{path}", API_KEY="a-key-for-tests-only")


async def planted(path):
    """A store in use: runs, and a lease that lives."""
    stores = await SqliteStores.open(path, CLOCK)
    now = CLOCK.now()
    await plant(stores, "stock", "prices", created_at=now, updated_at=now)
    for _ in range(2):
        await ask_to_run(stores, "stock")
        leases = await claim(stores, ttl=timedelta(hours=1))
        if len(leases) == 1 and leases[0].slot < 3:
            await settle(stores, leases[0])
    await stores.aclose()


async def test_a_backup_of_a_store_in_use_is_restored_to_either_database(tmp_path, fresh_postgres_url):
    path, file = tmp_path / "store.db", tmp_path / "backup.db"
    await planted(path)

    made = await asyncio.to_thread(cronicorn, "backup", str(file), env=env_of(path))
    again = await asyncio.to_thread(cronicorn, "backup", str(file), env=env_of(path))
    server = environment(DATABASE_URL=fresh_postgres_url)
    restored = await asyncio.to_thread(cronicorn, "restore", str(file), "--json", env=server)
    back = await asyncio.to_thread(cronicorn, "restore", str(file), env=env_of(tmp_path / "other.db"))
    twice = await asyncio.to_thread(cronicorn, "restore", str(file), env=env_of(tmp_path / "other.db"))

    assert (made.code, restored.code, back.code) == (0, 0, 0), made.err + restored.err + back.err
    assert again.code == 5
    assert "already" in again.err
    assert twice.code == 5
    assert "not empty" in twice.err
    rows = await contents(archive(file))
    assert rows[Table.RUNS]
    assert rows == await contents(archive(tmp_path / "other.db"))
    assert rows == await contents(PostgresArchive(fresh_postgres_url, PostgresOptions()))
    assert {name.name for name in tmp_path.iterdir() if "backup" in name.name} == {"backup.db"}
    assert {each["table"]: each["rows"] for each in json.loads(restored.out)["tables"]}["runs"] == 1


async def test_a_backup_of_an_older_version_is_brought_up_to_date_and_stays_as_it_is(tmp_path):
    file = tmp_path / "old.db"
    made_at(file, "0007")
    connection = sqlite3.connect(file)
    connection.execute("INSERT INTO tenants (id, name, created_us) VALUES ('t1', 'shop', 5)")
    connection.commit()
    connection.close()
    before = file.read_bytes()

    ended = await asyncio.to_thread(cronicorn, "restore", str(file), env=env_of(tmp_path / "store.db"))

    assert ended.code == 0, ended.err
    assert file.read_bytes() == before
    assert [row["name"] for row in (await contents(archive(tmp_path / "store.db")))[Table.TENANTS]] == ["shop"]


def test_what_is_no_backup_is_told_so(tmp_path):
    (tmp_path / "text").write_text("not a database, but long enough to look like something else than one")
    (tmp_path / "empty").touch()
    sqlite3.connect(tmp_path / "foreign").execute("CREATE TABLE tenants (id)").connection.close()
    env = env_of(tmp_path / "store.db")

    text, nothing = (cronicorn("restore", str(tmp_path / name), env=env) for name in ("text", "nothing"))
    others = [cronicorn("restore", str(tmp_path / name), env=env) for name in ("empty", "foreign")]
    folder = cronicorn("backup", str(tmp_path / "no" / "where"), env=env)

    assert (text.code, nothing.code, folder.code) == (7, 4, 4)
    assert "is not a SQLite database" in text.err
    assert [each.code for each in others] == [2, 2]
    assert all("is no backup" in each.err for each in others)
    assert not (tmp_path / "store.db").exists()


def test_whoever_ends_a_restore_leaves_no_copy_of_what_is_secret(tmp_path):
    made_at(tmp_path / "backup.db", "0007")
    (tmp_path / "copies").mkdir()
    env = env_of(tmp_path / "store.db") | {"TMPDIR": str(tmp_path / "copies")}

    command = started("restore", str(tmp_path / "backup.db"), env=env)
    assert command.stdin is not None
    command.stdin.close()
    eventually(lambda: list((tmp_path / "copies").glob("cronicorn-*")))
    command.terminate()

    assert command.wait(30) == 143
    assert list((tmp_path / "copies").iterdir()) == []


def test_a_migration_that_finds_the_disk_full_says_so_and_changes_nothing(tmp_path):
    path = tmp_path / "store.db"
    made_at(path, "0007")
    limited = ["sh", "-c", 'ulimit -f 300; exec "$@"', "sh", sys.executable, "-m", "cronicorn", "migrate"]
    env = env_of(path) | {"CRONICORN_SQLITE_BACKUP": "no"}

    ended = subprocess.run(limited, env=env, capture_output=True, text=True, timeout=60, check=False)

    assert ended.returncode == 7, ended.stderr
    assert "Traceback" not in ended.stderr
    with closing(sqlite3.connect(path)) as connection:
        assert revision_of(connection) == "0007"


def test_an_export_is_imported_elsewhere_without_credentials_unless_they_are_asked_for(tmp_path):
    here, there = env_of(tmp_path / "here.db"), env_of(tmp_path / "there.db")
    (tmp_path / "file.yaml").write_text(FILE)
    cronicorn("import", str(tmp_path / "file.yaml"), env=here)

    masked = cronicorn("export", env=here)
    revealed = cronicorn("export", str(tmp_path / "all.yaml"), "--reveal", env=here)
    refused = cronicorn("import", "-", stdin=masked.out, env=there)
    taken = cronicorn("import", str(tmp_path / "all.yaml"), env=there)
    unchanged = cronicorn("import", "-", stdin=masked.out, env=there)
    again = cronicorn("export", "--reveal", env=there)

    assert "s3cret" not in masked.out + masked.err + revealed.out
    assert "shop/stock: authorization is masked" in masked.err
    assert refused.code == 2
    assert "mask" in refused.err
    assert taken.code == 0, taken.err
    assert unchanged.out.startswith("Nothing to do")
    assert yaml.safe_load(again.out) == yaml.safe_load((tmp_path / "all.yaml").read_text())
    assert "Bearer s3cret" in again.out
    assert cronicorn("export", str(tmp_path / "all.yaml"), env=here).code == 5
