"""A copy holds all that its source held, or nothing; and work goes on there as it would have gone on here."""

import sqlite3
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from cronicorn.adapters.postgres.archive import PostgresArchive
from cronicorn.adapters.postgres.options import PostgresOptions
from cronicorn.adapters.postgres.quota import PostgresQuota
from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.adapters.sqlite.archive import SqliteArchive
from cronicorn.adapters.sqlite.connection import SqliteFile
from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.quota import SqliteQuota
from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.control.copying import Copied, Copier, Digest
from cronicorn.control.verification import Verifier
from cronicorn.domain.alert.alerting import Alerting, AlertRules
from cronicorn.domain.archive import COPIED, Table
from cronicorn.domain.endpoint import Baseline, CatchUp, CatchUpMode
from cronicorn.domain.errors import ConflictError, LeaseLostError, NotFoundError
from cronicorn.domain.execution.limits import month_of
from cronicorn.domain.fields import us
from cronicorn.domain.fixtures import MIDNIGHT, a_run, an_outcome
from cronicorn.domain.flow.record import FlowKey, FlowRecord, Place
from cronicorn.domain.history import RunQuery
from cronicorn.domain.instant import shifted
from cronicorn.domain.keychain.keychain import first_key
from cronicorn.domain.permission import Operation
from cronicorn.domain.ports import Archive, Restoration
from cronicorn.domain.provision.allowed import Allowed
from cronicorn.domain.provision.provision import Provision
from cronicorn.domain.quota.allowance import Tiers
from cronicorn.domain.tenant import ApiKey, Tenant
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.access import a_member, doing
from cronicorn.testing.contracts.alerts import a_message, an_incident
from cronicorn.testing.contracts.archives import ODD, an_installation, contents, fill
from cronicorn.testing.contracts.drafts import a_draft
from cronicorn.testing.contracts.file_sets import FULL
from cronicorn.testing.contracts.keychains import a_signing_key
from cronicorn.testing.contracts.quota_books import grant, standing
from cronicorn.testing.contracts.stores import (
    CRON,
    TENANT,
    TTL,
    ask_to_run,
    claim,
    claim_one,
    deciding,
    next_due_at,
    plant,
    settle,
)
from cronicorn.testing.store_machine.machine import StoreMachine
from tests.adapters.sqlite.empty_database import copy_to
from tests.servers.databases import emptied_database

MINUTE = timedelta(minutes=1)


class Side:
    """A database that is copied from or to, and its stores."""

    def __init__(self, archive, open_stores):
        self.archive = archive
        self.open_stores = open_stores


def digests(installation):
    """The checksum of each table."""
    found = {table: Digest(table) for table in installation}
    for table, rows in installation.items():
        found[table].add(rows)
    return {table: digest.checksum for table, digest in found.items()}


def file_side(path, clock):
    return Side(SqliteArchive(SqliteFile(path=path), clock), lambda: SqliteStores.open(path, clock, readers=1))


def server_side(url, clock):
    return Side(PostgresArchive(url, PostgresOptions(), clock), lambda: PostgresStores.open(url, clock))


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture(params=["file to file", "file to server", "server to file"])
def sides(request, tmp_path, clock):
    """Where is copied from, and where to."""
    kinds = request.param.split(" to ")
    return [
        server_side(emptied_database(), clock) if kind == "server" else file_side(tmp_path / f"{number}.db", clock)
        for number, kind in enumerate(kinds)
    ]


@pytest.fixture
def source(tmp_path, clock):
    return file_side(tmp_path / "source.db", clock)


@pytest.fixture
def target(tmp_path, clock):
    return file_side(tmp_path / "target.db", clock)


def _heard(*_):
    pass


async def copy(source, target, *, drop_leases=False, told=_heard):
    return await Copier(source=source.archive, drop_leases=drop_leases, told=told).copy_to(target.archive)


