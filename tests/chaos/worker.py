"""A worker in a process of its own: the real scheduler over a real store, until it is told to stop."""

import asyncio
import json
import logging
import random
import signal
import sys
from datetime import timedelta
from pathlib import Path

from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.adapters.system_clock import SystemClock
from cronicorn.domain.errors import UnavailableError
from cronicorn.scheduler import Scheduler, SchedulerSettings
from cronicorn.testing.contracts.stores import CRON
from tests.chaos.history import Recorder
from tests.chaos.plan import Plan
from tests.chaos.recording import RandomDispatcher, RecordingHandler, RecordingJobStore
from tests.chaos.stores import Stores, open_stores
from tests.servers.clock import offset

_OPENING_PAUSE_S = 0.1


async def work(folder: Path, name: str, url: str, service: str | None, *, wrong_clock: bool) -> None:
    """Run a scheduler named *name* as the plan in *folder* says."""
    plan = Plan.read(folder)
    recorder = Recorder(folder, name)
    handler = RecordingHandler(recorder)
    handler.setFormatter(logging.Formatter())
    logging.getLogger().addHandler(handler)
    chance = random.Random(f"{plan.seed} {name}")
    recorder.say("up", offset=offset() if wrong_clock else None)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    stores = await _opened(plan, url, service, stopped)
    if stores is not None:
        settings = SchedulerSettings(
            worker_id=plan.worker_id(name),
            lease_ttl=timedelta(seconds=plan.ttl_s),
            renew_interval=timedelta(seconds=plan.renew_s),
            lease_margin=timedelta(seconds=plan.margin_s),
            poll_interval=timedelta(seconds=plan.poll_s),
            drain_grace=timedelta(seconds=plan.grace_s),
        )
        store = RecordingJobStore(stores.job_store, recorder, chance)
        scheduler = Scheduler(store, RandomDispatcher(recorder, chance), SystemClock(), CRON, settings)
        if isinstance(stores, PostgresStores):
            stores.listen(scheduler.wake, scheduler.heed_cancellations)
        await until_stopped(scheduler, stopped)
        await stores.aclose()
    recorder.say("down")


async def until_stopped(scheduler: Scheduler, stopped: asyncio.Event) -> None:
    """Run *scheduler* until told to stop. Raises what it breaks with, and AssertionError when it ends by itself."""
    running, told = asyncio.create_task(scheduler.run()), asyncio.create_task(stopped.wait())
    await asyncio.wait([running, told], return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    scheduler.stop()
    await running
    assert stopped.is_set(), "the scheduler ended by itself"


async def _opened(plan: Plan, url: str, service: str | None, stopped: asyncio.Event) -> Stores | None:
    """The stores, however long the database is away; None when told to stop before that."""
    while not stopped.is_set():
        try:
            return await open_stores(plan, url, service)
        except UnavailableError as error:
            logging.getLogger(__name__).warning("store_unavailable", extra={"reason": str(error)})
            await asyncio.sleep(_OPENING_PAUSE_S)
    return None


if __name__ == "__main__":
    arguments = json.loads(sys.argv[1])
    asyncio.run(work(Path(arguments.pop("folder")), **arguments))
