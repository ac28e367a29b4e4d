"""Past decisions on the wire."""

from cronicorn.api.wire_run import JudgedAnswer, error_of, judged_answer, status_of
from cronicorn.api.wire_schedule import StepAnswer, step_answer
from cronicorn.api.wire_steering import SteeringAnswer, steering_answer
from cronicorn.api.wire_values import Answer, Instant, Omittable
from cronicorn.control.decisions import PastDecision, PlannedCall, RunExplanation
from cronicorn.control.runs import UnfinishedRun
from cronicorn.domain.call import OutcomeKind
from cronicorn.domain.explain_steering import ExplainedSteering
from cronicorn.domain.plan import Source
from cronicorn.domain.run import Run


class PastDecisionAnswer(Answer):
    """What had been decided last at an instant, and for when that planned the next call."""

    endpoint_id: str
    at: Instant
    run_id: str | None
    ended_at: Instant | None
    steering: SteeringAnswer | None
    next_due_at: Instant | None
    steps: list[StepAnswer]


class PlannedCallAnswer(Answer):
    """The plan that followed; `dueAt` is null when nothing was planned."""

    due_at: Instant | None
    steps: list[StepAnswer]


class RunExplanationAnswer(Answer):
    """Why a run was made when it was, and what followed. It is `pending`, `running`, or has ended."""

    run_id: str
    endpoint_id: str
    status: str
    source: Source
    """What decided when it was made."""
    attempt: int
    steps: list[StepAnswer]
    """How that came about; none of a run that somebody asked for."""
    due_at: Omittable[Instant] = None
    nominal_at: Omittable[Instant] = None
    started_at: Instant
    """When it began; when it is due while it is `pending`."""
    finished_at: Omittable[Instant] = None
    outcome: Omittable[OutcomeKind] = None
    status_code: Omittable[int] = None
    error_message: Omittable[str] = None
    judged: Omittable[JudgedAnswer] = None
    steering: SteeringAnswer | None
    """What signals and rules made of its answer; null when they had nothing to say."""
    following: PlannedCallAnswer | None
    """The plan made when it had ended; null before, after a test call, and where an edit soon replaced it."""


def past_decision_answer(past: PastDecision) -> PastDecisionAnswer:
    """*past* on the wire."""
    run, following = past.run, past.following
    return PastDecisionAnswer(
        endpoint_id=past.endpoint.id, at=past.at, run_id=run.id if run is not None else None,
        ended_at=run.finished_at if run is not None else None, steering=_steering(past.steering),
        next_due_at=following.due_at if following is not None else None,
        steps=[step_answer(step) for step in following.steps] if following is not None else [],
    )  # fmt: skip


def run_explanation_answer(told: RunExplanation) -> RunExplanationAnswer:
    """*told* on the wire."""
    run = told.run
    fields = {"started_at": run.since} if isinstance(run, UnfinishedRun) else _ended(run)
    return RunExplanationAnswer.model_validate(
        fields
        | {
            "run_id": run.id, "endpoint_id": told.endpoint.id, "status": status_of(run), "source": run.source,
            "attempt": run.attempt, "steps": [step_answer(step) for step in told.steps],
            "steering": _steering(told.steering), "following": _planned(told.following),
        }
    )  # fmt: skip


def _ended(run: Run) -> dict[str, object]:
    outcome = run.outcome
    return {
        "due_at": run.due_at, "nominal_at": run.nominal_at, "started_at": run.started_at,
        "finished_at": run.finished_at, "outcome": outcome.kind, "status_code": outcome.status_code,
        "error_message": error_of(run), "judged": judged_answer(outcome),
    }  # fmt: skip


def _planned(call: PlannedCall | None) -> PlannedCallAnswer | None:
    if call is None:
        return None
    return PlannedCallAnswer(due_at=call.due_at, steps=[step_answer(step) for step in call.steps])


def _steering(steering: ExplainedSteering | None) -> SteeringAnswer | None:
    return steering_answer(steering) if steering is not None else None
