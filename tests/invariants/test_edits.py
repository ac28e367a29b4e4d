"""An edit at any moment of a run is kept, and the plan follows it."""

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from cronicorn.domain.editing import edited, suspended
from cronicorn.domain.endpoint import Baseline, EndpointState, JobEndpoint, JobStatus
from cronicorn.domain.errors import LeaseLostError
from cronicorn.domain.fixtures import MIDNIGHT, a_defer, a_one_shot, a_pause, a_run, an_interval_hint, an_outcome
from cronicorn.domain.hint import Hint
from cronicorn.domain.mechanism import Invariant
from cronicorn.domain.plan import Source
from cronicorn.domain.planning import plan_next_run
from cronicorn.domain.run import Run, RunStatus
from cronicorn.domain.settlement import Change, Settlement
from cronicorn.testing.contracts.steering import steered_sibling
from cronicorn.testing.contracts.stores import (
    CRON,
    TENANT,
    Stores,
    ask_to_run,
    deciding,
    endpoint_of,
    hint,
    plant,
    rename,
)
from cronicorn.testing.store_machine.edits import follow
from tests.invariants.elsewhere import Elsewhere
from tests.invariants.holding import claim_only, wait_until_due
from tests.invariants.worlds import World, kept

AWAY = timedelta(minutes=7.5)


def _changed(**changes: Any):
    async def act(stores: Stores, now: datetime) -> object:
        return await stores.endpoints.change(
            TENANT, "ep1", lambda endpoint, job, stored: edited(endpoint, replace(endpoint, **changes), stored, CRON)
        )

    return act


def _hinted(make: Callable[[datetime], Hint]):
    async def act(stores: Stores, now: datetime) -> object:
        return await hint(stores, make(now))

    return act


async def _archive(stores: Stores, now: datetime) -> object:
    def edit(endpoint, job, stored) -> Change:
        return suspended(endpoint, job_active=True, archived_at=now, stored=stored, cron=CRON)

    return await stores.endpoints.change(TENANT, "ep1", edit)


async def _pause_job(stores: Stores, now: datetime) -> object:
    return await stores.jobs.change(
        TENANT, "job1", lambda job, _: replace(job, status=JobStatus.PAUSED), edit_endpoint=follow
    )


async def _steer_as_sibling(stores: Stores, now: datetime) -> object:
    """What another endpoint of the job may do when it settles."""
    (lease,) = await claim_only(stores, "ep2")
    steer = an_interval_hint(AWAY, now=now)

    def decide(endpoint, stored) -> Settlement:
        return Settlement(state=endpoint.state, siblings={"ep1": steered_sibling(stored, "ep1", steer)})

    return await stores.job_store.settle(lease, None, decide)


async def _record_test(stores: Stores, now: datetime) -> object:
    run = Run(
        tenant_id=TENANT, endpoint_id="ep1", slot=0, attempt=1, fence=0, source=Source.TEST, trace="", due_at=now,
        nominal_at=None, started_at=now, finished_at=now, status=RunStatus.SUCCESS, outcome=an_outcome(),
    )  # fmt: skip
    return await stores.run_control.record_test(run)


@dataclass(frozen=True, slots=True)
class Edit:
    """What somebody does, and how one can tell afterwards that it was kept."""

    act: Callable[[Stores, datetime], Awaitable[object]]
    shows: Callable[[JobEndpoint], object]
    holds_back: bool = False
    """Whether nothing is due afterwards."""
    plans: bool = True
    """Whether the endpoint is planned again at once."""


def _kinds(state: EndpointState) -> set[str]:
    return {written.kind.value for written in state.hints}


