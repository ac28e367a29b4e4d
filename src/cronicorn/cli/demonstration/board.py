"""What the demonstration knows of its endpoints at one moment, and what it noted on the way."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import quantiles
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Steer:
    """Who wrote the hint behind a decision, and with which reason."""

    author: str
    reason: str

    @property
    def who(self) -> str:
        """The author, as a sentence names it."""
        return f"a {self.author}"

    def __str__(self) -> str:
        """Who and why."""
        return f"{self.who}: {self.reason}" if self.reason else self.who


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One finished run, as REST tells it."""

    id: str
    endpoint: str
    ok: bool
    answer: str
    """The HTTP status, or how the call ended without one."""
    source: str
    attempt: int
    duration_ms: float
    late_ms: float
    began_s: float
    """When it began, in seconds of the story."""
    gap_s: float | None
    """Seconds since the endpoint's run before it."""
    steer: Steer | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """When an endpoint comes next, and why then."""

    at: datetime | None = None
    source: str = ""
    why: str = ""
    steer: Steer | None = None
    pace: str = ""
    """How often it comes while an interval hint lives."""
    planned_s: float = 0.0
    """When that was planned, in seconds of the story."""

    @property
    def reason(self) -> str:
        """Who steered and why or, when nobody did, what the planner says."""
        return self.why if self.steer is None else str(self.steer)


@dataclass(slots=True)
class Row:
    """One endpoint."""

    id: str
    name: str
    schedule: str
    next: Next = field(default_factory=Next)
    calls: list[Call] = field(default_factory=list)
    hints: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    """The newest hint of each kind and author, gone ones too: a run may still tell of them."""


class Voice(StrEnum):
    """Whose doing something is."""

    SHOP = "shop"
    PERSON = "person"
    PLANNER = "planner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One turn of the story."""

    at_s: float
    voice: Voice
    text: str
    phase: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipNote:
    """Instants of one endpoint that did not run."""

    endpoint: str
    state: str
    reason: str
    count: int


@dataclass(slots=True)
class Board:
    """All endpoints, and what happened so far. Make it at *opened_at*: its watch starts then."""

    opened_at: datetime
    seconds: float
    rows: dict[str, Row] = field(default_factory=dict)
    elapsed: float = 0.0
    phase: str = ""
    overdue_max: int = 0
    skips: list[SkipNote] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)

    def tick(self) -> None:
        """Note how far the story is."""
        self.elapsed = time.monotonic() - self._began

    def story_seconds(self, at: datetime) -> float:
        """Seconds of the story at an instant."""
        return (at - self.opened_at) / timedelta(seconds=1)

    @property
    def calls(self) -> list[Call]:
        """Every run, by endpoint."""
        return [call for row in self.rows.values() for call in row.calls]

    def lateness(self) -> tuple[float, float]:
        """The median and the longest time from due to begun, in milliseconds."""
        late = [call.late_ms for call in self.calls]
        if not late:
            return 0.0, 0.0
        return (quantiles(late, n=2)[0] if len(late) > 1 else late[0]), max(late)
