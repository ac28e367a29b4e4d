"""The history in order: claims with all that was done under them, edits, and what went wrong when."""

from dataclasses import dataclass, field
from typing import Any

from tests.chaos.history import Line


@dataclass(slots=True, kw_only=True)
class Settling:
    """One attempt to settle."""

    sent: float
    ran: bool
    """Whether there was a run to record."""
    answer: str | None = None
    """None: the worker ended before it knew."""
    decided_us: int | None = None
    """By the store's clock, when the settlement was last decided."""

    @property
    def accepted(self) -> bool:
        return self.answer == "accepted"


@dataclass(slots=True, kw_only=True)
class Claim:
    """A lease, as its holder knew it."""

    worker: str
    endpoint: str
    claim_id: str
    fence: int
    slot: int
    attempt: int
    manual: bool
    sent: float
    at: float
    """When the answer had come."""
    claimed_us: int
    due_us: int | None
    renewed: list[float] = field(default_factory=list)
    """When the renewals that were granted were sent."""
    lost_at: float | None = None
    """When a renewal said so."""
    settlings: list[Settling] = field(default_factory=list)
    abandoning: float | None = None
    abandoned: float | None = None

    @property
    def attempted(self) -> tuple[str, int, int]:
        """What can be settled only once."""
        return self.endpoint, self.slot, self.attempt

    @property
    def accepted(self) -> Settling | None:
        return next((settling for settling in self.settlings if settling.accepted), None)

    @property
    def ended(self) -> bool:
        """Whether its holder ever tried to be done with it."""
        return bool(self.settlings) or self.abandoning is not None or self.lost_at is not None


@dataclass(slots=True, kw_only=True)
class Edited:
    """Something a person or an agent asked for."""

    endpoint: str
    edit: str
    sent: float
    at: float
    answer: str
    since_us: int | None


@dataclass(slots=True, kw_only=True)
class Struck:
    """A fault, from when to when it lasted."""

    kind: str
    worker: str | None
    began: float
    ended: float


@dataclass(slots=True)
class Facts:
    """All of it. Feed it lines; those of one file in order."""

    claims: dict[str, Claim] = field(default_factory=dict)
    of_endpoint: dict[str, list[Claim]] = field(default_factory=dict)
    """By fence."""
    twice: list[Claim] = field(default_factory=list)
    """Claims under an id that was given before."""
    edits: list[Edited] = field(default_factory=list)
    struck: list[Struck] = field(default_factory=list)
    logs: list[Line] = field(default_factory=list)
    notes: list[Line] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=dict)

    def add(self, line: Line) -> None:
        getattr(self, f"_{line['what']}", self.notes.append)(line)

    def sort(self) -> None:
        for claims in self.of_endpoint.values():
            claims.sort(key=lambda claim: (claim.fence, claim.at))

    def _claimed(self, line: Any) -> None:
        names = ("endpoint", "claim_id", "fence", "slot", "attempt", "manual", "sent", "at", "claimed_us", "due_us")
        claim = Claim(worker=line["by"], **{name: line[name] for name in names})
        if claim.claim_id in self.claims:
            self.twice.append(claim)
        self.claims[claim.claim_id] = claim
        self.of_endpoint.setdefault(claim.endpoint, []).append(claim)

    def _renewed(self, line: Any) -> None:
        for claim_id in line["kept"]:
            self.claims[claim_id].renewed.append(line["sent"])
        for claim_id in line["lost"]:
            self.claims[claim_id].lost_at = line["at"]

    def _settling(self, line: Any) -> None:
        self.claims[line["claim_id"]].settlings.append(Settling(sent=line["at"], ran=line["ran"]))

    def _settled(self, line: Any) -> None:
        settling = self.claims[line["claim_id"]].settlings[-1]
        settling.answer, settling.decided_us = line["answer"], line["decided_us"]

    def _abandoning(self, line: Any) -> None:
        for claim_id in line["claims"]:
            self.claims[claim_id].abandoning = line["at"]

    def _abandoned(self, line: Any) -> None:
        for claim_id in line["claims"]:
            self.claims[claim_id].abandoned = line["at"]

    def _calling(self, line: Any) -> None:
        self.calls[line["key"]] = self.calls.get(line["key"], 0) + 1

    def _called(self, line: Any) -> None:
        """Only its beginning counts."""

    def _edited(self, line: Any) -> None:
        names = ("endpoint", "edit", "sent", "at", "answer", "since_us")
        self.edits.append(Edited(**{name: line[name] for name in names}))

    def _editing(self, line: Any) -> None:
        """What became of it follows."""

    def _fault(self, line: Any) -> None:
        self.struck.append(Struck(kind=line["kind"], worker=line["worker"], began=line["began"], ended=line["at"]))

    def _log(self, line: Any) -> None:
        self.logs.append(line)