async def _history(stores, clock):
    tenant = Tenant(id=TENANT, name=ODD, created_at=MIDNIGHT)
    key = ApiKey(id="k1", tenant_id=TENANT, prefix="ck_", hash="ab", created_at=MIDNIGHT)
    await stores.keys.add_tenant(tenant, key)
    await stores.members.add(a_member(), 10, doing(Operation.MEMBER_ADD))
    full = FlowRecord(starts_us=(1, 2), places=(Place("c1", "ep1", 3),), slowed_us=4)
    await stores.flow_book.change([FlowKey("t1", ODD)], lambda before, now: (dict.fromkeys(before, full), now))
    await stores.provisions.provide(TENANT, lambda _: Provision(egress=Allowed.parse("10.0.0.0/8,db.internal")))
    await stores.keychains.change(TENANT, lambda keychain: first_key(keychain, a_signing_key()))
    await stores.alertings.change(TENANT, lambda _: Alerting(rules=AlertRules(failures=5)))
    await stores.file_sets.put(TENANT, ODD, FULL)
    await stores.incidents.write(an_incident(summary=ODD), [a_message()])
    await plant(stores, "interval", baseline=Baseline(interval=MINUTE, anchor_at=MIDNIGHT))
    await plant(stores, "cron", name=ODD, baseline=Baseline(cron="* * * * *"))
    await plant(stores, "late", catch_up=CatchUp(mode=CatchUpMode.ALL, runs_max=3))
    for number in range(6):
        due_at = await next_due_at(stores.job_store)
        clock.advance(due_at - clock.now() + number * timedelta(seconds=25))
        for lease in await claim(stores):
            await settle(stores, lease, a_run(lease, an_outcome(200 if number % 2 else 500, body=f"\0{ODD}{number}")))
    await _count(stores, clock)
    await ask_to_run(stores, "cron")
    await stores.drafts.add(a_draft(endpoint_id="interval"))
    await _spend(stores, "k1", "k2")


async def _count(stores, clock):
    """Settle what is due next as runs of a tenant whose runs are counted."""
    due_at = await next_due_at(stores.job_store)
    clock.advance(due_at - clock.now())
    for lease in await claim(stores):
        run = a_run(lease)
        decide, month = deciding(lease, run), month_of(run.started_at)

        def counted(endpoint, stored, decide=decide, month=month):
            return decide(endpoint, stored)._replace(month_at=month.start_at)

        await stores.job_store.settle(lease, run, counted)


async def _spend(stores, *keys):
    """Reserve for each key, and commit the first."""
    kind = SqliteQuota if isinstance(stores.database, SqliteDatabase) else PostgresQuota
    quota = kind(stores.database, Tiers())
    grants = [await grant(quota, key, tenant_id=TENANT) for key in keys]
    await quota.commit(grants[0], 30)
    return grants, await standing(quota, TENANT)


async def _goes_on(stores, clock, rounds=6):
    """What is claimed and recorded from here on."""
    told = []
    for _ in range(rounds):
        due_at = await next_due_at(stores.job_store)
        clock.advance(max(timedelta(0), due_at - clock.now()))
        for lease in await claim(stores):
            await settle(stores, lease)
            told.append((clock.now(), lease.endpoint.id, lease.slot, lease.attempt, lease.fence, lease.manual))
    return told


async def test_tokens_that_were_used_and_reserved_are_so_in_a_copy_and_spending_goes_on(sides, clock):
    source, target = sides
    stores = await source.open_stores()
    before = await _spend(stores, "k1", "k2")
    await stores.aclose()

    await copy(source, target)

    stores = await target.open_stores()
    assert await _spend(stores, "k1", "k2") == before
    clock.advance(timedelta(days=2))
    assert (await _spend(stores, "k3", "k4"))[1] == (30, 100)
    await stores.aclose()


async def test_a_copy_holds_every_row_and_is_as_sound_as_its_source(sides, clock):
    source, target = sides
    stores = await source.open_stores()
    await _history(stores, clock)
    await stores.aclose()

    copied = await copy(source, target)

    before, after = await contents(source.archive), await contents(target.archive)
    assert before == after
    assert [(each.table, each.count) for each in copied] == [(table, len(rows)) for table, rows in before.items()]
    assert {each.table: each.checksum for each in copied} == digests(before)
    assert [each.table for each in copied if not each.count] == []
    verifier = Verifier(clock=clock, cron=CRON, retention=timedelta(days=30), wait_max=MINUTE)
    assert (await verifier.verify(target.archive)).sound


