"""The stores in memory under random commands, and stores that are wrong in known ways: each must be found."""

from collections.abc import Sequence

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from cronicorn.adapters.memory.stores import MemoryStores
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import Stores
from cronicorn.testing.store_machine.machine import StoreMachine


class MemoryMachine(StoreMachine):
    async def open_stores(self, clock: VirtualClock) -> Sequence[Stores]:
        return [MemoryStores.open(clock)]


def test_twenty_thousand_random_steps_break_no_promise():
    run_state_machine_as_test(
        MemoryMachine,
        settings=settings(
            max_examples=460,
            stateful_step_count=50,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )

    assert MemoryMachine.steps >= 20_000
