"""The promises of `JobStore`: what an answer makes of siblings, and what is kept of it."""

from dataclasses import replace

from cronicorn.domain.editing import hinted
from cronicorn.domain.endpoint import Job, JobEndpoint
from cronicorn.domain.fixtures import a_defer, a_run
from cronicorn.domain.governor import GovernorEvent
from cronicorn.domain.hint import Hint
from cronicorn.domain.policy.path import path_of
from cronicorn.domain.policy.policy import FieldType, Origin, Policy, PolicyField
from cronicorn.domain.settlement import Change, Settlement, Stored
from cronicorn.domain.steering_record import SteeringRecord
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import (
    CRON,
    MINUTE,
    TENANT,
    Stores,
    StoresContract,
    claim,
    claim_one,
    endpoint_of,
    plant,
    settle,
)

A_READER = Policy(
    fields=(
        PolicyField(name="state", type=FieldType.STRING, origin=Origin.SIBLING, sibling="ep1", path=path_of("$.state")),
    )
)
"""A policy that reads what `ep1` answers."""


class SteeringContract(StoresContract):
    """Subclass this with a `stores` fixture: how `JobStore` carries what signals and rules do."""

    async def test_what_becomes_of_siblings_is_written_once_and_of_nobody_else(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores, "ep1", "ep2", "ep3")
        before = await endpoint_of(stores, "ep3")
        clock.advance(MINUTE)
        lease, *_ = await claim(stores)
        steer = a_defer(clock.now() + 5 * MINUTE, now=clock.now())

        def decision(endpoint: JobEndpoint, stored: Stored) -> Settlement:
            change = steered_sibling(stored, "ep2", steer)
            return Settlement(state=endpoint.state, siblings={"ep2": change, "nobody": change})

        first = await stores.job_store.settle(lease, None, decision)
        again = await stores.job_store.settle(lease, None, decision)

        assert (await endpoint_of(stores, "ep2")).state.hints == (steer,)
        assert await endpoint_of(stores, "ep3") == before
        assert (again.state, again.skips) == (first.state, first.skips)

    async def test_a_sibling_that_a_worker_is_on_keeps_its_slot_and_what_was_written(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores, "ep1", "ep2")
        clock.advance(MINUTE)
        lease, other = await claim(stores)
        steer = a_defer(clock.now() + 5 * MINUTE, now=clock.now())

        def decision(endpoint: JobEndpoint, stored: Stored) -> Settlement:
            return Settlement(state=endpoint.state, siblings={"ep2": steered_sibling(stored, "ep2", steer)})

        await stores.job_store.settle(lease, None, decision)
        settlement = await settle(stores, other)

        assert settlement.state.hints == (steer,)
        assert settlement.state.due_at == steer.at

    async def test_what_was_made_of_an_answer_is_kept_with_its_run(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lease = await claim_one(stores)
        record = SteeringRecord(at=clock.now(), events=(GovernorEvent.FROZEN,))

        def decision(endpoint: JobEndpoint, _: Stored) -> Settlement:
            return Settlement(state=endpoint.state, record=record)

        await stores.job_store.settle(lease, a_run(lease), decision)

        assert (await stores.runs.get(TENANT, lease.run_id)).steering == record.encode()

    async def test_a_lease_says_whether_rules_of_siblings_read(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores, "ep1", "ep2")
        await _set_policy(stores, "ep2", A_READER)
        clock.advance(MINUTE)

        leases = await claim(stores)

        assert [(lease.endpoint.id, lease.watched) for lease in leases] == [("ep1", True), ("ep2", False)]

    async def test_a_lease_is_watched_no_more_when_the_rules_are_gone(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores, "ep1", "ep2")
        await _set_policy(stores, "ep2", A_READER)
        await _set_policy(stores, "ep2", None)
        clock.advance(MINUTE)

        leases = await claim(stores)

        assert [lease.watched for lease in leases] == [False, False]


def steered_sibling(stored: Stored, name: str, hint: Hint) -> Change:
    """What becomes of the sibling *name* when *hint* is written on it."""
    sibling = stored.siblings[name]
    return hinted(sibling.endpoint, hint, Stored(now=stored.now, leased_slot=sibling.leased_slot), CRON)


async def _set_policy(stores: Stores, endpoint_id: str, policy: Policy | None) -> None:
    def edit(before: JobEndpoint, _job: Job, _stored: Stored) -> Change:
        return Change(endpoint=replace(before, policy=policy))

    await stores.endpoints.change(TENANT, endpoint_id, edit)
