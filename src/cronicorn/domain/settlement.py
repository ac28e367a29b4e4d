"""What follows from a run or an edit, as values that a store writes in one go."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from cronicorn.domain.endpoint import EndpointState, JobEndpoint
from cronicorn.domain.lease import run_id
from cronicorn.domain.run import Run
from cronicorn.domain.slot import Skip
from cronicorn.domain.steering_record import SteeringRecord


@dataclass(frozen=True, slots=True)
class Sibling:
    """Another endpoint of the job, and the slot that a worker holds a live lease on, if one does."""

    endpoint: JobEndpoint
    leased_slot: int | None = None


class Siblings(Mapping[str, Sibling]):
    """The other endpoints of a job by name, read from the store when first looked at: most decisions never do."""

    __slots__ = ("_found", "_read")

    def __init__(self, read: Callable[[], Mapping[str, Sibling]]) -> None:
        self._read = read
        self._found: Mapping[str, Sibling] | None = None

    def __getitem__(self, name: str) -> Sibling:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def _all(self) -> Mapping[str, Sibling]:
        if self._found is None:
            self._found = self._read()
        return self._found


class SiblingsNotReadError(Exception):
    """A decision looks at the siblings, which nobody read."""


def siblings_not_read() -> Mapping[str, Sibling]:
    """What stands for siblings that nobody read. Raises SiblingsNotReadError."""
    raise SiblingsNotReadError


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What a store knows at the moment it applies a decision, besides the endpoint itself."""

    now: datetime
    """By the store's clock."""
    leased_slot: int | None = None
    """The slot, planned or manual, that a worker holds a live lease on; None when nobody does."""
    siblings: Mapping[str, Sibling] = field(default_factory=dict)
    """The other endpoints of the job by name, archived ones left out, for rules that read or steer them. Empty in
    what a catalog only reads."""

    @property
    def leased(self) -> bool:
        """Whether a worker is on the endpoint."""
        return self.leased_slot is not None

    def running(self, endpoint: JobEndpoint) -> str | None:
        """The id of the run that a worker is making of *endpoint*; None when nobody is on it."""
        if self.leased_slot is None:
            return None
        planned = self.leased_slot == endpoint.state.slot
        return run_id(endpoint.id, self.leased_slot, endpoint.state.attempt if planned else 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An edited endpoint, planned again, and the instants the edit put an end to."""

    endpoint: JobEndpoint
    skips: tuple[Skip, ...] = ()


NO_CHANGES: Mapping[str, Change] = {}  # No view of a mapping: stores in memory copy what they hold.


class Settlement(NamedTuple):
    """All that follows from one outcome: plan, hints, rule states and counters (`state`), skips, and siblings."""

    state: EndpointState
    skips: tuple[Skip, ...] = ()
    siblings: Mapping[str, Change] = NO_CHANGES
    """What becomes of other endpoints of the job, by endpoint id: their hints, rule states and plans."""
    record: SteeringRecord | None = None
    """What signals and rules made of the answer, kept with its run; None when they had nothing to say."""
    month_at: datetime | None = None
    """The beginning of the month in which the run is counted against its tenant's limit; None: it is not counted."""

    @property
    def first_due_at(self) -> datetime | None:
        """When the first of the endpoint and the siblings that change is due."""
        if not self.siblings:
            return self.state.due_at
        changed = (change.endpoint.state.due_at for change in self.siblings.values())
        return min((at for at in (self.state.due_at, *changed) if at is not None), default=None)

    @property
    def steering(self) -> str | None:
        """What is kept of `record` with its run."""
        return None if self.record is None else self.record.encode()

    def recorded(self, run: Run) -> Run:
        """*run* as it is kept: with what was made of its answer."""
        return run if self.record is None else replace(run, steering=self.steering)

    def facts(self) -> dict[str, object]:
        """What logs say about a settlement."""
        plan = self.state.plan
        at = plan.next_run_at if plan is not None else None
        return {
            "next_run_at": at.isoformat() if at is not None else None,
            "next_source": plan.source.value if plan is not None else None,
            "failure_count": self.state.failure_count,
            "skipped": sum(skip.count for skip in self.skips),
        }
