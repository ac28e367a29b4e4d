"""Verification finds every fault that was planted, and nothing in what honest histories leave behind."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from cronicorn.adapters.sqlite.archive import SqliteArchive
from cronicorn.adapters.sqlite.connection import SqliteFile
from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.job_store import SqliteJobStore
from cronicorn.adapters.sqlite.quota import SqliteQuota
from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.control.verification import Verifier
from cronicorn.domain.archive import Table
from cronicorn.domain.endpoint import Baseline, CatchUp, CatchUpMode, JobStatus, RetryPolicy
from cronicorn.domain.execution.limits import month_of
from cronicorn.domain.fields import us
from cronicorn.domain.fixtures import MIDNIGHT, a_run, an_outcome
from cronicorn.domain.instant import instant_of
from cronicorn.domain.ports import Archive, JobStore, Snapshot
from cronicorn.domain.quota.allowance import Budget, Tiers
from cronicorn.domain.slot import SlotState
from cronicorn.domain.verification import EXAMPLES_MAX, MEANING, Check
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.archives import contents
from cronicorn.testing.contracts.stores import CRON, ask_to_run, claim, next_due_at, plant, settle
from cronicorn.testing.store_machine.machine import StoreMachine
from tests.adapters.sqlite.empty_database import copy_to
from tests.adapters.sqlite.test_mechanisms_machine import FLEETS
from tests.control.kept_by_planners import plan

MINUTE = timedelta(minutes=1)
WAIT_MAX = timedelta(seconds=61)


class PlantedArchive(Archive):
    """Rows that a test has made."""

    def __init__(self, rows, taken_at):
        self.rows = rows
        self.taken_at = taken_at

    async def read(self, work):
        return await work(PlantedSnapshot(self.rows, self.taken_at))

    async def restore(self, work):
        raise NotImplementedError


class PlantedSnapshot(Snapshot):
    def __init__(self, rows, taken_at):
        self._rows = rows
        self._taken_at = taken_at

    @property
    def taken_at(self):
        return self._taken_at

    async def count(self, table):
        return len(self._rows[table])

    async def rows(self, table, *, by_endpoint=False):
        rows = self._rows[table]
        if table in {Table.SCHEDULE, Table.WATCHES} or by_endpoint:
            rows = sorted(rows, key=lambda row: (row["endpoint_number"], row.get("slot", 0), row.get("attempt", 0)))
        for start in range(0, len(rows), 7):
            yield rows[start : start + 7]

    async def kept_since(self):
        return None

    async def examine(self, findings):
        pass


def verifier(clock, *, stopped=False):
    return Verifier(clock=clock, cron=CRON, retention=timedelta(days=30), wait_max=WAIT_MAX, stopped=stopped)


@pytest.fixture(scope="module")
def clock():
    return VirtualClock()


@pytest.fixture(scope="module")
def healthy(tmp_path_factory, clock):
    """The rows of a day in the life of a few endpoints."""
    import asyncio

    path = tmp_path_factory.mktemp("healthy") / "cronicorn.db"
    return asyncio.run(_history(path, clock))


async def _history(path, clock):
    stores = await SqliteStores.open(path, clock)
    baselines = {
        "interval": Baseline(interval=MINUTE, anchor_at=MIDNIGHT),
        "cron": Baseline(cron="* * * * *"),
        "once": Baseline(once_at=MIDNIGHT + timedelta(minutes=3)),
        "dormant": Baseline(dormant=True),
    }
    for name, baseline in baselines.items():
        await plant(stores, name, baseline=baseline, catch_up=CatchUp(mode=CatchUpMode.ALL, runs_max=3))
    await plant(stores, "retried", retries=RetryPolicy(count=2))
    for _ in range(12):
        await _round(stores, clock)
    clock.advance(timedelta(minutes=4))  # Nobody comes, and some instants are skipped.
    await ask_to_run(stores, "dormant")
    for _ in range(12):
        await _round(stores, clock)
    clock.advance(timedelta(minutes=4))
    for lease in await claim(stores):
        if lease.endpoint.id != "retried":
            await settle(stores, lease)  # Two more late instants are owed.
    await ask_to_run(stores, "dormant")
    clock.advance(timedelta(seconds=1))
    await _spend(SqliteQuota(stores.database, Tiers()), clock)
    await plan(stores)
    await stores.aclose()
    return await contents(SqliteArchive(SqliteFile(path=path), clock), tuple(Table))


async def _spend(quota, clock):
    """Grants that were committed, released, charged because they expired, and one in progress."""
    short, long = timedelta(milliseconds=1), timedelta(minutes=1)
    calls = {"made": long, "not made": long, "lost": short, "open": long}
    grants = {
        key: (await quota.reserve("t1", 100, budget=Budget.ANALYSIS, key=key, ttl=ttl)).grant_id
        for key, ttl in calls.items()
    }
    await quota.commit(grants["made"], 130)
    await quota.release(grants["not made"])
    clock.advance(short)
    seen = await quota.remaining("t1")
    assert (seen.used, seen.reserved) == (230, 100)


async def _round(stores, clock):
    """Run all that is due next; what is retried fails at first."""
    clock.advance(max(timedelta(0), await _next(stores) - clock.now()))
    for lease in await claim(stores):
        fails = lease.endpoint.id == "retried" and lease.attempt == 1
        await settle(stores, lease, a_run(lease, an_outcome(500 if fails else 200)))


async def _next(stores):
    due_at = await next_due_at(stores.job_store)
    assert due_at is not None
    return due_at


async def _found(rows, clock, **options):
    return await verifier(clock, **options).verify(PlantedArchive(rows, clock.now()))


async def test_an_honest_history_is_sound_and_every_check_had_something_to_look_at(healthy, clock):
    findings = await _found(healthy, clock)

    assert findings.sound
    assert {check: tally.examples for check, tally in findings.tallies.items() if tally.found} == {}
    idle = {check for check, tally in findings.tallies.items() if not tally.checked}
    assert idle == {Check.STRUCTURE, Check.PLACE, Check.LEFT_OVERS, Check.INCIDENTS}  # Stores look at themselves.
    assert findings.tallies[Check.BOOKS].checked > 20


def _row(rows, table, **wanted):
    return next(row for row in rows[table] if all(row[name] == value for name, value in wanted.items()))


def _number(rows, name):
    return _row(rows, Table.ENDPOINTS, id=name)["number"]


def _schedule(rows, name="interval"):
    return _row(rows, Table.SCHEDULE, endpoint_number=_number(rows, name))


def _runs(rows, name="interval"):
    number = _number(rows, name)
    return [row for row in rows[Table.RUNS] if row["endpoint_number"] == number]


def _unreadable_document(rows):
    _row(rows, Table.ENDPOINTS, id="cron")["document"] = "{}"


def _unreadable_state(rows):
    _schedule(rows)["state"] = "[1"


def _unreadable_done(rows):
    _schedule(rows)["done"] = '{"skips":[{}]}'


def _unreadable_outcome(rows):
    _runs(rows)[0]["outcome"] = "{}"


def _unreadable_trace(rows):
    _runs(rows)[0]["trace"] = "?"


def _unreadable_status(rows):
    _runs(rows)[0]["status"] = "???"


def _unreadable_skip(rows):
    rows[Table.SKIPS][0]["state"] = "???"


def _unreadable_job(rows):
    rows[Table.JOBS][0]["status"] = "???"


def _unreadable_instant(rows):
    _runs(rows)[0]["finished_us"] = 2**62


def _other_slot(rows):
    _schedule(rows)["slot"] += 1


def _other_due(rows):
    _schedule(rows)["due_us"] += 1


def _other_tenant(rows):
    _schedule(rows)["tenant_id"] = "t2"


def _other_version(rows):
    _row(rows, Table.ENDPOINTS, id="cron")["version"] += 1


def _other_job(rows):
    _row(rows, Table.ENDPOINTS, id="cron")["job_number"] += 1


def _no_schedule(rows):
    rows[Table.SCHEDULE].remove(_schedule(rows))


def _two_schedules(rows):
    rows[Table.SCHEDULE].append(_schedule(rows))


def _no_endpoint(rows):
    rows[Table.ENDPOINTS].remove(_row(rows, Table.ENDPOINTS, id="cron"))


def _never_due(rows):
    row = _schedule(rows)
    state = row["state"]
    start = state.index('"next_run_at_us":')
    row["state"] = state[:start] + state[state.index(",", start) + 1 :]
    row["due_us"] = None


def _paused_job(rows):
    rows[Table.JOBS][0]["status"] = "paused"


def _suspended_alone(rows):
    row = _schedule(rows)
    row["state"] = row["state"].replace('{"slot":', '{"suspended":true,"slot":')


def _half_a_lease(rows):
    next(row for row in rows[Table.SCHEDULE] if row["claim_id"])["worker_id"] = None


def _free_but_held(rows):
    next(row for row in rows[Table.SCHEDULE] if not row["claim_id"])["worker_id"] = "w1"


def _free_but_cancelled(rows):
    next(row for row in rows[Table.SCHEDULE] if not row["claim_id"])["cancelled"] = 1


def _lease_before_itself(rows):
    row = next(row for row in rows[Table.SCHEDULE] if row["claim_id"])
    row["claimed_us"] = row["lease_until_us"] + 1


def _twice(rows):
    rows[Table.RUNS].append(_runs(rows)[1] | {"number": 10_000, "fence": _schedule(rows)["fence"]})


def _done_and_due(rows):
    row = _schedule(rows)
    _runs(rows)[-1].update(slot=row["slot"], attempt=row["attempt"])


def _asked_for_and_done(rows):
    _runs(rows, "dormant")[-1]["slot"] = _schedule(rows, "dormant")["manual_slot"]


def _fence_too_high(rows):
    _runs(rows)[-1]["fence"] = 1_000


def _fence_going_back(rows):
    _runs(rows)[-1]["fence"] = 1


def _done_fence_too_high(rows):
    _schedule(rows)["done_fence"] = 1_000


def _done_without_fence(rows):
    _schedule(rows)["done_fence"] = None


def _lease_with_used_fence(rows):
    row = next(row for row in rows[Table.SCHEDULE] if row["claim_id"])
    run = next(run for run in reversed(rows[Table.RUNS]) if run["endpoint_number"] == row["endpoint_number"])
    run["fence"] = row["fence"]


def _early(rows):
    run = _runs(rows)[2]
    run["started_us"] = run["due_us"] - 1


def _slot_not_issued(rows):
    _runs(rows)[-1]["slot"] = 1_000


def _attempt_nought(rows):
    _runs(rows)[-1]["attempt"] = 0


def _planned_and_ahead(rows):
    _runs(rows, "dormant")[-1]["source"] = "baseline-interval"


def _lost_run(rows):
    rows[Table.RUNS].remove(_runs(rows)[-2])


def _lost_skip(rows):
    rows[Table.SKIPS].clear()


def _skip_and_run(rows):
    run = _runs(rows)[-2]
    rows[Table.SKIPS].append(
        rows[Table.SKIPS][0]
        | {"number": 1_000, "endpoint_number": run["endpoint_number"], "instants": 1}
        | dict.fromkeys(("first_us", "last_us"), run["nominal_us"])
    )


def _skip_miscounted(rows):
    rows[Table.SKIPS][0]["instants"] += 1


def _skip_backwards(rows):
    rows[Table.SKIPS][0]["first_us"] = rows[Table.SKIPS][0]["last_us"] + 1


def _runs_ahead(rows):
    run = _runs(rows)[-2]
    run["nominal_us"] = _schedule(rows)["due_us"]


def _unreadable_grant(rows):
    rows[Table.QUOTA_GRANTS][0]["budget"] = "???"


def _reserved_for_nobody(rows):
    rows[Table.QUOTA_BOOKS][0]["analysis_reserved"] += 1


def _reserved_by_nobody(rows):
    rows[Table.QUOTA_GRANTS] = [row for row in rows[Table.QUOTA_GRANTS] if row["charged"] or row["settled"]]


def _reserved_of_the_other_budget(rows):
    book = rows[Table.QUOTA_BOOKS][0]
    book["compile_reserved"], book["analysis_reserved"] = book["analysis_reserved"], book["compile_reserved"]


def _expired_for_nothing(rows):
    rows[Table.QUOTA_BOOKS][0]["analysis_used"] = 99


def _less_than_nothing(rows):
    rows[Table.QUOTA_BOOKS][0]["compile_used"] = -1


def _book_of_nobody(rows):
    rows[Table.QUOTA_BOOKS][0]["tenant_id"] = "nobody"


def _grant_of_nobody(rows):
    rows[Table.QUOTA_GRANTS][0]["tenant_id"] = "nobody"


def _no_book(rows):
    rows[Table.QUOTA_BOOKS].clear()


def _of(rows, table, name="analysed"):
    return _row(rows, table, endpoint_number=_number(rows, name))


def _unreadable_memory(rows):
    _of(rows, Table.WATCHES)["memory"] = "{"


def _unreadable_draft(rows):
    _of(rows, Table.POLICY_DRAFTS)["document"] = "{}"


def _unreadable_draft_status(rows):
    _of(rows, Table.POLICY_DRAFTS)["status"] = "???"


def _unreadable_analysis(rows):
    _of(rows, Table.ANALYSES)["document"] = "{}"


def _unreadable_month(rows):
    rows[Table.RUN_COUNTS][0]["month_us"] = 2**62


def _never_watched(rows):
    rows[Table.WATCHES].remove(_of(rows, Table.WATCHES))


def _watched_twice(rows):
    rows[Table.WATCHES].append(_of(rows, Table.WATCHES))


def _watched_for_nothing(rows):
    rows[Table.WATCHES].append(_of(rows, Table.WATCHES) | {"endpoint_number": _number(rows, "dormant")})


def _watch_of_nobody(rows):
    rows[Table.WATCHES].append(_of(rows, Table.WATCHES) | {"endpoint_number": 1_000})


def _half_a_claim(rows):
    _of(rows, Table.WATCHES, "claimed")["claim_id"] = None


def _claim_without_end(rows):
    _of(rows, Table.WATCHES, "claimed")["claimed_until_us"] = 0


def _looked_at_never_again(rows):
    _of(rows, Table.WATCHES)["look_us"] = 9 * 10**18


def _read_ahead(rows):
    _of(rows, Table.WATCHES)["cursor_us"] = 9 * 10**18


def _asked_never_again(rows):
    _of(rows, Table.WATCHES)["memory"] = '{"known": {}, "not_before_us": 253402300799000000}'


def _failed_less_than_never(rows):
    _of(rows, Table.WATCHES)["memory"] = '{"known": {}, "failures": -5}'


def _draft_of_nobody(rows):
    _of(rows, Table.POLICY_DRAFTS)["endpoint_number"] = 1_000


def _draft_of_another_tenant(rows):
    _of(rows, Table.POLICY_DRAFTS)["tenant_id"] = "t2"


def _two_in_force(rows):
    active = _row(rows, Table.POLICY_DRAFTS, status="active")
    rows[Table.POLICY_DRAFTS].append(active | {"id": "dr9", "number": 1_000})


def _analysis_of_nobody(rows):
    _of(rows, Table.ANALYSES)["endpoint_number"] = 1_000


def _analysis_of_another_tenant(rows):
    _of(rows, Table.ANALYSES)["tenant_id"] = "t2"


def _analysis_of_another_endpoint(rows):
    _of(rows, Table.ANALYSES)["endpoint_id"] = "claimed"


def _counted_for_nobody(rows):
    rows[Table.RUN_COUNTS].append(rows[Table.RUN_COUNTS][0] | {"tenant_id": "t9"})


def _counted_too_low(rows):
    rows[Table.RUN_COUNTS][0]["runs"] = 0


def _never_counted(rows):
    rows[Table.RUN_COUNTS].clear()


def _counted_in_no_month(rows):
    rows[Table.RUN_COUNTS].append(rows[Table.RUN_COUNTS][0] | {"month_us": rows[Table.RUN_COUNTS][0]["month_us"] + 1})


def _counted_ahead(rows):
    month_at = month_of(instant_of(rows[Table.RUN_COUNTS][0]["month_us"])).end_at
    rows[Table.RUN_COUNTS].append(rows[Table.RUN_COUNTS][0] | {"month_us": us(month_at)})


def _hour(rows, table=Table.ENDPOINT_HOURS):
    return max(rows[table], key=lambda row: row["runs"])


def _hour_miscounted(rows):
    _hour(rows)["runs"] += 1


def _hour_of_a_job_miscounted(rows):
    _hour(rows, Table.JOB_HOURS)["runs"] -= 1


def _hour_never_counted(rows):
    rows[Table.ENDPOINT_HOURS].remove(_hour(rows))


def _hour_of_a_job_never_counted(rows):
    rows[Table.JOB_HOURS].remove(_hour(rows, Table.JOB_HOURS))


def _half_an_hour(rows):
    _hour(rows)["hour_us"] += 1_800_000_000


def _hour_to_come(rows):
    for table in (Table.ENDPOINT_HOURS, Table.JOB_HOURS):
        _hour(rows, table)["hour_us"] += 24 * 3_600_000_000


def _unreadable_hour(rows):
    _hour(rows)["status"] = "odd"


PLANTS = {
    Check.READABLE: [
        _unreadable_document, _unreadable_state, _unreadable_done, _unreadable_outcome, _unreadable_trace,
        _unreadable_status, _unreadable_skip, _unreadable_job, _unreadable_instant, _unreadable_grant,
        _unreadable_memory, _unreadable_draft, _unreadable_draft_status, _unreadable_analysis, _unreadable_month,
        _unreadable_hour,
    ],
    Check.AGREEMENT: [_other_slot, _other_due, _other_tenant, _other_version, _other_job],
    Check.ONE_SCHEDULE: [_no_schedule, _two_schedules, _no_endpoint],
    Check.RESTING: [_never_due, _paused_job, _suspended_alone],
    Check.LEASES: [_half_a_lease, _free_but_held, _free_but_cancelled, _lease_before_itself],
    Check.ONCE: [_twice, _done_and_due, _asked_for_and_done],
    Check.FENCES: [
        _fence_too_high, _fence_going_back, _done_fence_too_high, _done_without_fence, _lease_with_used_fence,
    ],
    Check.NEVER_EARLY: [_early],
    Check.SLOTS: [_slot_not_issued, _attempt_nought, _planned_and_ahead],
    Check.BOOKS: [_lost_run, _lost_skip, _skip_and_run, _skip_miscounted, _skip_backwards, _runs_ahead],
    Check.TOKENS: [
        _reserved_for_nobody, _reserved_by_nobody, _reserved_of_the_other_budget, _expired_for_nothing,
        _less_than_nothing, _no_book,
    ],
    Check.RUN_COUNTS: [
        _counted_for_nobody, _counted_too_low, _never_counted, _counted_in_no_month, _counted_ahead,
    ],
    Check.ROLLUPS: [
        _hour_miscounted, _hour_of_a_job_miscounted, _hour_never_counted, _hour_of_a_job_never_counted, _half_an_hour,
        _hour_to_come,
    ],
    Check.WATCHES: [
        _never_watched, _watched_twice, _watched_for_nothing, _watch_of_nobody, _half_a_claim, _claim_without_end,
        _looked_at_never_again, _read_ahead, _asked_never_again, _failed_less_than_never,
    ],
    Check.DRAFTS: [
        _draft_of_nobody, _draft_of_another_tenant, _two_in_force,
    ],
    Check.ANALYSES: [_analysis_of_nobody, _analysis_of_another_tenant, _analysis_of_another_endpoint],
}  # fmt: skip


@pytest.mark.parametrize(
    ("check", "plant_it"), [pytest.param(check, each, id=each.__name__) for check in PLANTS for each in PLANTS[check]]
)
async def test_a_planted_fault_is_found(healthy, clock, check, plant_it):
    rows = {table: [dict(row) for row in healthy[table]] for table in Table}
    plant_it(rows)

    findings = await _found(rows, clock)

    assert not findings.sound
    assert findings.tallies[check].found
    assert findings.tallies[check].examples


async def test_a_slot_for_no_instant_that_was_over_a_limit_is_sound(healthy, clock):
    rows = {table: [dict(row) for row in healthy[table]] for table in Table}
    last = max(rows[Table.SKIPS], key=lambda row: row["number"])
    beside = {
        "state": SlotState.SKIPPED_QUOTA.value,
        "instants": 0,
        "first_us": last["last_us"],
        "number": last["number"] + 1,
    }
    rows[Table.SKIPS].append(last | beside)
    rows[Table.SKIPS].sort(key=lambda row: (row["endpoint_number"], row["number"]))

    assert (await _found(rows, clock)).sound
    rows[Table.SKIPS] = [row | {"state": SlotState.COALESCED.value} for row in rows[Table.SKIPS]]
    assert not (await _found(rows, clock)).sound


async def test_a_slot_that_nobody_takes_is_found_unless_all_workers_are_stopped(healthy, clock):
    later = VirtualClock()
    later.advance(clock.now() + 3 * WAIT_MAX - later.now())

    running, stopped = [await _found(healthy, later, stopped=stopped) for stopped in (False, True)]

    assert not running.sound
    assert stopped.sound
    assert running.tallies[Check.TAKEN].found == stopped.tallies[Check.TAKEN].found == 4
    assert any("expired" in example for example in running.tallies[Check.TAKEN].examples)


@pytest.mark.parametrize("taken", [True, False])
async def test_slots_that_wait_are_looked_at_twice(healthy, clock, taken):
    later = VirtualClock()
    later.advance(clock.now() + 3 * WAIT_MAX - later.now())
    archive = PlantedArchive(healthy, later.now())
    waited = []

    async def pause(seconds):
        waited.append(seconds)
        if taken:
            archive.taken_at = clock.now()

    patient = replace(verifier(later), second_look_after=timedelta(seconds=4), pause=pause)

    findings = await patient.verify(archive)

    assert waited == [4]
    assert findings.sound == taken


async def test_what_is_left_of_a_deleted_endpoint_is_counted_apart(healthy, clock):
    rows = healthy | {
        Table.ENDPOINTS: [row for row in healthy[Table.ENDPOINTS] if row["id"] != "cron"],
        Table.SCHEDULE: [row for row in healthy[Table.SCHEDULE] if row != _schedule(healthy, "cron")],
    }

    findings = await _found(rows, clock)

    assert findings.sound
    assert findings.tallies[Check.LEFT_OVERS].found >= len(_runs(healthy, "cron"))


@pytest.mark.parametrize("plant_it", [_book_of_nobody, _grant_of_nobody])
async def test_tokens_of_a_tenant_that_is_not_there_are_told_and_break_nothing(healthy, clock, plant_it):
    rows = {table: [dict(row) for row in healthy[table]] for table in Table}
    plant_it(rows)

    findings = await _found(rows, clock)

    assert findings.tallies[Check.OWNERS].found
    assert findings.sound


async def test_a_clock_that_is_off_is_told_and_breaks_nothing(healthy, clock):
    findings = await verifier(clock).verify(PlantedArchive(healthy, clock.now() - timedelta(seconds=5)))

    assert findings.tallies[Check.CLOCK].found == 1
    assert "0:00:05" in findings.tallies[Check.CLOCK].examples[0]
    assert Check.CLOCK in findings.harmless


async def test_of_many_faults_some_are_described_and_all_are_counted(healthy, clock):
    rows = {table: [dict(row) for row in healthy[table]] for table in Table}
    for run in rows[Table.RUNS]:
        run["started_us"] = run["due_us"] - 1

    tally = (await _found(rows, clock)).tallies[Check.NEVER_EARLY]

    assert tally.found == len(rows[Table.RUNS]) > EXAMPLES_MAX == len(tally.examples)


async def test_runs_that_were_pruned_are_not_missed(healthy, clock):
    horizon = clock.now() - timedelta(minutes=5)
    rows = healthy | {
        Table.RUNS: [row for row in healthy[Table.RUNS] if row["finished_us"] >= us(horizon)],
        Table.SKIPS: [row for row in healthy[Table.SKIPS] if row["last_us"] >= us(horizon)],
    }

    kept = replace(verifier(clock), retention=timedelta(minutes=5))

    assert (await kept.verify(PlantedArchive(rows, clock.now()))).sound
    assert not (await _found(rows, clock)).sound


def test_every_check_says_what_it_means():
    assert set(MEANING) == set(Check)


class JobMinding:
    """Endpoints that rest from the start when their job does, as the control plane has it."""

    def __init__(self, endpoints):
        self._endpoints = endpoints

    def __getattr__(self, name):
        return getattr(self._endpoints, name)

    async def add(self, endpoint, start):
        def minded(job, new, now):
            suspended = job.status is not JobStatus.ACTIVE
            return start(job, replace(new, state=replace(new.state, suspended=suspended)), now)

        return await self._endpoints.add(endpoint, minded)


class VerifiedMachine(StoreMachine):
    """Each of three workers has a mechanism of its own. Ends each random history with a verification."""

    makers: ClassVar[Sequence[Callable[[SqliteDatabase], JobStore]]] = ()

    def job_store(self, _stores, worker):
        return self.job_stores[worker]

    async def open_stores(self, clock):
        self.folder = tempfile.TemporaryDirectory()
        self.file = SqliteFile(path=copy_to(Path(self.folder.name, "cronicorn.db")))
        stores = await SqliteStores.open(self.file.path, clock, readers=1)
        self.job_stores = [make(stores.database) for make in self.makers]
        return [replace(stores, endpoints=JobMinding(stores.endpoints))]  # type: ignore[arg-type]

    def teardown(self):
        try:
            archive = SqliteArchive(self.file, self.clock)
            findings = self.runner.run(verifier(self.clock, stopped=True).verify(archive))
            assert findings.sound, {check: tally for check, tally in findings.tallies.items() if tally.found}
            super().teardown()
        finally:
            self.folder.cleanup()


@pytest.mark.parametrize("name", ["leases", "locks", "no locks", "leases, locks and no locks"])
def test_random_histories_are_sound(name):
    class FleetMachine(VerifiedMachine):
        makers: ClassVar[Sequence[Callable[[SqliteDatabase], JobStore]]] = FLEETS.get(name, (SqliteJobStore,) * 3)

    unhurried = settings(
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        stateful_step_count=50,
        max_examples=60,
        phases=[Phase.generate],
    )

    run_state_machine_as_test(FleetMachine, settings=unhurried)
