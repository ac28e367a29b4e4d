"""Runs, health and skips on the wire."""

from collections.abc import Iterable
from typing import Any

from cronicorn.api.strict_json import parse
from cronicorn.api.wire_endpoint import called
from cronicorn.api.wire_schedule import StepAnswer, step_answer
from cronicorn.api.wire_steering import SteeringAnswer, steering_answer
from cronicorn.api.wire_values import Answer, Instant, Omittable, milliseconds
from cronicorn.control.runs import RunView, UnfinishedRun
from cronicorn.domain.call import AnswerClass, Method, Outcome, OutcomeKind
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.explain import explained
from cronicorn.domain.explain_steering import explained_steering
from cronicorn.domain.history import Health, SkipPage
from cronicorn.domain.plan import Source
from cronicorn.domain.run import Run, RunStatus
from cronicorn.domain.slot import SlotState
from cronicorn.domain.steering_record import SteeringRecord
from cronicorn.domain.trace import Trace


class JudgedAnswer(Answer):
    """What a condition of the owner made of an answer."""

    answer_class: AnswerClass
    condition: str


class RunListed(Answer):
    """A run as a list tells of it."""

    run_id: str
    endpoint_id: str
    started_at: Instant
    status: str
    duration_ms: float
    source: Source
    attempt: int
    status_code: Omittable[int] = None
    error_message: Omittable[str] = None
    judged: Omittable[JudgedAnswer] = None
    slot: int
    due_at: Instant
    finished_at: Instant
    outcome: OutcomeKind
    sent_again: Omittable[bool] = None


class RunsAnswer(Answer):
    """One page of runs, newest first, and how many there are."""

    runs: list[RunListed]
    total: int
    next_cursor: Omittable[str] = None
    """What to ask with as `cursor` for the next ones; left out at the end."""


class CalledAnswer(Answer):
    """The endpoint that a run called."""

    id: str
    name: str
    url: str
    method: Method


class RunAnswer(Answer):
    """A run: `pending`, `running`, or ended as `success`, `failed` or `canceled`."""

    id: str
    endpoint_id: str
    status: str
    started_at: Instant
    finished_at: Omittable[Instant] = None
    duration_ms: Omittable[float] = None
    error_message: Omittable[str] = None
    source: Source
    attempt: int
    response_body: Omittable[Any] = None
    response_truncated: Omittable[bool] = None
    response_left_out: Omittable[bool] = None
    status_code: Omittable[int] = None
    outcome: Omittable[OutcomeKind] = None
    judged: Omittable[JudgedAnswer] = None
    sent_again: Omittable[bool] = None
    """Whether the target refused the first access token, and this is what it answered to another."""
    due_at: Omittable[Instant] = None
    nominal_at: Omittable[Instant] = None
    steps: Omittable[list[StepAnswer]] = None
    steering: Omittable[SteeringAnswer] = None
    endpoint: CalledAnswer


class TrialAnswer(Answer):
    """What a test call came to."""

    run_id: str
    status: RunStatus
    duration_ms: float
    status_code: Omittable[int] = None
    response_body: Omittable[Any] = None
    error_message: Omittable[str] = None


class RunRequestAnswer(Answer):
    """A run that was asked for, or asked to stop."""

    run_id: str
    status: str


class LastRunAnswer(Answer):
    """How the last run ended."""

    status: RunStatus
    at: Instant


class HealthAnswer(Answer):
    """How an endpoint fared."""

    success_count: int
    failure_count: int
    avg_duration_ms: float | None
    last_run: LastRunAnswer | None
    failure_streak: int


class SkipAnswer(Answer):
    """A range of instants that did not run. There were more than `count` when it is not `exact`."""

    state: SlotState
    reason: str
    first_at: Instant
    last_at: Instant
    count: int
    exact: bool


class SkipsAnswer(Answer):
    """The newest skips."""

    skips: list[SkipAnswer]


def runs_answer(runs: Iterable[Run], next_cursor: str | None, *, total: int) -> RunsAnswer:
    """A page of *runs* of *total* on the wire."""
    return RunsAnswer(runs=[_listed(run) for run in runs], total=total, next_cursor=next_cursor)


def run_answer(view: RunView) -> RunAnswer:
    """A run on the wire, whether it has ended or not."""
    run = view.run
    fields = _unfinished(run) if isinstance(run, UnfinishedRun) else _finished(run) | _steering(run, view.endpoint)
    return RunAnswer.model_validate(
        fields
        | {
            "id": run.id, "endpoint_id": view.endpoint.id, "attempt": run.attempt, "source": run.source,
            "endpoint": called(view.endpoint),
        }
    )  # fmt: skip


