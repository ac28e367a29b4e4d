"""Runs: reading, asking for, cancelling and trying out."""

import asyncio
from datetime import timedelta
from itertools import count, repeat

import pytest

from cronicorn.control.run_requests import Cancelled
from cronicorn.control.runs import UnfinishedRun
from cronicorn.control.trial_calls import TRIAL_DURATION_MAX, TRIALS_MAX, TRIALS_PER_TENANT_MAX, TrialCalls
from cronicorn.domain.endpoint import JobStatus
from cronicorn.domain.errors import (
    ConflictError,
    CronicornError,
    InvalidInputError,
    NotFoundError,
    QuotaExceededError,
    UnavailableError,
)
from cronicorn.domain.history import RunQuery
from cronicorn.domain.permission import EVERYTHING
from cronicorn.domain.principal import Principal
from cronicorn.domain.run import Run, RunStatus
from cronicorn.testing.dispatchers import Reply, ScriptedDispatcher
from tests.control.world import ALICE, BOB, World, a_world


async def status_of(world: World, run_id: str) -> str:
    run = (await world.control.runs.get(ALICE, run_id)).run
    if isinstance(run, UnfinishedRun):
        return "running" if run.running else "pending"
    return run.status


async def test_a_run_is_pending_then_running_then_ended() -> None:
    world = a_world()
    endpoint = await world.endpoint()

    run_id = await world.control.requests.run_now(ALICE, endpoint.id)
    pending = await status_of(world, run_id)
    lease = await world.claim()
    running = await status_of(world, run_id)
    await world.finish(lease)

    assert run_id == f"{endpoint.id}:2:1"
    assert (pending, running, await status_of(world, run_id)) == ("pending", "running", "success")


async def test_the_planned_run_is_pending_too() -> None:
    world = a_world()
    endpoint = await world.endpoint()

    assert await status_of(world, f"{endpoint.id}:1:1") == "pending"


async def test_asking_again_gives_the_same_run() -> None:
    world = a_world()
    endpoint = await world.endpoint()

    first = await world.control.requests.run_now(ALICE, endpoint.id)
    second = await world.control.requests.run_now(ALICE, endpoint.id)

    assert first == second


async def test_a_paused_job_can_be_asked_to_run_and_an_archived_one_cannot() -> None:
    world = a_world()
    endpoint = await world.endpoint()

    await world.control.jobs.move(ALICE, endpoint.job_id, JobStatus.PAUSED)
    await world.control.requests.run_now(ALICE, endpoint.id)
    run = await world.run_due()
    await world.control.jobs.move(ALICE, endpoint.job_id, JobStatus.ARCHIVED)

    assert run.status is RunStatus.SUCCESS
    with pytest.raises(ConflictError):
        await world.control.requests.run_now(ALICE, endpoint.id)


async def test_a_waiting_run_can_be_taken_back() -> None:
    world = a_world()
    endpoint = await world.endpoint()
    run_id = await world.control.requests.run_now(ALICE, endpoint.id)

    cancelled = await world.control.requests.cancel(ALICE, run_id)

    assert cancelled is Cancelled.TAKEN_BACK
    assert (await world.now_stored(endpoint)).state.manual is None
    (skip,) = (await world.control.runs.skips(ALICE, endpoint.id, 10)).skips
    assert skip.state == "canceled"


async def test_a_run_in_progress_is_asked_to_stop() -> None:
    world = a_world()
    await world.endpoint()
    world.clock.move(minutes=1)
    lease = await world.claim()

    cancelled = await world.control.requests.cancel(ALICE, lease.run_id)

    renewal = world.stores.job_store.renew([lease], ttl=timedelta(seconds=30))
    assert cancelled is Cancelled.ASKED_TO_STOP
    assert renewal.cancelled == {lease.claim_id}


async def test_a_run_that_has_ended_or_is_only_planned_cant_be_cancelled() -> None:
    world = a_world()
    endpoint = await world.endpoint()
    world.clock.move(minutes=1)
    run = await world.run_due()

    with pytest.raises(ConflictError, match="ended"):
        await world.control.requests.cancel(ALICE, run.id)
    with pytest.raises(ConflictError, match="not begun"):
        await world.control.requests.cancel(ALICE, f"{endpoint.id}:2:1")
    with pytest.raises(NotFoundError):
        await world.control.requests.cancel(ALICE, f"{endpoint.id}:9:1")


@pytest.mark.parametrize("run_id", ["", ":", "a", "a:1", "a:1:x", "a:1:1:1", "a:-1:1", "a:٣:1", "a:01:1", "a: 1:1"])
async def test_what_is_no_run_id_is_not_found(run_id: str) -> None:
    with pytest.raises(NotFoundError):
        await a_world().control.runs.get(ALICE, run_id)


