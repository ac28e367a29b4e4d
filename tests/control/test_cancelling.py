"""Cancelling: which runs there are to cancel, and how soon a call in progress ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from cronicorn.control.document import EndpointDocument, JobDocument
from cronicorn.control.plane import ControlPlane
from cronicorn.control.run_requests import Cancelled
from cronicorn.domain.call import Call, Outcome
from cronicorn.domain.errors import ConflictError, NotFoundError
from cronicorn.domain.ports import Dispatcher
from cronicorn.domain.run import Run, RunStatus
from cronicorn.wiring.engine import engine
from cronicorn.wiring.settings import Settings
from tests.control.world import ALICE, a_world


@pytest.mark.parametrize("identity", ["1:2", "1:7", "2:2", "2:7", "3:1", "9:1"])
async def test_a_run_that_never_was_is_not_found_and_cant_be_cancelled(identity: str) -> None:
    world = a_world()
    endpoint = await world.endpoint()
    requested = await world.control.requests.run_now(ALICE, endpoint.id)

    for asking in (world.control.runs.get, world.control.requests.cancel):
        with pytest.raises(NotFoundError):
            await asking(ALICE, f"{endpoint.id}:{identity}")

    assert requested == f"{endpoint.id}:2:1"
    assert (await world.now_stored(endpoint)).state.manual is not None


async def test_a_run_that_waits_for_its_instant_is_held_back_by_a_pause_only() -> None:
    world = a_world()
    endpoint = await world.endpoint()

    with pytest.raises(ConflictError, match="pause"):
        await world.control.requests.cancel(ALICE, f"{endpoint.id}:1:1")


async def test_the_scheduler_of_the_same_process_ends_a_cancelled_call_at_once() -> None:
    dispatcher = Endless()
    async with a_process(dispatcher) as control:
        run_id = await control.requests.run_now(ALICE, await dormant_endpoint(control))
        async with asyncio.timeout(5):
            await dispatcher.begun.wait()

        cancelled = await control.requests.cancel(ALICE, run_id)

        async with asyncio.timeout(1):  # The next heartbeat would come after ten.
            await dispatcher.ended.wait()
    assert cancelled is Cancelled.ASKED_TO_STOP
    ended = (await control.runs.get(ALICE, run_id)).run
    assert isinstance(ended, Run)
    assert ended.status is RunStatus.CANCELLED


class Endless(Dispatcher):
    """Makes calls that only a cancellation ends."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.ended = asyncio.Event()

    async def dispatch(self, call: Call) -> Outcome:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()
        raise AssertionError(call)


@asynccontextmanager
async def a_process(dispatcher: Dispatcher) -> AsyncIterator[ControlPlane]:
    """A scheduler at work on a store in memory, and the control plane beside it."""
    async with engine(Settings.from_env({"CRONICORN_DATABASE_URL": "memory:"}), dispatcher) as parts:
        assert parts.scheduler is not None
        working = asyncio.create_task(parts.scheduler.run())
        try:
            yield parts.control
        finally:
            parts.scheduler.stop()
            await working


async def dormant_endpoint(control: ControlPlane) -> str:
    job = await control.jobs.create(ALICE, JobDocument(name="shop"))
    fields = {"name": "stock", "url": "https://shop.example/stock", "dormant": True}
    view = await control.endpoints.create(ALICE, job.id, EndpointDocument.model_validate(fields))
    return view.endpoint.id