def trial_answer(run: Run) -> TrialAnswer:
    """The run of a test call on the wire."""
    outcome = run.outcome
    return TrialAnswer(
        run_id=run.id, status=run.status, duration_ms=milliseconds(outcome.duration), status_code=outcome.status_code,
        response_body=_body(outcome), error_message=error_of(run),
    )  # fmt: skip


def health_answer(health: Health) -> HealthAnswer:
    """*health* on the wire."""
    last = None
    if health.last_run_at is not None and health.last_status is not None:
        last = LastRunAnswer(status=health.last_status, at=health.last_run_at)
    mean = None if health.duration_mean is None else milliseconds(health.duration_mean)
    return HealthAnswer(
        success_count=health.success_count, failure_count=health.failure_count, avg_duration_ms=mean, last_run=last,
        failure_streak=health.failure_streak,
    )  # fmt: skip


def skips_answer(page: SkipPage) -> SkipsAnswer:
    """*page* on the wire."""
    return SkipsAnswer(
        skips=[
            SkipAnswer(
                state=skip.state, reason=skip.reason, first_at=skip.first_at, last_at=skip.last_at, count=skip.count,
                exact=skip.exact,
            )
            for skip in page.skips
        ]
    )  # fmt: skip


def _listed(run: Run) -> RunListed:
    return RunListed(
        run_id=run.id, endpoint_id=run.endpoint_id, started_at=run.started_at, status=run.status,
        duration_ms=milliseconds(run.outcome.duration), source=run.source, attempt=run.attempt,
        status_code=run.outcome.status_code, error_message=error_of(run), judged=judged_answer(run.outcome),
        slot=run.slot, due_at=run.due_at, finished_at=run.finished_at, outcome=run.outcome.kind,
        sent_again=run.outcome.sent_again or None,
    )  # fmt: skip


def status_of(run: Run | UnfinishedRun) -> str:
    """How *run* stands: `pending`, `running`, or as it ended."""
    if isinstance(run, UnfinishedRun):
        return "running" if run.running else "pending"
    return run.status.value


def judged_answer(outcome: Outcome) -> JudgedAnswer | None:
    """What a condition made of *outcome*; None where none did."""
    said = outcome.judged
    return None if said is None else JudgedAnswer(answer_class=said.answer_class, condition=said.condition)


def _unfinished(run: UnfinishedRun) -> dict[str, object]:
    return {"status": status_of(run), "started_at": run.since}


def _finished(run: Run) -> dict[str, object]:
    outcome = run.outcome
    steps = [step_answer(step) for step in explained(Trace.decode(run.trace))] if run.trace else None
    return {
        "status": run.status, "started_at": run.started_at, "finished_at": run.finished_at,
        "duration_ms": milliseconds(outcome.duration), "error_message": error_of(run), "response_body": _body(outcome),
        "response_truncated": outcome.body_truncated or None, "response_left_out": outcome.body_left_out or None,
        "status_code": outcome.status_code,
        "outcome": outcome.kind, "judged": judged_answer(outcome), "sent_again": outcome.sent_again or None,
        "due_at": run.due_at, "nominal_at": run.nominal_at, "steps": steps,
    }  # fmt: skip


def _steering(run: Run, endpoint: JobEndpoint) -> dict[str, object]:
    if run.steering is None:
        return {}
    explained = explained_steering(SteeringRecord.decode(run.steering), endpoint.policy)
    return {"steering": steering_answer(explained)}


def error_of(run: Run) -> str | None:
    """Why *run* failed, in words; None where it did not."""
    outcome = run.outcome
    if outcome.error is not None or run.status is not RunStatus.FAILED or outcome.status_code is None:
        return outcome.error
    if outcome.judged is not None:
        return f"The answer counts as a failure by the condition {outcome.judged.condition}."
    return f"The answer's status {outcome.status_code} is not among successStatuses."


def _body(outcome: Outcome) -> object:
    """The answer's body as JSON when it is JSON that can be passed on, else as text."""
    if outcome.body is None:
        return None
    text = outcome.body.encode("utf-8", "replace").decode()
    try:
        return parse(text.encode()) if outcome.body_is_json else text
    except ValueError:
        return text
