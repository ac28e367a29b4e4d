"""Several processes on one file, some of them killed between claim and settle."""

import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.adapters.system_clock import SystemClock
from cronicorn.domain.endpoint import Baseline
from cronicorn.domain.fixtures import a_job, an_endpoint
from cronicorn.domain.history import RunQuery
from cronicorn.domain.instant import EPOCH
from cronicorn.testing.contracts.stores import TENANT, start
from cronicorn.testing.store_machine.books import check_books
from tests.adapters.sqlite import worker_process
from tests.waiting import eventually

WORKERS = 3
KILLS = 4
ENDPOINTS = 12
INTERVAL = timedelta(seconds=0.5)
TTL_S = 1.0
BOUND_S = 5.0
"""How long after its expiry a lease may stand before another worker takes over: a poll, on a machine that is busy."""


@dataclass(frozen=True, slots=True)
class Event:
    what: str
    endpoint_id: str
    slot: int
    attempt: int
    fence: int
    at: float


class Worker:
    """A process, and the file with what it says."""

    def __init__(self, folder: Path, number: int, manner: Literal["steady", "holding"] = "holding") -> None:
        self.output = folder / f"worker{number}.txt"
        settings = [folder / "cronicorn.db", f"w{number}", TTL_S, number, manner]
        command = [sys.executable, worker_process.__file__, *settings]
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [str(part) for part in command], stdin=subprocess.PIPE, stdout=output, text=True
            )

    @property
    def events(self) -> list[Event]:
        lines = [line.split() for line in self.output.read_text().splitlines(keepends=True) if line.endswith("\n")]
        return [
            Event(what, endpoint_id, int(slot), int(attempt), int(fence), float(at))
            for what, endpoint_id, slot, attempt, fence, at in lines
        ]

    @property
    def waits(self) -> bool:
        return any(event.what == "waiting" for event in self.events)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._close()

    def end(self) -> None:
        self._close()
        assert self.process.wait(timeout=30) == 0

    def _close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()


def _kill_some(folder: Path, workers: list[Worker], gone: list[Worker]) -> None:
    """Kill whoever waits with leases in hand, and put another in its place."""
    for number in range(WORKERS, WORKERS + KILLS):
        eventually(lambda: any(worker.waits for worker in workers), within_s=60)
        victim = next(worker for worker in workers if worker.waits)
        victim.kill()
        workers.remove(victim)
        gone.append(victim)
        workers.append(Worker(folder, number))


async def test_no_slot_is_settled_twice_none_is_lost_and_all_are_taken_over_in_time(tmp_path):
    clock = SystemClock()
    stores = await SqliteStores.open(tmp_path / "cronicorn.db", clock)
    await stores.jobs.add(a_job())
    born = {}
    for number in range(ENDPOINTS):
        endpoint = an_endpoint(id=f"ep{number}", baseline=Baseline(interval=INTERVAL, anchor_at=EPOCH))
        await stores.endpoints.add(endpoint, start)
        endpoint, _ = await stores.endpoints.get(TENANT, endpoint.id)
        assert endpoint.state.accounted_until is not None
        born[endpoint.id] = endpoint.state.accounted_until
    workers = [Worker(tmp_path, number) for number in range(WORKERS)]
    workers.append(Worker(tmp_path, WORKERS + KILLS, "steady"))  # all others may wait at once, and take nothing over
    gone: list[Worker] = []

    _kill_some(tmp_path, workers, gone)
    eventually(lambda: _all_taken_over([*workers, *gone], gone), within_s=60)
    for worker in workers:
        worker.end()

    events = [event for worker in (*workers, *gone) for event in worker.events]
    settled = Counter((event.endpoint_id, event.slot, event.attempt) for event in events if event.what == "settled")
    assert set(settled.values()) == {1}
    assert _late_takeovers(events, gone) == []
    for number in range(ENDPOINTS):
        endpoint, _ = await stores.endpoints.get(TENANT, f"ep{number}")
        runs = (await stores.runs.list(TENANT, endpoint.id, RunQuery(limit=100_000))).runs
        skips = (await stores.runs.skips(TENANT, endpoint.id, 100_000)).skips
        recorded = {(run.endpoint_id, run.slot, run.attempt) for run in runs}
        assert {key for key in settled if key[0] == endpoint.id} <= recorded
        assert {run.slot for run in runs} <= set(range(1, endpoint.state.slot))
        check_books(endpoint, born[endpoint.id], clock.now(), runs, skips)
    await stores.aclose()


def _orphans(gone: list[Worker]) -> list[Event]:
    """The claims that were neither settled nor lost when their worker was killed."""
    found = []
    for worker in gone:
        claimed = [event for event in worker.events if event.what == "claimed"]
        ended = {
            (event.endpoint_id, event.fence) for event in worker.events if event.what in {"settled", "missed", "lost"}
        }
        found += [event for event in claimed if (event.endpoint_id, event.fence) not in ended]
    return found


def _successor(orphan: Event, events: list[Event]) -> Event | None:
    claims = (event for event in events if event.what == "claimed" and event.endpoint_id == orphan.endpoint_id)
    return next((event for event in claims if event.fence == orphan.fence + 1), None)


def _all_taken_over(workers: list[Worker], gone: list[Worker]) -> bool:
    events = [event for worker in workers for event in worker.events]
    return all(_successor(orphan, events) is not None for orphan in _orphans(gone))


def _late_takeovers(events: list[Event], gone: list[Worker]) -> list[tuple[Event, Event | None]]:
    orphans = _orphans(gone)
    assert len(orphans) >= KILLS
    pairs = [(orphan, _successor(orphan, events)) for orphan in orphans]
    return [
        (orphan, successor)
        for orphan, successor in pairs
        if successor is None or successor.slot != orphan.slot or successor.at > orphan.at + TTL_S + BOUND_S
    ]