async def test_work_goes_on_in_the_copy_at_the_same_instants_and_nothing_runs_again(sides, clock):
    source, target = sides
    stores = await source.open_stores()
    await _history(stores, clock)
    then = clock.now()
    await copy(source, target)
    expected = await _goes_on(stores, clock)
    await stores.aclose()

    other = await target.open_stores()
    clock.advance(then - clock.now())
    told = await _goes_on(other, clock)

    assert told == expected
    for endpoint_id in ("interval", "cron", "late"):
        runs = (await other.runs.list(TENANT, endpoint_id, RunQuery(limit=1_000))).runs
        assert len({(run.slot, run.attempt) for run in runs}) == len(runs)
    await other.aclose()


async def test_there_and_back_again_everything_is_as_it_was(tmp_path, clock, postgres_url):
    first, server, last = (
        file_side(tmp_path / "first.db", clock),
        server_side(postgres_url, clock),
        file_side(tmp_path / "last.db", clock),
    )
    installation = an_installation()
    for row in installation[Table.SCHEDULE]:
        if row["claim_id"]:
            row |= {"lease_until_us": us(clock.now()) - 5, "claimed_us": 0}
    await fill(first.archive, installation)

    there, back = await copy(first, server), await copy(server, last)

    assert there == back
    assert await contents(server.archive) == await contents(last.archive) == installation


async def test_a_live_lease_stops_a_copy_that_names_its_holder(source, target, clock):
    stores = await source.open_stores()
    await plant(stores, "ep1")
    clock.advance(MINUTE)
    await claim_one(stores, worker_id="worker-7")

    with pytest.raises(ConflictError, match=r"worker-7 until 2026-01-01T00:01:30.*--drop-leases"):
        await copy(source, target)
    with pytest.raises(ConflictError, match="worker-7"):
        await Copier(source=source.archive, drop_leases=False, told=_heard).weigh()

    with pytest.raises(NotFoundError, match="no Cronicorn installation"):
        await contents(target.archive)
    await stores.aclose()


async def test_a_dropped_lease_is_lost_in_the_copy_and_its_slot_runs_again(sides, clock):
    source, target = sides
    stores = await source.open_stores()
    await plant(stores, "ep1")
    clock.advance(MINUTE)
    lease = await claim_one(stores)

    await copy(source, target, drop_leases=True)

    other = await target.open_stores()
    with pytest.raises(LeaseLostError):
        await settle(other, lease)
    again = await claim_one(other)
    assert (again.slot, again.attempt, again.fence) == (lease.slot, lease.attempt, lease.fence + 1)
    assert again.taken_over
    await settle(other, again)
    await stores.aclose()
    await other.aclose()


async def test_an_expired_lease_may_be_copied_and_is_taken_over_there(source, target, clock):
    stores = await source.open_stores()
    await plant(stores, "ep1")
    clock.advance(MINUTE)
    lease = await claim_one(stores)
    clock.advance(TTL)

    await copy(source, target)

    other = await target.open_stores()
    assert (await claim_one(other)).fence == lease.fence + 1
    await stores.aclose()
    await other.aclose()


async def test_a_lease_lost_often_rests_as_long_in_the_copy(source, target, clock):
    stores = await source.open_stores()
    await plant(stores, "ep1")
    clock.advance(MINUTE)
    for _ in range(3):
        await claim_one(stores)
        clock.advance(TTL)
    clock.advance(timedelta(seconds=10))
    await claim_one(stores)

    await copy(source, target, drop_leases=True)

    other = await target.open_stores()
    assert await next_due_at(other.job_store) == shifted(clock.now(), timedelta(seconds=20))
    await stores.aclose()
    await other.aclose()


async def test_a_source_that_changes_meanwhile_is_not_copied(source, target, clock):
    stores = await source.open_stores()
    await plant(stores, "ep1")
    clock.advance(MINUTE)

    class Interfering(Archive):
        """A worker comes when the leases have been looked at and the rows have been read."""

        reads = 0

        async def read(self, work):
            self.reads += 1
            for lease in await claim(stores) if self.reads > 2 else ():
                await settle(stores, lease)
            return await source.archive.read(work)

        async def restore(self, work):
            raise NotImplementedError

    with pytest.raises(ConflictError, match="changed meanwhile"):
        await copy(Side(Interfering(), None), target)

    assert await contents(target.archive) == {table: [] for table in COPIED}
    await stores.aclose()


