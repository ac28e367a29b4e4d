"""Workers of every mechanism on one PostgreSQL database under random commands; and versions that are wrong."""

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from cronicorn.adapters.postgres.database import PostgresDatabase
from cronicorn.adapters.postgres.job_store import PostgresJobStore
from cronicorn.adapters.postgres.legacy import PostgresLegacyJobStore
from cronicorn.adapters.postgres.optimistic import UNLOCKED, PostgresOptimisticJobStore
from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.domain.instant import MICROSECOND
from cronicorn.testing.store_machine.fleet import BrokenPromiseError
from cronicorn.testing.store_machine.machine import StoreMachine
from tests.servers.databases import emptied_database

UNHURRIED = settings(
    deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck), stateful_step_count=50
)
Maker = Callable[[PostgresDatabase], PostgresJobStore]


def _legacy(database):
    return PostgresLegacyJobStore(database, lock=MICROSECOND)


def _optimistic(database, statements=UNLOCKED):
    return PostgresOptimisticJobStore(database, spread=1, statements=statements)


class MechanismMachine(StoreMachine):
    """Each of three workers has a job store of its own on one database."""

    makers: ClassVar[tuple[Maker, ...]] = ()

    async def open_stores(self, clock):
        stores = await PostgresStores.open(emptied_database(), clock)
        self.job_stores = [make(stores.database) for make in self.makers]
        return [stores]

    def job_store(self, _stores, worker):
        return self.job_stores[worker]

    def teardown(self):
        for job_store in self.job_stores:
            self.runner.run(job_store.aclose())
        super().teardown()


FLEETS: dict[str, tuple[Maker, ...]] = {
    "locks": (_legacy, _legacy, _legacy),
    "no locks": (_optimistic, _optimistic, _optimistic),
    "leases and locks": (PostgresJobStore, _legacy, PostgresJobStore),
    "leases, locks and no locks": (PostgresJobStore, _legacy, _optimistic),
}


@pytest.mark.parametrize("name", FLEETS)
def test_a_thousand_random_steps_break_no_promise(name):
    class FleetMachine(MechanismMachine):
        makers = FLEETS[name]

    run_state_machine_as_test(FleetMachine, settings=settings(UNHURRIED, max_examples=30))

    assert FleetMachine.steps >= 1_000


def _changed(**changes):
    statements = UNLOCKED
    for name, (text, other) in changes.items():
        statement = getattr(statements, name)
        assert text in statement
        statements = replace(statements, **{name: statement.replace(text, other)})
    return lambda database: _optimistic(database, statements)


def _breaking_in(database):
    store = _optimistic(database)
    stands = store._settler._stands
    store._settler._stands = lambda lease, before, *, held: stands(lease, replace(before, leased_slot=None), held=held)
    return store


WRONG: dict[str, tuple[Maker, ...]] = {
    "a version that stands still": (
        _changed(settle=("SET fence = e.fence + 1, ", "SET "), settle_one=("SET fence = fence + 1, ", "SET ")),
    ),
    "a version that nobody compares": (
        PostgresJobStore,
        _changed(settle=("AND e.fence = d.fence", ""), find=("e.fence = $4 AS held", "true AS held")),
    ),
    "a version that breaks into leases": (PostgresJobStore, _breaking_in),
    "a version that forgets": (
        _changed(find=("e.done_claim_id IS NOT DISTINCT", "false AND e.done_claim_id IS NOT DISTINCT")),
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_versions_that_are_wrong_in_a_known_way_are_found(name):
    class WrongMachine(MechanismMachine):
        makers = (WRONG[name] * 3)[:3]

    with pytest.raises(BrokenPromiseError):
        run_state_machine_as_test(WrongMachine, settings=settings(UNHURRIED, max_examples=300, phases=[Phase.generate]))
