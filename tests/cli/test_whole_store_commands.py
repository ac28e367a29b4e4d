"""Commands about whole stores: copying one, verifying one, and who holds what in it."""

import json
import sqlite3
import subprocess
import sys
from datetime import timedelta

import asyncpg
import pytest

from cronicorn.adapters.postgres.archive import PostgresArchive
from cronicorn.adapters.postgres.options import PostgresOptions
from cronicorn.adapters.sqlite.archive import SqliteArchive
from cronicorn.adapters.sqlite.connection import SqliteFile
from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.adapters.system_clock import SystemClock
from cronicorn.cli.verify import verify
from cronicorn.domain.archive import COPIED, Table
from cronicorn.domain.verification import Check
from cronicorn.testing.contracts.archives import an_installation, contents
from cronicorn.testing.contracts.stores import TENANT, ask_to_run, claim, plant, settle
from cronicorn.wiring import verification
from tests.cli.command import cronicorn, environment
from tests.servers.databases import ask
from tests.waiting import eventually
from tests.wiring.target import target
from tests.wiring.up_process import service

MANY = 20_000
CLOCK = SystemClock()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "store.db"


@pytest.fixture
def env(path):
    return environment(DATABASE_URL=f"sqlite:{path}")


def _archive(path):
    return SqliteArchive(SqliteFile(path=path), CLOCK)


async def _planted(path, *, held_for=None):
    """A store with two endpoints that ran when asked; one is leased then, if *held_for* says so."""
    stores = await SqliteStores.open(path, CLOCK)
    now = CLOCK.now()
    await plant(stores, "stock", "prices", created_at=now, updated_at=now)
    await ask_to_run(stores, "stock")
    for lease in await claim(stores):
        await settle(stores, lease)
    if held_for is not None:
        await ask_to_run(stores, "stock")
        await claim(stores, worker_id="w1", ttl=held_for)
    await stores.aclose()


async def test_a_copy_is_told_as_a_table_and_is_whole(path, env, tmp_path):
    await _planted(path)

    ended = cronicorn("copy", "--from", f"sqlite:{path}", "--to", f"sqlite:{tmp_path / 'other.db'}", env=env)

    assert ended.code == 0, ended.err
    heading, *lines = [line.split() for line in ended.out.splitlines()]
    assert heading == ["TABLE", "ROWS", "CHECKSUM"]
    rows = {table: int(count) for table, count, _ in lines}
    assert (rows["jobs"], rows["endpoints"], rows["schedule"], rows["runs"]) == (1, 2, 2, 1)
    assert f"{sum(rows.values())} rows copied, counted and compared" in ended.err
    assert await contents(_archive(path)) == await contents(_archive(tmp_path / "other.db"))


async def test_a_copy_to_a_server_and_back_brings_the_same_checksums(path, env, tmp_path, postgres_url):
    await _planted(path)

    there = cronicorn("copy", "--from", f"sqlite:{path}", "--to", postgres_url, "--json", env=env)
    verified = cronicorn("verify", "--database", postgres_url, "--stopped", env=env)
    back = cronicorn("copy", "--from", postgres_url, "--to", f"sqlite:{tmp_path / 'back.db'}", "--json", env=env)

    assert (there.code, verified.code, back.code) == (0, 0, 0), (there.err, verified.out, back.err)
    assert json.loads(there.out) == json.loads(back.out)
    assert json.loads(there.out)["copied"] is True
    assert await contents(_archive(path)) == await contents(_archive(tmp_path / "back.db"))


async def test_a_trial_shows_what_would_be_copied_and_makes_nothing(path, env, tmp_path):
    await _planted(path)
    urls = ("--from", f"sqlite:{path}", "--to", f"sqlite:{tmp_path / 'other.db'}", "--json")

    trial = cronicorn("copy", *urls, "--dry-run", env=env)
    made = (tmp_path / "other.db").exists()
    real = cronicorn("copy", *urls, env=env)

    assert not made
    assert json.loads(trial.out) == json.loads(real.out) | {"copied": False}
    assert "nothing was written" in trial.err


