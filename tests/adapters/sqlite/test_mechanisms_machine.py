"""Workers of every mechanism on one file under random commands; and mechanisms that are wrong in known ways."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from cronicorn.adapters.sqlite import lease_statements
from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.job_store import LeaseStatements, SqliteJobStore
from cronicorn.adapters.sqlite.legacy import SqliteLegacyJobStore
from cronicorn.adapters.sqlite.optimistic import SqliteOptimisticJobStore
from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.domain.instant import MICROSECOND
from cronicorn.domain.ports import JobStore
from cronicorn.testing.store_machine.fleet import BrokenPromiseError
from cronicorn.testing.store_machine.machine import StoreMachine
from tests.adapters.sqlite.empty_database import copy_to

UNHURRIED = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), stateful_step_count=50)
LOCKED = LeaseStatements(renew=lease_statements.ASK)
UNLOCKED = LeaseStatements(
    claim=lease_statements.LOOK, find=lease_statements.FIND_UNLOCKED, settle=lease_statements.SETTLE_UNLOCKED
)

Maker = Callable[[SqliteDatabase], JobStore]


def _legacy(database, statements=LOCKED):
    return SqliteLegacyJobStore(database, statements, lock=MICROSECOND)


def _optimistic(database, statements=UNLOCKED):
    return SqliteOptimisticJobStore(database, statements, spread=1)


class MechanismMachine(StoreMachine):
    """Each of three workers has a job store of its own on one file."""

    makers: ClassVar[tuple[Maker, ...]] = ()

    async def open_stores(self, clock):
        self.folder = tempfile.TemporaryDirectory()
        stores = await SqliteStores.open(copy_to(Path(self.folder.name, "cronicorn.db")), clock, readers=1)
        self.job_stores = [make(stores.database) for make in self.makers]
        return [stores]

    def job_store(self, _stores, worker):
        return self.job_stores[worker]

    def teardown(self):
        try:
            super().teardown()
        finally:
            self.folder.cleanup()


FLEETS: dict[str, tuple[Maker, ...]] = {
    "locks": (_legacy, _legacy, _legacy),
    "no locks": (_optimistic, _optimistic, _optimistic),
    "leases and locks": (SqliteJobStore, _legacy, _legacy),
    "leases and no locks": (SqliteJobStore, _optimistic, _optimistic),
    "leases, locks and no locks": (SqliteJobStore, _legacy, _optimistic),
}


@pytest.mark.parametrize("name", FLEETS)
def test_five_thousand_random_steps_break_no_promise(name):
    class FleetMachine(MechanismMachine):
        makers = FLEETS[name]

    run_state_machine_as_test(FleetMachine, settings=settings(UNHURRIED, max_examples=125))

    assert FleetMachine.steps >= 5_000


def _changed(right, **changes):
    statements = right
    for name, (text, other) in changes.items():
        statement = getattr(statements, name)
        assert text in statement
        statements = replace(statements, **{name: statement.replace(text, other)})
    return statements


def _wrong_locks(**changes):
    return lambda database: _legacy(database, _changed(LOCKED, **changes))


def _wrong_versions(**changes):
    return lambda database: _optimistic(database, _changed(UNLOCKED, **changes))


WRONG: dict[str, tuple[Maker, ...]] = {
    "a lock that a renewal extends": (
        lambda database: _legacy(database, replace(LOCKED, renew=lease_statements.RENEW)),
    ),
    "a lock that no lease is honoured by": (
        SqliteJobStore,
        _wrong_locks(claim=("takeover_us <= :now_us", "takeover_us > 0")),
    ),
    "a lock without a fence": (
        SqliteJobStore,
        _wrong_locks(find=("s.claim_id = :claim_id AND s.fence = :fence AS held", "1 AS held")),
    ),
    "a version that stands still": (_wrong_versions(settle=("fence = fence + 1", "fence = fence")),),
    "a version that nobody compares": (
        SqliteJobStore,
        _wrong_versions(find=("s.fence = :fence AND (s.claim_id", "(s.claim_id")),
    ),
    "a version that breaks into leases": (
        SqliteJobStore,
        _wrong_versions(find=("AND (s.claim_id IS NULL OR s.lease_until_us <= :now_us)", "")),
    ),
    "no lock and no look at leases": (
        SqliteJobStore,
        _wrong_versions(claim=("takeover_us <= :now_us", "takeover_us > 0")),
    ),
    "no lock and early": (_wrong_versions(claim=("due_us <= :now_us\n", "due_us <= :now_us + 9000000\n")),),
    "no lock and forgetful": (_wrong_versions(find=("s.done_claim_id = :claim_id AND", "0 AND")),),
}


@pytest.mark.parametrize("name", WRONG)
def test_mechanisms_that_are_wrong_in_a_known_way_are_found(name):
    class WrongMachine(MechanismMachine):
        makers = (WRONG[name] * 3)[:3]

    with pytest.raises(BrokenPromiseError):
        run_state_machine_as_test(
            WrongMachine, settings=settings(UNHURRIED, max_examples=1_000, phases=[Phase.generate])
        )
