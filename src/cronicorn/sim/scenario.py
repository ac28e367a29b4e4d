"""What a scenario says: a world, the endpoints that are scheduled in it, and what is expected of them.

Times are seconds since its start.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from cronicorn.domain.call import OutcomeKind
from cronicorn.domain.condition.condition import Condition
from cronicorn.domain.condition.kinds import FieldKind, Scalar, Values
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.json_body import Json
from cronicorn.sim.course import SignalCourse
from cronicorn.sim.expectation import Expectation
from cronicorn.sim.expression import Expression
from cronicorn.sim.random_course import Span

VERSION = 1
ELAPSED, NOW = "elapsed", "now"
"""What expressions may read besides signals and state: seconds since the start, and since 1970."""
BUILT_IN: Mapping[str, FieldKind] = {ELAPSED: FieldKind.NUMBER, NOW: FieldKind.NUMBER}

Filling: TypeAlias = Callable[[Values], Json]
"""A value that may hold expressions, for given signals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCase:
    """What an endpoint answers while `when` holds."""

    when: Condition | None = None
    """None: always."""
    status: Filling | None = None
    """None: 200."""
    headers: tuple[tuple[str, Filling], ...] = ()
    latency: Span | Expression = field(default=Span(low=0.0, high=0.0))
    body: Filling | None = None
    """Its JSON; None when `text` or nothing is sent."""
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedEndpoint:
    """An endpoint of the scenario's one job, and what is answered when it is called."""

    endpoint: JobEndpoint
    """As its owner registers it; its id is its name."""
    answers: tuple[AnswerCase, ...] = ()
    """The first whose `when` holds; 200 without a body when none does."""
    paused_until: float | None = None
    """A person has paused it until then when the scenario begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChange:
    """When and how a piece of state changes."""

    call: str | None = None
    """With each call of this endpoint that arrives; None: at `at`."""
    at: float = 0.0
    when: Condition | None = None
    """Only if this holds at that moment."""
    after: float = 0.0
    """So much later."""
    lasting: float | None = None
    """For so long; then it is again what it was at the start."""
    to: Scalar | Expression | None = None
    add: float = 0.0
    """What is added where there is no `to`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateVariable:
    """A value that calls and time change."""

    start: Scalar
    changes: tuple[StateChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A time in which calls do not reach what they call, or are answered by something in between."""

    begin: float
    end: float
    endpoints: frozenset[str] | None = None
    """None: all."""
    kind: OutcomeKind = OutcomeKind.RESPONDED
    status: int = 503
    retry_after: float | None = None
    share: float = 1.0
    """Of the calls, drawn by chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crash:
    """A worker dies; its calls vanish."""

    at: float
    worker: int
    """Counted from 1."""
    back_after: float | None = None
    """Another one takes its place so much later; None: never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything that decides a simulation."""

    name: str
    start: datetime
    length: float
    seed: int
    endpoints: tuple[SimulatedEndpoint, ...]
    description: str | None = None
    workers: int = 1
    lease: timedelta = timedelta(seconds=30)
    crashes: tuple[Crash, ...] = ()
    signals: Mapping[str, SignalCourse] = field(default_factory=dict)
    state: Mapping[str, StateVariable] = field(default_factory=dict)
    outages: tuple[Outage, ...] = ()
    expectations: tuple[Expectation, ...] = ()