async def test_what_stops_a_copy_says_what_to_do(path, env, tmp_path):
    await _planted(path, held_for=timedelta(minutes=5))
    there = f"sqlite:{tmp_path / 'other.db'}"

    missing = cronicorn("copy", "--from", f"sqlite:{tmp_path / 'none.db'}", "--to", there, env=env)
    held = cronicorn("copy", "--from", f"sqlite:{path}", "--to", there, env=env)
    dropped = cronicorn("copy", "--from", f"sqlite:{path}", "--to", there, "--drop-leases", env=env)
    again = cronicorn("copy", "--from", f"sqlite:{path}", "--to", there, "--drop-leases", env=env)
    nowhere = cronicorn("copy", "--from", f"sqlite:{path}", "--to", "memory:", "--drop-leases", env=env)

    assert [ended.code for ended in (missing, held, dropped, again, nowhere)] == [4, 5, 0, 5, 2]
    assert "w1 until" in held.err
    assert "--drop-leases" in held.err
    assert "not empty" in again.err


def _many_runs():
    installation = an_installation()
    run = installation[Table.RUNS][0]
    installation[Table.RUNS] = [run | {"number": number, "slot": number, "body": b"x" * 500} for number in range(MANY)]
    return installation


async def _fill_many(archive):
    installation = _many_runs()

    async def work(restoration):
        for table in COPIED:
            await restoration.write(table, installation[table])

    await archive.restore(work)


def _copied(source, target):
    ended = cronicorn("copy", "--from", source, "--to", target, "--drop-leases", env=environment())
    assert ended.code == 0, ended.err


