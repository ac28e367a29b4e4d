"""The stores in memory under random commands, and stores that are wrong in known ways: each must be found."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from cronicorn.adapters.memory.stores import MemoryStores
from cronicorn.testing.store_machine.fleet import BrokenPromiseError
from cronicorn.testing.store_machine.machine import StoreMachine
from tests.adapters.memory.mutants import MUTANTS, wrong_stores

UNHURRIED = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), stateful_step_count=50)


class MemoryMachine(StoreMachine):
    async def open_stores(self, clock):
        return [MemoryStores.open(clock)]


def test_twenty_thousand_random_steps_break_no_promise():
    run_state_machine_as_test(MemoryMachine, settings=settings(UNHURRIED, max_examples=520))

    assert MemoryMachine.steps >= 20_000


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_store_that_is_wrong_in_a_known_way_is_found(mutant):
    class WrongMachine(StoreMachine):
        async def open_stores(self, clock):
            return [wrong_stores(mutant, clock)]

    with pytest.raises(BrokenPromiseError):
        run_state_machine_as_test(
            WrongMachine, settings=settings(UNHURRIED, max_examples=2_000, phases=[Phase.generate])
        )
