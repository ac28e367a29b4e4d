"""Simulations on the wire."""

from cronicorn.api.wire_values import Answer, Instant


class ExpectationAnswer(Answer):
    """Something that was expected, and what was seen."""

    name: str
    kind: str
    held: bool
    seen: str


class SimulatedHintAnswer(Answer):
    """A hint in a simulation; `key` is the rule or the signal that wrote it."""

    kind: str
    author: str
    key: str | None
    interval_ms: float | None
    at: Instant | None
    expires_at: Instant
    reason: str | None


class SimulatedRuleAnswer(Answer):
    """A rule that did something, or stands elsewhere now."""

    rule: str
    phase: str
    did: list[str]


class SimulatedCallAnswer(Answer):
    """A call in a simulation; null is what it had no time for."""

    endpoint: str
    at: Instant
    elapsed_ms: float
    """Since the beginning of the scenario."""
    worker: int
    slot: int
    attempt: int | None
    status: str
    outcome: str | None
    status_code: int | None
    duration_ms: float | None
    due_at: Instant | None
    source: str | None
    next_at: Instant | None
    next_source: str | None
    hints: list[SimulatedHintAnswer]
    rules: list[SimulatedRuleAnswer]


class SimulatedHintChangeAnswer(Answer):
    """A hint that was written or, where it `ended`, is no more."""

    endpoint: str
    at: Instant
    ended: bool
    hint: SimulatedHintAnswer


class SimulatedEventAnswer(Answer):
    """Something else that happened; to all where `endpoint` is null."""

    endpoint: str | None
    at: Instant
    event: str


class SimulationAnswer(Answer):
    """What happened. Of calls, hints and events the first 1,000 are told, and all are counted."""

    scenario: str
    seed: int
    start: Instant
    length_ms: float
    held: bool
    """Whether everything was as expected."""
    expectations: list[ExpectationAnswer]
    calls_count: int
    calls: list[SimulatedCallAnswer]
    hints_count: int
    hints: list[SimulatedHintChangeAnswer]
    events_count: int
    events: list[SimulatedEventAnswer]
