"""A worker as it reports itself, and what is known of all of them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cronicorn.domain.cells import Cell, number_in, text_in
from cronicorn.domain.instant import instant_of

NOTED_EVERY = timedelta(seconds=10)
ALIVE_WITHIN = timedelta(seconds=35)
"""A worker that was not heard of for so long, and holds no live lease, is taken for gone."""
FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerReport:
    """What a worker says of itself."""

    worker_id: str
    version: str
    """Of the program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownWorker:
    """A worker that has reported itself."""

    worker_id: str
    version: str
    since: datetime
    """When it first did."""
    seen_at: datetime
    """When it last did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldCount:
    """How many leases a worker holds, of all tenants."""

    held: int
    expired: int
    """Of these, those that ended without a word: their slots are due again."""

    @property
    def live(self) -> int:
        return self.held - self.expired


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendance:
    """All workers that are known, and what each holds, at one instant by the store's clock."""

    now: datetime
    workers: Sequence[KnownWorker]
    """Those that reported themselves, the longest there first."""
    held: Mapping[str, HeldCount] = field(default_factory=dict)
    """By the id of the worker; also of such as never reported themselves."""

    def is_alive(self, worker_id: str) -> bool:
        """Whether the worker was heard of lately, or holds a lease that lives."""
        seen = (worker.seen_at for worker in self.workers if worker.worker_id == worker_id)
        count = self.held.get(worker_id)
        return any(self.now - at <= ALIVE_WITHIN for at in seen) or (count is not None and count.live > 0)


def worker_of(row: Mapping[str, Cell]) -> KnownWorker:
    """The worker in a row of `workers`."""
    return KnownWorker(
        worker_id=text_in(row["worker_id"]), version=text_in(row["version"]),
        since=instant_of(number_in(row["since_us"])), seen_at=instant_of(number_in(row["seen_us"])),
    )  # fmt: skip
