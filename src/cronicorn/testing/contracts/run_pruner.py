"""The promises of `RunPruner`."""

from collections.abc import Sequence
from datetime import timedelta

from cronicorn.domain.fixtures import a_job, a_run, an_endpoint, an_outcome
from cronicorn.domain.history import RunQuery
from cronicorn.domain.instant import FIRST_INSTANT, instant_of
from cronicorn.domain.provision.retention import RunPart
from cronicorn.domain.run import Run, RunStatus
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import MINUTE, Stores, StoresContract, claim, next_due_at, settle, start

TENANTS = ("ada", "bob")


async def _live(stores: Stores, clock: VirtualClock) -> None:
    """Seven runs of two tenants each, every other of which fails."""
    for tenant_id in TENANTS:
        await stores.jobs.add(a_job(id=f"job-{tenant_id}", tenant_id=tenant_id))
        endpoint = an_endpoint(id=tenant_id, tenant_id=tenant_id, job_id=f"job-{tenant_id}", name=tenant_id)
        await stores.endpoints.add(endpoint, start)
    for number in range(7):
        due_at = await next_due_at(stores.job_store)
        assert due_at is not None
        clock.advance(due_at - clock.now())
        for lease in await claim(stores):
            await settle(stores, lease, a_run(lease, an_outcome(500 if number % 2 else 200)))


async def _runs(stores: Stores, tenant_id: str) -> Sequence[Run]:
    """Oldest first."""
    return list((await stores.runs.list(tenant_id, tenant_id, RunQuery(limit=100))).runs[::-1])


def _part(clock: VirtualClock, *tenants: str, inside: bool = True, failed: bool = False) -> RunPart:
    return RunPart(frozenset(tenants), inside, failed, FIRST_INSTANT, clock.now() + MINUTE)


class RunPrunerContract(StoresContract):
    """Subclass this with a `stores` fixture."""

    async def test_only_what_belongs_to_the_part_is_removed(self, stores: Stores, clock: VirtualClock) -> None:
        await _live(stores, clock)
        before = {tenant_id: await _runs(stores, tenant_id) for tenant_id in TENANTS}

        pruned = await stores.pruner.prune_part(_part(clock, "ada"), 100)

        good = [run for run in before["ada"] if run.status is RunStatus.SUCCESS]
        bad = [run for run in before["ada"] if run.status is RunStatus.FAILED]
        assert pruned.removed >= len(good) > 0
        assert await _runs(stores, "ada") == bad
        assert await _runs(stores, "bob") == before["bob"]

    async def test_all_but_some_tenants_are_a_part_as_well(self, stores: Stores, clock: VirtualClock) -> None:
        await _live(stores, clock)
        kept = await _runs(stores, "ada")

        await stores.pruner.prune_part(_part(clock, "ada", inside=False, failed=True), 100)

        assert await _runs(stores, "ada") == kept
        assert {run.status for run in await _runs(stores, "bob")} == {RunStatus.SUCCESS}

    async def test_with_nobody_left_out_all_are_meant(self, stores: Stores, clock: VirtualClock) -> None:
        await _live(stores, clock)

        await stores.pruner.prune_part(_part(clock, inside=False, failed=True), 100)

        statuses = {run.status for tenant_id in TENANTS for run in await _runs(stores, tenant_id)}
        assert statuses == {RunStatus.SUCCESS}

    async def test_it_goes_in_batches_oldest_first_and_says_how_far(self, stores: Stores, clock: VirtualClock) -> None:
        await _live(stores, clock)
        part = _part(clock, "ada", failed=True)
        bad = [run for run in await _runs(stores, "ada") if run.status is RunStatus.FAILED]

        first = await stores.pruner.prune_part(part, 2)
        rest = await stores.pruner.prune_part(part._replace(after=first.until), 2)

        assert (first.removed, first.until) == (2, bad[1].finished_at)
        assert len(bad) == 3
        assert (rest.removed, rest.until) == (1, part.before)

    async def test_what_ended_outside_of_the_span_stays(self, stores: Stores, clock: VirtualClock) -> None:
        await _live(stores, clock)
        bad = [run for run in await _runs(stores, "ada") if run.status is RunStatus.FAILED]
        part = _part(clock, "ada", failed=True)

        await stores.pruner.prune_part(part._replace(after=bad[1].finished_at, before=bad[2].finished_at), 9)

        assert [run for run in await _runs(stores, "ada") if run.status is RunStatus.FAILED] == [bad[0], bad[2]]

    async def test_skips_go_with_what_did_not_fail(self, stores: Stores, clock: VirtualClock) -> None:
        await _live(stores, clock)
        clock.advance(timedelta(hours=3))
        for lease in await claim(stores):
            await settle(stores, lease)
        skips = (await stores.runs.skips("ada", "ada", 9)).skips

        await stores.pruner.prune_part(_part(clock, "ada", failed=True), 100)
        still = (await stores.runs.skips("ada", "ada", 9)).skips
        await stores.pruner.prune_part(_part(clock, "ada"), 100)

        assert still == skips
        assert skips
        assert (await stores.runs.skips("ada", "ada", 9)).skips == ()
        assert len((await stores.runs.skips("bob", "bob", 9)).skips) == len(skips)

    async def test_an_empty_store_has_nothing_to_forget(self, stores: Stores, clock: VirtualClock) -> None:
        part = _part(clock, inside=False)

        assert await stores.pruner.prune_part(part, 9) == (0, part.before)
        assert instant_of(0) < part.before
