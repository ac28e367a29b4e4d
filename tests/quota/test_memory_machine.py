"""The quota in memory under random commands, and quotas that are wrong in known ways: each must be found."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.adapters.memory.quota import MemoryQuota
from cronicorn.domain.quota.decision import Mode
from cronicorn.testing.quota_machine.machine import QuotaMachine
from tests.quota.mutants import MEMORY_MUTANTS, check_then_record

UNHURRIED = settings(
    deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck), stateful_step_count=50
)


@pytest.mark.parametrize("mode", Mode)
def test_thousands_of_random_steps_add_up(mode):
    class MemoryMachine(QuotaMachine):
        async def open_quotas(self, clock, tiers, mode):
            return [MemoryQuota(MemoryDatabase(clock), tiers, mode)]

    MemoryMachine.mode = mode

    run_state_machine_as_test(MemoryMachine, settings=settings(UNHURRIED, max_examples=100))

    assert MemoryMachine.steps >= 5_000


@pytest.mark.parametrize("mutant", [check_then_record, *MEMORY_MUTANTS])
def test_a_quota_that_is_wrong_in_a_known_way_is_found(mutant):
    class WrongMachine(QuotaMachine):
        async def open_quotas(self, clock, tiers, mode):
            return [mutant(MemoryDatabase(clock), tiers)]

    with pytest.raises(AssertionError):
        run_state_machine_as_test(WrongMachine, settings=settings(UNHURRIED, max_examples=500, phases=[Phase.generate]))
