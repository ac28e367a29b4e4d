"""The stores in memory under random commands, and stores that are wrong in known ways: each must be found."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from cronicorn.adapters.memory.stores import MemoryStores
from cronicorn.testing.store_machine.commands import endings, lengths, picks
from cronicorn.testing.store_machine.edits import EDITS
from cronicorn.testing.store_machine.fleet import BrokenPromiseError
from cronicorn.testing.store_machine.machine import StoreMachine
from tests.adapters.memory.mutants import MUTANTS, wrong_stores

UNHURRIED = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), stateful_step_count=50)


class EditingMachine(StoreMachine):
    """Tells one story more, of which most stores that are wrong about edits are a part: chance tells it seldom."""

    @precondition(lambda self: any(not taken.known.deleted for taken in self.taken))
    @rule(pick=picks, edit=st.sampled_from(EDITS), length=lengths, ending=endings, expired=st.booleans())
    def edit_meanwhile(self, *, pick, edit, length, ending, expired):
        """Somebody edits an endpoint before its run settles, at times when its lease has expired."""
        standing = [taken for taken in reversed(self.taken) if not taken.known.deleted]
        taken = standing[pick % len(standing)]
        if expired:
            self._wait_for(taken.known.ends_at(taken))
        self._edit(taken.known, edit, length)
        self._settle(taken, ending)


class MemoryMachine(EditingMachine):
    async def open_stores(self, clock):
        return [MemoryStores.open(clock)]


def test_thousands_of_random_steps_break_no_promise():
    """Twenty thousand more stand beside those in a SQLite file."""
    run_state_machine_as_test(MemoryMachine, settings=settings(UNHURRIED, max_examples=130))

    assert MemoryMachine.steps >= 5_000


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_store_that_is_wrong_in_a_known_way_is_found(mutant):
    class WrongMachine(EditingMachine):
        async def open_stores(self, clock):
            return [wrong_stores(mutant, clock)]

    with pytest.raises(BrokenPromiseError):
        run_state_machine_as_test(
            WrongMachine, settings=settings(UNHURRIED, max_examples=2_000, phases=[Phase.generate])
        )