async def test_the_runs_of_another_tenant_are_not_found() -> None:
    world = a_world()
    endpoint = await world.endpoint()
    run_id = await world.control.requests.run_now(ALICE, endpoint.id)
    control = world.control

    for asking in (
        control.runs.get(BOB, run_id),
        control.runs.list(BOB, endpoint.id, RunQuery()),
        control.runs.health(BOB, endpoint.id, 24),
        control.runs.skips(BOB, endpoint.id, 10),
        control.requests.cancel(BOB, run_id),
        control.requests.run_now(BOB, endpoint.id),
        control.trials.call(BOB, endpoint.id),
    ):
        with pytest.raises(NotFoundError):
            await asking


async def test_health_over_more_hours_than_there_are_is_all_there_is() -> None:
    world = a_world()
    endpoint = await world.endpoint()
    world.clock.move(minutes=1)
    await world.run_due()

    health = await world.control.runs.health(ALICE, endpoint.id, 10**12)

    assert health.success_count == 1


async def test_a_test_call_is_made_at_once_and_recorded() -> None:
    world = a_world()
    world.dispatcher.script = lambda call, number: Reply(status_code=503, body='{"a":1}')
    endpoint = await world.endpoint()

    run = await world.control.trials.call(ALICE, endpoint.id)

    assert (run.source, run.status, run.outcome.status_code) == ("test", "failed", 503)
    stored = (await world.control.runs.get(ALICE, run.id)).run
    assert isinstance(stored, Run)
    assert stored.outcome.body == '{"a":1}'


async def test_two_test_calls_are_two_calls_for_the_target() -> None:
    world = a_world()
    endpoint = await world.endpoint()

    await world.control.trials.call(ALICE, endpoint.id)
    world.clock.move(milliseconds=1)
    await world.control.trials.call(ALICE, endpoint.id)

    keys = [call.headers["Idempotency-Key"] for call in world.dispatcher.calls]
    assert len(set(keys)) == 2
    assert not set(keys) & {f"{endpoint.id}:{slot}" for slot in range(10)}


async def test_an_archived_endpoint_cant_be_tried_out() -> None:
    world = a_world()
    endpoint = await world.endpoint()
    await world.control.endpoints.archive(ALICE, endpoint.id)

    with pytest.raises(InvalidInputError, match="archived"):
        await world.control.trials.call(ALICE, endpoint.id)

    assert world.dispatcher.calls == []


class Nested(ScriptedDispatcher):
    """Asks for another test call during each call, in the name of whoever *askers* tells, and keeps the refusals."""

    def __init__(self, world, askers) -> None:
        super().__init__()
        self.world = world
        self.askers = askers
        self.refusals: list[CronicornError] = []
        self.trials = TrialCalls(
            world.stores.endpoints, world.stores.run_control, self, world.clock, world.stores.rates
        )

    async def ask(self) -> None:
        asker = next(self.askers)
        endpoint = await self.world.endpoint(asker)
        await self.trials.call(asker, endpoint.id)

    async def dispatch(self, call):
        try:
            await self.ask()
        except CronicornError as error:
            self.refusals.append(error)
        return await super().dispatch(call)


async def test_the_number_of_test_calls_of_a_tenant_at_a_time_is_bounded() -> None:
    world = a_world()
    nested = Nested(world, repeat(ALICE))

    for _ in range(2):
        await nested.ask()

    assert [type(refusal) for refusal in nested.refusals] == [QuotaExceededError] * 2
    assert len(nested.calls) == 2 * TRIALS_PER_TENANT_MAX


async def test_the_number_of_test_calls_of_all_tenants_at_a_time_is_bounded() -> None:
    world = a_world()
    nested = Nested(
        world, (Principal(tenant_id=f"t{number}", actor="someone", permissions=EVERYTHING) for number in count())
    )

    for _ in range(2):
        await nested.ask()

    assert [type(refusal) for refusal in nested.refusals] == [UnavailableError] * 2
    assert len(nested.calls) == 2 * TRIALS_MAX


async def test_a_test_call_is_shorter_than_a_run_may_be() -> None:
    world = a_world()
    long = await world.endpoint(timeoutMs=1_800_000, maxExecutionTimeMs=1_800_000)
    short = await world.endpoint(timeoutMs=5_000)

    for endpoint in (long, short):
        await world.control.trials.call(ALICE, endpoint.id)

    assert [call.timeout for call in world.dispatcher.calls] == [TRIAL_DURATION_MAX, timedelta(seconds=5)]


async def test_a_test_call_that_nobody_wants_any_more_is_cancelled_and_recorded() -> None:
    world = a_world()
    world.dispatcher.script = lambda call, number: Reply(latency=timedelta(days=1))
    endpoint = await world.endpoint()

    run = await world.control.trials.call(ALICE, endpoint.id, lambda: asyncio.sleep(0))

    assert (run.status, run.outcome.kind, world.dispatcher.in_progress) == ("canceled", "cancelled", 0)
    assert (await world.control.runs.get(ALICE, run.id)).run == run