def _killed(source, target, when):
    """A copy that is killed at work."""
    command = [sys.executable, "-m", "cronicorn", "copy", "--from", source, "--to", target, "--drop-leases"]
    with subprocess.Popen(command, env=environment(), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        try:
            eventually(when, within_s=30)
        finally:
            process.kill()
    assert process.returncode == -9


async def test_a_copy_that_is_killed_leaves_an_empty_file_that_can_be_copied_into(path, tmp_path):
    other = tmp_path / "other.db"
    log = tmp_path / "other.db-wal"
    await _fill_many(_archive(path))

    _killed(f"sqlite:{path}", f"sqlite:{other}", lambda: log.exists() and log.stat().st_size > 2_000_000)

    assert await contents(_archive(other)) == {table: [] for table in COPIED}
    _copied(f"sqlite:{path}", f"sqlite:{other}")
    assert len((await contents(_archive(other)))[Table.RUNS]) == MANY


_AT_WORK = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_xid IS NOT NULL
   AND query LIKE 'COPY "cronicorn"."runs"%'
"""


async def test_a_copy_that_is_killed_leaves_an_empty_database_that_can_be_copied_into(path, fresh_postgres_url):
    await _fill_many(_archive(path))
    archive = PostgresArchive(fresh_postgres_url, PostgresOptions())

    async def working():
        connection = await asyncpg.connect(fresh_postgres_url)
        try:
            return await connection.fetchval(_AT_WORK)
        finally:
            await connection.close()

    _killed(f"sqlite:{path}", fresh_postgres_url, lambda: ask(working()))

    assert await contents(archive) == {table: [] for table in COPIED}
    _copied(f"sqlite:{path}", fresh_postgres_url)
    assert len((await contents(archive))[Table.RUNS]) == MANY


async def test_verifying_a_sound_store_ends_well(path, env):
    await _planted(path)

    ended = cronicorn("verify", "--stopped", env=env)
    told = json.loads(cronicorn("verify", "--stopped", "--json", env=env).out)

    assert ended.code == 0, ended.out
    assert ended.out.count("\nok ") == len(Check)
    assert told["sound"] is True
    assert {check["verdict"] for check in told["checks"]} == {"ok"}


async def test_verifying_a_store_with_a_fault_shows_it_and_ends_with_1(path, env):
    await _planted(path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE runs SET started_us = due_us - 1000000")

    ended = cronicorn("verify", env=env)
    told = json.loads(cronicorn("verify", "--json", env=env).out)

    assert ended.code == 1
    assert "BROKEN  never_early" in ended.out
    assert "endpoint stock: run stock:2:1 began 0:00:01 early" in ended.out
    assert [check["check"] for check in told["checks"] if check["verdict"] == "broken"] == ["never_early"]


async def test_slots_that_wait_break_a_store_unless_its_workers_are_stopped(path, env):
    await _planted(path)
    with sqlite3.connect(path) as connection:
        connection.execute(
            "UPDATE schedule SET due_us = 1000000, state = json_set(state, '$.plan.next_run_at_us', 1000000)"
        )

    assert cronicorn("verify", env=env).code == 1
    assert cronicorn("verify", "--stopped", env=env).code == 0


def test_a_store_that_cannot_be_verified_ends_with_2(path, env):
    missing = cronicorn("verify", env=env)
    path.write_bytes(b"no database at all, but long enough to be read as one" * 100)
    garbled = cronicorn("verify", env=env)
    away = cronicorn("verify", "--database", "postgresql://nobody@127.0.0.1:1/none", env=env)

    assert (missing.code, garbled.code, away.code) == (2, 2, 2)
    assert all(ended.err.startswith("Error: ") for ended in (missing, garbled, away))
    assert not any("Traceback" in ended.err for ended in (missing, garbled, away))


def test_a_bug_in_verifying_is_not_told_as_a_fault_of_the_store(monkeypatch, capsys):
    async def buggy(settings, *, stopped):
        raise RuntimeError("a bug")

    monkeypatch.setattr(verification, "verified", buggy)

    with pytest.raises(SystemExit) as ended:
        verify()

    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert err.rstrip().endswith("RuntimeError: a bug")


def test_every_line_of_why_a_store_cannot_be_verified_says_that_it_is_an_error(env):
    ended = cronicorn("verify", env=env | {"CRONICORN_LEASE_TTL": "soon", "CRONICORN_API_PORT": "none"})

    assert ended.code == 2
    assert len(ended.err.splitlines()) > 1
    assert all(line.startswith("Error: ") for line in ended.err.splitlines())


async def test_workers_lists_who_holds_what(path, env):
    await _planted(path, held_for=timedelta(minutes=5))

    ended = cronicorn("workers", env=env)
    [told] = json.loads(cronicorn("workers", "--json", env=env).out)
    nobodys = cronicorn("workers", "--tenant", "another", env=env)

    heading, line = ended.out.splitlines()
    heads = "WORKER ALIVE VERSION SEEN MECHANISM HELD EXPIRED OLDEST FIRST ENDS ENDPOINTS"
    assert heading.split() == heads.split()
    assert line.split()[:5] == ["w1", "yes", "lease", "1", "0"]
    assert told["alive"] is True
    assert line.endswith("shop/stock")
    assert (told["worker"], told["held"], told["leases"][0]["endpoint_id"]) == ("w1", 1, "stock")
    assert told["leases"][0]["tenant"] == TENANT
    assert (nobodys.code, nobodys.out) == (0, "")
    assert nobodys.err == "Nobody holds a lease of this tenant.\n"


@pytest.mark.parametrize("kind", ["file", "server"])
def test_a_live_store_is_verified_and_looked_at_while_its_workers_go_on(tmp_path, postgres_url, kind):
    url = postgres_url if kind == "server" else f"sqlite:{tmp_path / 'store.db'}"
    env = environment(DATABASE_URL=url)
    with (
        target() as called,
        service(tmp_path, DATABASE_URL=url) as up,
        up.client() as api,
        service(tmp_path, "second", ("scheduler",), DATABASE_URL=url),
    ):
        job = api.post("/api/jobs", json={"name": "shop"}).raise_for_status().json()
        body = {"url": f"{called.url}/stock", "baselineIntervalMs": 1_000}
        held = {"name": "held", "url": f"{called.url}/held", "baselineIntervalMs": 1_000}
        for document in (held, *(body | {"name": f"e{number}"} for number in range(3))):
            api.post(f"/api/jobs/{job['id']}/endpoints", json=document).raise_for_status()
        eventually(lambda: len(called.keys) > 8, within_s=30)
        looks = [json.loads(cronicorn("workers", "--json", env=env).out) for _ in range(2)]
        ends = [cronicorn("verify", env=env) for _ in range(3)]
        called.release.set()

    assert [ended.code for ended in ends] == [0, 0, 0], [ended.out + ended.err for ended in ends]
    for look in looks:
        assert "shop/held" in {lease["endpoint"] for worker in look for lease in worker["leases"]}
