"""What the demonstration knows of its endpoints at one moment, and what it noted on the way."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from statistics import quantiles


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """When an endpoint comes next, and why then."""

    at: datetime | None = None
    source: str = ""
    why: str = ""
    steer: str = ""
    """Who wrote the hint that decided it, and with which reason, if one did."""


@dataclass(slots=True)
class Row:
    """One endpoint."""

    id: str
    name: str
    schedule: str
    next: Next = field(default_factory=Next)
    calls: list[Call] = field(default_factory=list)
    reasons: dict[tuple[str, str], str] = field(default_factory=dict)
    """Why hints were written, by kind and author."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipNote:
    """Instants of one endpoint that did not run."""

    endpoint: str
    state: str
    reason: str
    count: int


@dataclass(slots=True)
class Board:
    """All endpoints, and what happened so far."""

    opened_at: datetime
    seconds: float
    rows: dict[str, Row] = field(default_factory=dict)
    elapsed: float = 0.0
    phase: str = ""
    overdue_max: int = 0
    steered: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Runs that a hint decided, by endpoint, author and reason."""
    skips: list[SkipNote] = field(default_factory=list)

    @property
    def calls(self) -> list[Call]:
        """Every run, by endpoint."""
        return [call for row in self.rows.values() for call in row.calls]

    @property
    def sources(self) -> Counter[str]:
        """How many runs each source decided."""
        return Counter(call.source for call in self.calls)

    def lateness(self) -> tuple[float, float]:
        """The median and the longest time from due to begun, in milliseconds."""
        late = [call.late_ms for call in self.calls]
        if not late:
            return 0.0, 0.0
        return (quantiles(late, n=2)[0] if len(late) > 1 else late[0]), max(late)
