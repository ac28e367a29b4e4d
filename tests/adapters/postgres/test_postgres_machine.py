"""The stores in PostgreSQL and those in memory under the same random commands; and statements known to be wrong."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from cronicorn.adapters.memory.stores import MemoryStores
from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.testing.store_machine.machine import StoreMachine
from tests.adapters.postgres.variants import VARIANTS
from tests.servers.databases import emptied_database

UNHURRIED = settings(
    deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck), stateful_step_count=50
)
EXAMPLES = {"default": 60, "flags off": 25, "serializable": 25}
"""Some 4,500 steps together."""


def machine_on(variant):
    """A machine that drives PostgreSQL beside memory."""

    class PostgresMachine(StoreMachine):
        async def open_stores(self, clock):
            return [MemoryStores.open(clock), await PostgresStores.open(emptied_database(), clock, VARIANTS[variant])]

    return PostgresMachine


@pytest.mark.parametrize("variant", EXAMPLES)
def test_thousands_of_random_steps_are_answered_as_by_the_stores_in_memory(variant):
    machine = machine_on(variant)

    run_state_machine_as_test(machine, settings=settings(UNHURRIED, max_examples=EXAMPLES[variant]))

    assert machine.steps >= 35 * EXAMPLES[variant]
