"""What happened: one attempt at one slot."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cronicorn.domain.call import AnswerClass, Outcome, OutcomeKind
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.lease import run_id
from cronicorn.domain.plan import Source


class RunStatus(StrEnum):
    """How a run is listed."""

    SUCCESS = "success"
    FAILED = "failed"
    CANCELLED = "canceled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One attempt, finished. There is no such thing as a stored running run: that is a lease."""

    tenant_id: str
    endpoint_id: str
    slot: int
    attempt: int
    fence: int
    source: Source
    """Why it ran: the source of its plan."""
    trace: str
    """The stored form of its plan's trace."""
    due_at: datetime
    nominal_at: datetime | None
    started_at: datetime
    finished_at: datetime
    status: RunStatus
    outcome: Outcome
    steering: str | None = None
    """The stored form of what signals and rules made of the answer (`SteeringRecord`); None of what they left alone."""

    def __post_init__(self) -> None:
        assert self.started_at <= self.finished_at

    @property
    def id(self) -> str:
        """`<endpoint>:<slot>:<attempt>`."""
        return run_id(self.endpoint_id, self.slot, self.attempt)

    def facts(self) -> dict[str, object]:
        """What logs say about a run: no body, no header, no URL."""
        return {
            "status": self.status.value,
            "outcome": self.outcome.kind.value,
            "status_code": self.outcome.status_code,
            "source": self.source.value,
            "duration_ms": round(self.outcome.duration.total_seconds() * 1_000, 3),
            "late_ms": round((self.started_at - self.due_at).total_seconds() * 1_000, 3),
        }


def run_status(endpoint: JobEndpoint, outcome: Outcome) -> RunStatus:
    """What *outcome*, once `judged`, counts as by the success criteria of *endpoint*."""
    if outcome.kind is OutcomeKind.CANCELLED:
        return RunStatus.CANCELLED
    if outcome.judged is not None:
        return RunStatus.FAILED if outcome.judged.answer_class is AnswerClass.FAILURE else RunStatus.SUCCESS
    return RunStatus.SUCCESS if endpoint.success.accepts(outcome) else RunStatus.FAILED


def judged(endpoint: JobEndpoint, outcome: Outcome) -> Outcome:
    """*outcome* with what the conditions of *endpoint* make of it."""
    criteria = endpoint.criteria
    if criteria is None:
        return outcome if outcome.judged is None else outcome._replace(judged=None)
    return outcome._replace(judged=criteria.judge(outcome, endpoint.success))