async def test_a_target_that_does_not_keep_what_it_is_given_is_found_out(source, target):
    await fill(source.archive, an_installation())

    class Forgetful(Archive):
        async def read(self, work):
            raise NotImplementedError

        async def restore(self, work):
            return await target.archive.restore(lambda restoration: work(ForgetfulRestoration(restoration)))

    class ForgetfulRestoration(Restoration):
        def __init__(self, restoration):
            self._restoration = restoration

        async def count(self, table):
            return await self._restoration.count(table)

        def rows(self, table, *, by_endpoint=False):
            return self._restoration.rows(table, by_endpoint=by_endpoint)

        async def write(self, table, rows):
            changed = [row | {"reason": ""} if table is Table.SKIPS else row for row in rows]
            await self._restoration.write(table, changed)

    side = Side(Forgetful(), None)
    with pytest.raises(AssertionError, match="skips"):
        await copy(source, side, drop_leases=True)

    assert await contents(target.archive) == {table: [] for table in COPIED}


async def test_progress_is_told_of_every_table(source, target):
    await fill(source.archive, an_installation())
    heard = []

    await copy(source, target, drop_leases=True, told=lambda *said: heard.append(said))

    assert {table for table, _, _ in heard} == set(COPIED)
    assert heard[-1] == (Table.AUDIT_LOG, 2, 2)


async def test_weighing_answers_what_a_copy_would_and_writes_nothing(source, target, tmp_path):
    await fill(source.archive, an_installation())
    copier = Copier(source=source.archive, drop_leases=True, told=_heard)

    weighed = await copier.weigh()

    assert not (tmp_path / "target.db").exists()
    assert {each.table: each for each in weighed}[Table.RUNS] == Copied(
        table=Table.RUNS, count=3, checksum=digests(an_installation())[Table.RUNS]
    )


async def test_rows_that_contradict_one_another_stop_a_copy(source, target):
    await fill(source.archive, an_installation())
    with sqlite3.connect(source.archive._file.path) as connection:
        connection.execute("DELETE FROM endpoints WHERE id = 'ep2'")

    with pytest.raises(ConflictError, match=r"schedule.*`cronicorn verify`"):
        await copy(source, target, drop_leases=True)


class CopiedMachine(StoreMachine):
    """Ends each random history with a copy to a server and back."""

    async def open_stores(self, clock):
        self.folder = tempfile.TemporaryDirectory()
        self.path = copy_to(Path(self.folder.name, "cronicorn.db"))
        return [await SqliteStores.open(self.path, clock, readers=1)]

    def teardown(self):
        try:
            self.runner.run(self._there_and_back())
            super().teardown()
        finally:
            self.folder.cleanup()

    async def _there_and_back(self):
        first, last = file_side(self.path, self.clock), file_side(self.path.with_name("last.db"), self.clock)
        server = server_side(emptied_database(), self.clock)
        there = await copy(first, server, drop_leases=True)
        back = await copy(server, last)
        assert there == back
        before, after = await contents(first.archive), await contents(last.archive)
        now_us = us(self.clock.now())
        live = {
            row["endpoint_number"]
            for row in before[Table.SCHEDULE]
            if isinstance(until_us := row["lease_until_us"], int) and until_us > now_us
        }
        changed = [
            row["endpoint_number"]
            for row, other in zip(before[Table.SCHEDULE], after[Table.SCHEDULE], strict=True)
            if row != other
        ]
        assert set(changed) == live
        assert before | {Table.SCHEDULE: []} == after | {Table.SCHEDULE: []}


def test_random_histories_go_there_and_back_unchanged():
    unhurried = settings(
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        stateful_step_count=40,
        max_examples=25,
        phases=[Phase.generate],
    )

    run_state_machine_as_test(CopiedMachine, settings=unhurried)
