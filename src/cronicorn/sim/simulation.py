"""Running a scenario: the real scheduler on virtual time, with only the clock and the calls made up."""

import asyncio
import gc
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cronicorn.adapters.cron.cronsim_cron import CronsimCron
from cronicorn.adapters.memory.stores import MemoryStores
from cronicorn.domain.editing import started
from cronicorn.domain.endpoint import Job, JobEndpoint
from cronicorn.domain.hint import Author, Hint, HintKind
from cronicorn.domain.instant import shifted
from cronicorn.domain.ports import JobStore
from cronicorn.scheduler import Scheduler, SchedulerSettings
from cronicorn.sim.chronicle import Chronicle
from cronicorn.sim.dispatching import SimulatedDispatcher
from cronicorn.sim.endpoint_reading import JOB, TENANT
from cronicorn.sim.expectation import Expectation, Judgement
from cronicorn.sim.scenario import Crash, Scenario, SimulatedEndpoint
from cronicorn.sim.virtual_time import LoopClock, run_virtually
from cronicorn.sim.watched_store import WatchedJobStore
from cronicorn.sim.world import World

_CRON = CronsimCron()
_POLL = timedelta(hours=1)
"""Workers of a simulation are woken when something changes, and need not look by themselves."""
_LEASE_SHARE = 10
"""The margin that a worker keeps is so much smaller than its lease, at most the usual one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """A simulation that has ended."""

    scenario: Scenario
    chronicle: Chronicle
    verdicts: tuple[tuple[Expectation, Judgement], ...]

    @property
    def held(self) -> bool:
        """Whether everything was as expected."""
        return all(verdict.held for _, verdict in self.verdicts)


def run_scenario(scenario: Scenario) -> Simulated:
    """Run *scenario*. The same scenario and seed give the same history, in any process. A bug of ours is raised."""
    world, chronicle = World(scenario), Chronicle()
    with _bugs_raised(), _nothing_collected():
        run_virtually(lambda clock: _told(_Stage(scenario, world, chronicle), clock), scenario.start)
    verdicts = [(each, each.judged(chronicle, world.value)) for each in scenario.expectations]
    return Simulated(scenario=scenario, chronicle=chronicle, verdicts=tuple(verdicts))


@dataclass(frozen=True, slots=True)
class _Stage:
    """Where a simulation takes place, and who writes it down."""

    scenario: Scenario
    world: World
    chronicle: Chronicle


async def _told(stage: _Stage, clock: LoopClock) -> None:
    """The whole story, from the first endpoint to the end of the last worker."""
    scenario, stores = stage.scenario, MemoryStores.open(clock)
    await _set_up(stores, scenario)
    fleet = _Fleet(stage, clock, stores.job_store)
    for number in range(1, scenario.workers + 1):
        fleet.start(number)
    fates = [asyncio.create_task(fleet.struck_by(crash)) for crash in scenario.crashes]
    await asyncio.sleep(scenario.length)
    for fate in fates:
        fate.cancel()
    await fleet.ended()


class _Fleet:
    """The workers of a simulation, by their numbers."""

    def __init__(self, stage: _Stage, clock: LoopClock, store: JobStore) -> None:
        self._stage = stage
        self._clock = clock
        self._store = store
        self._alive: dict[int, tuple[Scheduler, WatchedJobStore]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, number: int) -> None:
        """A worker begins."""
        stage = self._stage
        store = WatchedJobStore(self._store, self._clock, stage.chronicle, number, self.wake)
        dispatcher = SimulatedDispatcher(stage.scenario, stage.world, stage.chronicle, number)
        settings = _settings(stage.scenario, f"worker{number}:{len(self._tasks)}")
        scheduler = Scheduler(store, dispatcher, self._clock, _CRON, settings)
        self._alive[number] = (scheduler, store)
        self._tasks.append(asyncio.create_task(scheduler.run(threaded_heartbeat=False)))

    async def struck_by(self, crash: Crash) -> None:
        """Wait for *crash*, and for the worker that follows."""
        await asyncio.sleep(crash.at)
        if crash.worker not in self._alive:
            return
        self._kill(crash.worker)
        self._stage.chronicle.died(crash.worker, self._clock.monotonic())
        self.wake()
        if crash.back_after is not None:
            await asyncio.sleep(crash.back_after)
            self._stage.chronicle.tell(self._clock.monotonic(), None, f"worker {crash.worker} is back")
            self.start(crash.worker)

    def wake(self) -> None:
        """Let all look at the store: something may be due earlier than they knew."""
        for scheduler, _ in self._alive.values():
            scheduler.wake()

    async def ended(self) -> None:
        """Stop everybody where they stand."""
        for number in list(self._alive):
            self._kill(number)
        await asyncio.gather(*self._tasks)

    def _kill(self, number: int) -> None:
        scheduler, store = self._alive.pop(number)
        store.cut()
        scheduler.stop_now()


def _settings(scenario: Scenario, worker_id: str) -> SchedulerSettings:
    usual = SchedulerSettings(worker_id=worker_id)
    return replace(
        usual, calls_max=10_000, lease_ttl=scenario.lease, renew_interval=scenario.lease / 3,
        lease_margin=min(usual.lease_margin, scenario.lease / _LEASE_SHARE), poll_interval=_POLL,
        seed=str(scenario.seed),
    )  # fmt: skip


async def _set_up(stores: MemoryStores, scenario: Scenario) -> None:
    now = scenario.start
    await stores.jobs.add(Job(id=JOB, tenant_id=TENANT, name=scenario.name, created_at=now, updated_at=now))

    def start(_job: Job, endpoint: JobEndpoint, now: datetime) -> JobEndpoint:
        return started(endpoint, now, _CRON)

    for each in scenario.endpoints:
        await stores.endpoints.add(_paused(each, now), start)


def _paused(simulated: SimulatedEndpoint, now: datetime) -> JobEndpoint:
    endpoint, until = simulated.endpoint, simulated.paused_until
    if until is None:
        return endpoint
    at = shifted(now, timedelta(seconds=until))
    pause = Hint(kind=HintKind.PAUSE, author=Author.PERSON, written_at=now, expires_at=at, at=at, reason="Paused.")
    return endpoint.standing(replace(endpoint.state, hints=(pause,)))


class _Bugs(logging.Handler):
    """Keeps what the scheduler logs as an error: in a simulation nothing outside can be its cause."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@contextmanager
def _bugs_raised() -> Iterator[None]:
    logger, bugs = logging.getLogger("cronicorn"), _Bugs()
    logger.addHandler(bugs)
    try:
        yield
    finally:
        logger.removeHandler(bugs)
    _raise_first(bugs.records)


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Keep the collector of cycles away: a long simulation makes millions of values that stay, and hardly a cycle."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _raise_first(records: Sequence[logging.LogRecord]) -> None:
    for record in records:
        cause = record.exc_info[1] if record.exc_info else None
        raise RuntimeError(f"The scheduler failed in the simulation: {record.getMessage()}.") from cause
