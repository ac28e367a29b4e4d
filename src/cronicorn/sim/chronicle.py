"""What happened in a simulation: every call, what was made of its answer, and what the steering wrote."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from cronicorn.domain.hint import Hint, HintKind
from cronicorn.domain.lease import Lease
from cronicorn.domain.run import Run, RunStatus
from cronicorn.domain.settlement import Settlement
from cronicorn.domain.steering_record import SteeringRecord


class Fate(StrEnum):
    """What became of a call."""

    SUCCESS = "success"
    FAILED = "failed"
    CANCELLED = "canceled"
    """The next instant put an end to it."""
    LOST = "lost"
    """Its worker died."""
    UNFINISHED = "unfinished"
    """The simulation ended first."""


_FATES = {RunStatus.SUCCESS: Fate.SUCCESS, RunStatus.FAILED: Fate.FAILED, RunStatus.CANCELLED: Fate.CANCELLED}


@dataclass(slots=True, kw_only=True)
class SimulatedCall:
    """One call. Its run and what followed are known when it has ended."""

    endpoint: str
    slot: int
    worker: int
    at: float
    """When it was made, in seconds since the start."""
    fate: Fate = Fate.UNFINISHED
    run: Run | None = None
    settlement: Settlement | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HintChange:
    """A hint was written, changed or ended."""

    at: float
    endpoint: str
    hint: Hint
    ended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """Something worth telling besides calls and hints. An endpoint, or none for all."""

    at: float
    endpoint: str | None
    what: str


@dataclass(slots=True)
class Chronicle:
    """Everything that happened, in its order."""

    calls: list[SimulatedCall] = field(default_factory=list)
    steers: list[HintChange] = field(default_factory=list)
    happenings: list[Occurrence] = field(default_factory=list)
    _of: dict[str, list[SimulatedCall]] = field(default_factory=dict)
    _open: dict[tuple[str, int, int], SimulatedCall] = field(default_factory=dict)
    _hints: dict[str, tuple[Hint, ...]] = field(default_factory=dict)

    def of(self, endpoint: str) -> list[SimulatedCall]:
        """The calls of *endpoint*."""
        return self._of.get(endpoint, [])

    def called(self, endpoint: str, slot: int, worker: int, at: float) -> int:
        """A call begins; answer how many there have been of its endpoint."""
        call = SimulatedCall(endpoint=endpoint, slot=slot, worker=worker, at=at)
        self.calls.append(call)
        self._open[endpoint, slot, worker] = call
        of_endpoint = self._of.setdefault(endpoint, [])
        of_endpoint.append(call)
        return len(of_endpoint)

    def settled(self, lease: Lease, worker: int, run: Run | None, settlement: Settlement, at: float) -> None:
        """The slot of *lease* is settled; *run* is None when no call was made."""
        endpoint = lease.endpoint.id
        call = self._open.pop((endpoint, lease.slot, worker), None)
        if call is not None and run is not None:
            call.run, call.settlement, call.fate = run, settlement, _FATES[run.status]
        elif run is None:
            self.tell(at, endpoint, "a slot came too late to run")
        self._note_hints(endpoint, settlement.state.hints, at)
        for change in settlement.siblings.values():
            self._note_hints(change.endpoint.id, change.endpoint.state.hints, at)
        if settlement.record is not None:
            self._note_events(endpoint, settlement.record, at)

    def died(self, worker: int, at: float) -> None:
        """*worker* dies, and its calls with it."""
        lost = [key for key in self._open if key[2] == worker]
        for key in lost:
            self._open.pop(key).fate = Fate.LOST
            self.tell(at, key[0], f"slot {key[1]} is lost with worker {worker}")
        self.tell(at, None, f"worker {worker} dies, {len(lost)} calls in progress")

    def tell(self, at: float, endpoint: str | None, what: str) -> None:
        """Note what happened."""
        self.happenings.append(Occurrence(at=at, endpoint=endpoint, what=what))

    def _note_hints(self, endpoint: str, hints: tuple[Hint, ...], at: float) -> None:
        before = self._hints.get(endpoint, ())
        if hints == before:
            return
        self._hints[endpoint] = hints
        known = {hint.id: hint for hint in before}
        for hint in hints:
            other = known.pop(hint.id, None)
            if other is None or (other.interval, other.at) != (hint.interval, hint.at):
                self.steers.append(HintChange(at=at, endpoint=endpoint, hint=hint))
        self._note_ended(endpoint, known.values(), at)

    def _note_ended(self, endpoint: str, hints: Iterable[Hint], at: float) -> None:
        lasting = (hint for hint in hints if hint.kind is not HintKind.ONE_SHOT)
        self.steers += [HintChange(at=at, endpoint=endpoint, hint=hint, ended=True) for hint in lasting]

    def _note_events(self, endpoint: str, record: SteeringRecord, at: float) -> None:
        for name, events in [(endpoint, record.events), *record.events_of_siblings.items()]:
            for event in events:
                self.tell(at, name, f"steering: {event}")
        for name, steps in [(endpoint, record.own), *record.siblings.items()]:
            if steps is None:
                continue
            for rule in steps.drifted:
                self.tell(at, name, f"rule {rule}: its fields are unknown three times in a row")
            for unexpected in steps.unexpected:
                self.tell(at, name, f"field {unexpected}: a value it was not declared to have")