EDITS = {
    "interval hint": Edit(
        _hinted(lambda now: an_interval_hint(AWAY, now=now)), lambda e: "interval" in _kinds(e.state)
    ),
    "one-shot": Edit(_hinted(lambda now: a_one_shot(now + AWAY, now=now)), lambda e: _kinds(e.state)),
    "defer": Edit(_hinted(lambda now: a_defer(now + AWAY, now=now)), lambda e: _kinds(e.state)),
    "pause": Edit(
        _hinted(lambda now: a_pause(now + AWAY, now=now)), lambda e: "pause" in _kinds(e.state), holds_back=True
    ),
    "rename": Edit(lambda stores, now: rename(stores, "renamed"), lambda e: e.name == "renamed"),
    "interval": Edit(
        _changed(baseline=Baseline(interval=AWAY, anchor_at=MIDNIGHT)), lambda e: e.baseline.interval == AWAY
    ),
    "minimum": Edit(_changed(interval_min=AWAY), lambda e: e.interval_min == AWAY),
    "archive": Edit(_archive, lambda e: e.archived_at is not None and e.state.suspended, holds_back=True),
    "pause the job": Edit(_pause_job, lambda e: e.state.suspended, holds_back=True),
    "run now": Edit(
        lambda stores, now: ask_to_run(stores),
        lambda e: e.state.manual is not None or (e.state.slot, e.state.slots_issued) == (1, 2),
    ),
    "test call": Edit(_record_test, lambda e: e.state.slots_issued == 3),
    "sibling's hint": Edit(_steer_as_sibling, lambda e: "interval" in _kinds(e.state), plans=False),
}


async def before_the_claim(world: World, edit: Edit) -> None:
    await edit.act(world.stores, world.clock.now())
    await _run_all(world)


async def during_the_call(world: World, edit: Edit) -> None:
    leases = await claim_only(world.stores, "ep1")
    world.advance(timedelta(seconds=2))
    await edit.act(await world.another(), world.clock.now())
    await _settle_all(world, leases)


async def while_settling(world: World, edit: Edit) -> None:
    leases = await claim_only(world.stores, "ep1")
    world.advance(timedelta(seconds=2))
    with Elsewhere(world) as elsewhere:
        await _settle_all(world, leases, lambda: elsewhere.begin(lambda s: edit.act(s, world.clock.now())))
        elsewhere.answer()


async def after_settling(world: World, edit: Edit) -> None:
    await _run_all(world)
    await edit.act(world.stores, world.clock.now())


async def _run_all(world: World) -> None:
    await _settle_all(world, await claim_only(world.stores, "ep1"))


async def _settle_all(world: World, leases, meanwhile: Callable[[], object] = lambda: None) -> None:
    for lease in leases:
        run = a_run(lease, finished_at=world.clock.now())
        decided = deciding(lease, run)

        def decide(endpoint, stored, decided=decided):
            meanwhile()
            return decided(endpoint, stored)

        with contextlib.nullcontext() if world.kind.exclusive else contextlib.suppress(LeaseLostError):
            await world.stores.job_store.settle(lease, run, decide)


@kept(Invariant.I10)
@pytest.mark.parametrize("moment", [before_the_claim, during_the_call, while_settling, after_settling])
async def test_i10_no_edit_is_lost_at_any_moment_of_a_run(world: World, moment):
    for name, edit in EDITS.items():
        await plant(world.stores, "ep1", "ep2")
        await wait_until_due(world)
        await moment(world, edit)

        endpoint = await endpoint_of(world.stores)
        plan, now = endpoint.state.plan, world.clock.now()
        assert edit.shows(endpoint), name
        assert plan is not None, name
        overdue = plan.next_run_at is not None and plan.next_run_at <= now
        assert overdue or not edit.plans or plan.next_run_at == plan_next_run(now, endpoint, CRON).next_run_at, name
        assert not (edit.holds_back and await claim_only(world.stores, "ep1")), name
        await world.stores.endpoints.delete(TENANT, "ep1")
        await world.stores.endpoints.delete(TENANT, "ep2")
        await world.stores.jobs.change(TENANT, "job1", lambda job, _: replace(job, status=JobStatus.ACTIVE))
