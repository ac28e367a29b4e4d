"""The harness notices a worker that breaks, and one that does not stop as it should."""

import asyncio
import signal
import sys

import pytest

from cronicorn.adapters.memory.stores import MemoryStores
from cronicorn.adapters.system_clock import SystemClock
from cronicorn.scheduler import Scheduler, SchedulerSettings
from cronicorn.testing.contracts.stores import CRON
from cronicorn.testing.dispatchers import ScriptedDispatcher
from tests.chaos.fleet import Fleet, Shared
from tests.chaos.history import Reader, Recorder
from tests.chaos.plan import Plan
from tests.chaos.worker import until_stopped
from tests.servers.ground import Ground
from tests.servers.process import ServerProcess
from tests.waiting import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs SIGSTOP and libfaketime, as Linux has them")


def a_scheduler() -> Scheduler:
    clock = SystemClock()
    settings = SchedulerSettings(worker_id="w0.1")
    return Scheduler(MemoryStores.open(clock).job_store, ScriptedDispatcher(), clock, CRON, settings)


async def test_a_scheduler_that_breaks_ends_its_worker_at_once():
    def broken() -> None:
        raise RuntimeError("a bug in the loop")

    scheduler = a_scheduler()
    scheduler._watch_clock = broken  # type: ignore[method-assign]

    with pytest.raises(RuntimeError, match="a bug in the loop"):
        await asyncio.wait_for(until_stopped(scheduler, asyncio.Event()), 10)


async def test_a_scheduler_that_ends_by_itself_ends_its_worker_with_an_error():
    scheduler = a_scheduler()
    scheduler.stop()

    with pytest.raises(AssertionError, match="by itself"):
        await asyncio.wait_for(until_stopped(scheduler, asyncio.Event()), 10)


async def test_a_scheduler_works_until_its_worker_is_told_to_stop():
    stopped = asyncio.Event()
    working = asyncio.create_task(until_stopped(a_scheduler(), stopped))

    stopped.set()

    await asyncio.wait_for(working, 10)


@pytest.fixture
def fleet(tmp_path):
    """One worker's place, whose process a test puts there itself."""
    plan = Plan(seed=1, seconds=1, backend="sqlite", workers=1)
    with Ground.make() as ground:
        recorder = Recorder(tmp_path, "parent")
        fleet = Fleet(plan, tmp_path, Shared(url=f"sqlite:///{tmp_path}/store.db"), ground, recorder)
        yield fleet
        fleet.close()
        recorder.close()


def put(fleet: Fleet, trap: str) -> None:
    """A process that does *trap* when it is asked to stop."""
    command = ["/bin/sh", "-c", f"trap {trap} TERM; echo ready; while :; do sleep 0.01; done"]
    process = ServerProcess(command, ground=fleet._ground, folder=fleet._ground.subfolder("worker"))
    fleet._processes[0] = process
    process.wait_ready(lambda: "ready" in process.log.read_text())


@pytest.mark.parametrize(("trap", "codes"), [("'exit 0'", []), ("-", []), ("'exit 3'", [3]), ("''", [-signal.SIGKILL])])
def test_a_drain_that_fails_or_hangs_is_written_down(fleet, tmp_path, trap, codes):
    put(fleet, trap)
    fleet._drain_s = 1.0

    fleet.drain(0)

    assert [line["code"] for line in Reader(tmp_path).lines() if line["what"] == "died"] == codes


def test_a_worker_that_ended_unasked_is_written_down_once(fleet, tmp_path):
    put(fleet, "'exit 3'")
    fleet._processes[0]._process.terminate()
    eventually(lambda: not fleet._processes[0].running)

    fleet.notice_deaths()
    fleet.notice_deaths()

    assert [line["code"] for line in Reader(tmp_path).lines() if line["what"] == "died"] == [3]
