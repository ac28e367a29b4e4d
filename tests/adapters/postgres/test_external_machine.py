"""A store whose claims a lock service arbitrates, and the one in memory, under the same random commands."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from cronicorn.adapters.memory.stores import MemoryStores
from cronicorn.adapters.postgres.external_statements import ExternalStatements
from cronicorn.testing.claim_service import ClockedClaimService
from cronicorn.testing.store_machine.fleet import BrokenPromiseError
from cronicorn.testing.store_machine.machine import StoreMachine
from tests.adapters.postgres.external_store import open_external
from tests.servers.databases import emptied_database

UNHURRIED = settings(
    deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck), stateful_step_count=50
)
RIGHT = ExternalStatements()


class ExternalMachine(StoreMachine):
    async def open_stores(self, clock):
        return [MemoryStores.open(clock), await self.open_external(clock)]

    async def open_external(self, clock, service=None, statements=None):
        return await open_external(
            emptied_database(), service or ClockedClaimService(clock), judge=clock, statements=statements
        )


def test_two_thousand_random_steps_are_answered_as_by_the_stores_in_memory():
    run_state_machine_as_test(ExternalMachine, settings=settings(UNHURRIED, max_examples=50))

    assert ExternalMachine.steps >= 2_000


def _changed(**changes):
    """The statements, each with one piece of text in the place of another."""
    statements = RIGHT
    for name, (text, other) in changes.items():
        statement = getattr(statements, name)
        assert text in statement
        statements = replace(statements, **{name: statement.replace(text, other)})
    return statements


class Generous(ClockedClaimService):
    """Grants everything to everybody."""

    async def acquire(self, claims, *, ttl):
        return dict.fromkeys((claim.claim_id for claim in claims), 1)


class Forgetful(ClockedClaimService):
    """Forgets what is released, and with it who had it."""

    async def release(self, claims):
        for claim in claims:
            self._held.pop(claim.key, None)


class Stubborn(ClockedClaimService):
    """Never lets go."""

    async def release(self, claims):
        return


WRONG = {
    "stamps under the same fence": _changed(stamp=("greatest(e.fence + 1, h.token)", "greatest(e.fence, 1)")),
    "stamps under the same id": _changed(stamp=("claim_id = h.claim_id", "claim_id = 'claim'")),
    "stamps the planned slot first": _changed(stamp=("coalesce(e.manual_slot, e.slot)", "e.slot")),
    "keeps a cancellation": _changed(stamp=("cancelled = 0", "cancelled = e.cancelled")),
    "forgets what was lost": _changed(
        stamp=("lost_claims = e.lost_claims + (e.claim_id IS NOT NULL)::int", "lost_claims = 0")
    ),
    "chooses early": _changed(
        candidates=("s.due_us <= coalesce($1", "s.due_us <= 9000000 + coalesce($1"),
        candidates_in_turn=("s.due_us <= coalesce($1", "s.due_us <= 9000000 + coalesce($1"),
        stamp=("s.due_us <= $9::bigint", "true"),
    ),
    "chooses nothing that was lost": _changed(
        candidates=("s.claim_id IS NOT NULL AND", "false AND"),
        candidates_in_turn=("s.claim_id IS NOT NULL AND", "false AND"),
    ),
    "tells nobody of a renewal": _changed(renew=("lease_until_us = ", "lease_until_us = e.lease_until_us + 0 * ")),
}
SERVICES = {"never lets go": Stubborn}


@pytest.mark.parametrize("name", [*WRONG, *SERVICES])
def test_what_is_wrong_in_a_known_way_is_found(name):
    class WrongMachine(ExternalMachine):
        async def open_stores(self, clock):
            service = SERVICES.get(name, ClockedClaimService)(clock)
            return [await self.open_external(clock, service, WRONG.get(name))]

    with pytest.raises(BrokenPromiseError):
        run_state_machine_as_test(WrongMachine, settings=settings(UNHURRIED, max_examples=300, phases=[Phase.generate]))


@pytest.mark.parametrize("service", [Generous, Forgetful])
def test_a_service_that_grants_too_much_doubles_nothing(service):
    class DoubtfulMachine(ExternalMachine):
        async def open_stores(self, clock):
            return [await self.open_external(clock, service(clock))]

    run_state_machine_as_test(DoubtfulMachine, settings=settings(UNHURRIED, max_examples=15))
