"""Each store and the quota in memory under the same random commands; and statements and scripts known to be wrong."""

import sqlite3
import tempfile
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.adapters.memory.quota import MemoryQuota
from cronicorn.adapters.postgres.quota_statements import QuotaStatements as PostgresStatements
from cronicorn.adapters.redis.quota import QuotaScripts
from cronicorn.adapters.sqlite.quota_statements import QuotaStatements as SqliteStatements
from cronicorn.domain.quota.decision import Mode
from cronicorn.testing.quota_machine.machine import QuotaMachine
from cronicorn.testing.store_machine.fleet import BrokenPromiseError
from tests.quota.mutants import CheckThenRecord, unlimited
from tests.quota.places import place_of

UNHURRIED = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    stateful_step_count=40,
    phases=[Phase.generate],
)
EXAMPLES = {"sqlite": 40, "postgres": 15, "redis": 40}
MODES = [(kind, mode) for kind in EXAMPLES for mode in Mode if (kind, mode) != ("redis", Mode.ADVISORY)]


def _changed(right, **changes):
    """The statements, each with one piece of text in the place of another."""
    for name, (text, other) in changes.items():
        statement = getattr(right, name)
        assert text in statement, text
        right = replace(right, **{name: statement.replace(text, other)})
    return right


NEWEST_FILE_BOOKS = "number IN (SELECT max(number) FROM quota_books GROUP BY tenant_id)"
NEWEST_BOOKS = "b.number IN (SELECT max(number) FROM cronicorn.quota_books GROUP BY tenant_id)"
ON_FILE, ON_SERVER, IN_REDIS = SqliteStatements(), PostgresStatements(), QuotaScripts()
COMMITS_EVERY_TIME = " AND settled = 0", ""
WRONG = {
    ("sqlite", "commits every time"): _changed(ON_FILE, settle=COMMITS_EVERY_TIME),
    ("sqlite", "drops reservations at roll-over"): _changed(
        ON_FILE, enter=("number = :number", f"number = :number AND {NEWEST_FILE_BOOKS}")
    ),
    ("sqlite", "ends what expires"): _changed(ON_FILE, charge_expired=("charged = 1", "charged = 1, settled = 1")),
    ("postgres", "commits every time"): _changed(ON_SERVER, settle=COMMITS_EVERY_TIME),
    ("postgres", "drops reservations at roll-over"): _changed(
        ON_SERVER, settle=("b.number = done.book_number", f"b.number = done.book_number AND {NEWEST_BOOKS}")
    ),
    ("postgres", "reserves past the limit"): _changed(ON_SERVER, reserve=("<= $9::bigint", "< $9::bigint + 50")),
    ("redis", "commits every time"): _changed(IN_REDIS, settle=("if found[5] == '1' then return 1 end", "")),
    ("redis", "ends what expires"): _changed(IN_REDIS, look=("'charged', '1'", "'settled', '1'")),
    ("redis", "reserves past the limit"): _changed(IN_REDIS, reserve=("<= limit", "<= limit + 50")),
}
FOUND = BrokenPromiseError, sqlite3.IntegrityError, asyncpg.CheckViolationError
"""A sum does not add up, or the schema refuses what it would come to."""


def machine_of(kind, redis_url, open_all):
    """A machine that drives what *open_all* opens in a place of *kind*."""

    class KindMachine(QuotaMachine):
        async def open_quotas(self, clock, tiers, mode):
            self.folder = tempfile.TemporaryDirectory()
            self.place = await place_of(kind, Path(self.folder.name), clock, redis_url)
            return open_all(self.place, clock, tiers, mode)

        async def close_quotas(self):
            await self.place.aclose()
            self.folder.cleanup()

    return KindMachine


def assert_found(machine):
    """Have *machine* look until a promise is broken; which examples are tried changes with the code."""
    found = False
    try:
        run_state_machine_as_test(machine, settings=settings(UNHURRIED, max_examples=1_000, phases=[Phase.generate]))
    except* FOUND:  # Also in a group, as where what was found hangs on which reservation came first, and did not again.
        found = True
    assert found


@pytest.mark.parametrize(("kind", "mode"), MODES)
def test_thousands_of_random_steps_are_answered_as_by_the_quota_in_memory(kind, mode, redis_url):
    machine = machine_of(
        kind,
        redis_url,
        lambda place, clock, tiers, mode: [MemoryQuota(MemoryDatabase(clock), tiers, mode), place.open(tiers, mode)],
    )
    machine.mode = mode

    run_state_machine_as_test(machine, settings=settings(UNHURRIED, max_examples=EXAMPLES[kind]))

    assert machine.steps >= 35 * EXAMPLES[kind]


@pytest.mark.parametrize("kind", EXAMPLES)
def test_checking_first_and_recording_then_is_found(kind, redis_url):
    machine = machine_of(
        kind,
        redis_url,
        lambda place, clock, tiers, mode: [
            CheckThenRecord(place.open(tiers, mode), place.open(unlimited(tiers), mode)),
        ],
    )

    assert_found(machine)


@pytest.mark.parametrize(("kind", "fault"), WRONG)
def test_statements_and_scripts_that_are_wrong_in_a_known_way_are_found(kind, fault, redis_url):
    assert_found(
        machine_of(kind, redis_url, lambda place, clock, tiers, mode: [place.open(tiers, mode, WRONG[kind, fault])])
    )
