"""The stores in a SQLite file and those in memory under the same random commands; and statements known to be wrong."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from cronicorn.adapters.memory.stores import MemoryStores
from cronicorn.adapters.sqlite import lease_statements
from cronicorn.adapters.sqlite.job_store import LeaseStatements, SqliteJobStore
from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.testing.store_machine.fleet import BrokenPromiseError
from cronicorn.testing.store_machine.machine import StoreMachine
from tests.adapters.sqlite.empty_database import copy_to

UNHURRIED = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), stateful_step_count=50)
STEPS = {"claims in any order": 80}
"""Of an example, where 50 seldom show the fault: it takes several endpoints that are due at once."""
RIGHT = LeaseStatements()


class FileMachine(StoreMachine):
    async def open_file(self, clock):
        self.folder = tempfile.TemporaryDirectory()
        return await SqliteStores.open(copy_to(Path(self.folder.name, "cronicorn.db")), clock, readers=1)

    def teardown(self):
        try:
            super().teardown()
        finally:
            self.folder.cleanup()


class SqliteMachine(FileMachine):
    async def open_stores(self, clock):
        return [MemoryStores.open(clock), await self.open_file(clock)]


def test_twenty_thousand_random_steps_are_answered_as_by_the_stores_in_memory():
    run_state_machine_as_test(SqliteMachine, settings=settings(UNHURRIED, max_examples=460))

    assert SqliteMachine.steps >= 20_000


def _changed(**changes):
    """The statements, each with one piece of text in the place of another."""
    statements = RIGHT
    for name, (text, other) in changes.items():
        statement = getattr(statements, name)
        assert text in statement
        statements = replace(statements, **{name: statement.replace(text, other)})
    return statements


WRONG = {
    "settles by the id alone": _changed(find=("s.claim_id = :claim_id AND s.fence = :fence AS held", "1 AS held")),
    "settles whatever is leased": _changed(
        find=("s.claim_id = :claim_id AND s.fence = :fence AS held", "s.claim_id IS NOT NULL AS held")
    ),
    "settles as claimed by the id alone": _changed(
        settle_claimed=("AND claim_id = of.column8 AND fence = of.column9 AND", "AND")
    ),
    "settles as claimed what was edited": _changed(
        settle_claimed=(
            "AND state = of.column11 AND (SELECT document FROM endpoints WHERE number = endpoint_number) = of.column12",
            "",
        )
    ),
    "takes over under the same fence": _changed(claim=("fence = fence + 1", "fence = fence + (claim_id IS NULL)")),
    "claims under the same id": _changed(claim=("lower(hex(randomblob(16)))", "'claim'")),
    "renews whatever is leased": _changed(renew=("claim_id = :claim_id AND fence = :fence", "claim_id IS NOT NULL")),
    "abandons whatever is leased": _changed(
        abandon=("claim_id = :claim_id AND fence = :fence", "claim_id IS NOT NULL")
    ),
    "claims early": _changed(claim=("due_us <= :now_us\n", "due_us <= :now_us + 9000000\n")),
    "claims what is leased": _changed(claim=("takeover_us <= :now_us", "takeover_us > 0")),
    "never takes over": _changed(claim=("takeover_us <= :now_us", "takeover_us < 0")),
    "takes over at once": _changed(
        claim=(lease_statements.takeover_delay_us("lost_claims + 1 + (claim_id IS NOT NULL)"), "0")
    ),
    "leases for longer": _changed(claim=(":until_us", "(:until_us + 1)")),
    "claims the planned slot first": _changed(claim=("coalesce(manual_slot, slot)", "slot")),
    "forgets what is settled": _changed(find=("s.done_claim_id = :claim_id AND", "0 AND")),
    "claims in any order": _changed(claim=("ORDER BY due_us, endpoint_number LIMIT", "ORDER BY endpoint_number LIMIT")),
    "keeps a cancellation": _changed(claim=("cancelled = 0", "cancelled = cancelled")),
}


@pytest.mark.parametrize("name", WRONG)
def test_statements_that_are_wrong_in_a_known_way_are_found(name):
    class WrongMachine(FileMachine):
        async def open_stores(self, clock):
            stores = await self.open_file(clock)
            return [replace(stores, job_store=SqliteJobStore(stores.database, WRONG[name]))]

    looked_for = settings(UNHURRIED, max_examples=2_000, phases=[Phase.generate])
    with pytest.raises(BrokenPromiseError):
        run_state_machine_as_test(WrongMachine, settings=settings(looked_for, stateful_step_count=STEPS.get(name, 50)))
