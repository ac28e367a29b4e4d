"""Endpoints on the wire: the contract's fields, and what we add to them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from cronicorn.api.wire_file_sets import FileSetAnswer, file_set_answers
from cronicorn.api.wire_values import (
    NEVER,
    Answer,
    Instant,
    Omittable,
    WarningAnswer,
    warning_answers,
    whole_milliseconds,
)
from cronicorn.control.endpoints import EndpointView
from cronicorn.control.file_owners import FileOwner, edit_warnings
from cronicorn.control.rendering import shown
from cronicorn.domain.auth import AuthKind, ClientAuth
from cronicorn.domain.call import Method
from cronicorn.domain.cron import DstGap, DstOverlap
from cronicorn.domain.endpoint import CatchUpMode, CompileMode, JobEndpoint, KeepBodies, Overlap
from cronicorn.domain.hint import Author, Hint, HintKind, fresh_hints, paused_until
from cronicorn.domain.plan import Plan, Source
from cronicorn.domain.signals.signal import Adapt, Signal


class CatchUpAnswer(Answer):
    """What happens to late instants."""

    mode: CatchUpMode
    window_ms: Omittable[int] = None
    max_runs: int


class RetriesAnswer(Answer):
    """Attempts within one slot."""

    retry_count: int
    min_backoff_ms: int
    max_backoff_ms: int
    max_doublings: int


class FlowAnswer(Answer):
    """How many calls may begin and be in progress, of all endpoints under one key; without one, of those of a host."""

    key: Omittable[str] = None
    rate: Omittable[int] = None
    period_ms: Omittable[int] = None
    parallelism: Omittable[int] = None


class RedactAnswer(Answer):
    """What of answers is hashed before anything reads or keeps it."""

    body: Omittable[list[str]] = None
    headers: Omittable[list[str]] = None


class AuthAnswer(Answer):
    """What the `Authorization` header is made of; credentials are references to secrets."""

    type: AuthKind
    token: Omittable[str] = None
    username: Omittable[str] = None
    password: Omittable[str] = None
    token_url: Omittable[str] = None
    client_id: Omittable[str] = None
    client_secret: Omittable[str] = None
    client_auth: Omittable[ClientAuth] = None
    scope: Omittable[str] = None
    parameters: Omittable[dict[str, str]] = None


class PlanAnswer(Answer):
    """When it runs next; null when nothing is planned."""

    next_run_at: Instant | None
    nominal_at: Instant | None
    source: Source


class HintAnswer(Answer):
    """A hint that counts now."""

    kind: HintKind
    author: Author
    interval_ms: Omittable[int] = None
    at: Omittable[Instant] = None
    written_at: Instant
    expires_at: Instant
    reason: Omittable[str] = None


class EndpointAnswer(Answer):
    """An endpoint. `nextRunAt` is the end of the year 9999 when nothing is planned; `plan` says null."""

    id: str
    job_id: str
    name: str
    description: Omittable[str] = None
    baseline_cron: Omittable[str] = None
    baseline_interval_ms: Omittable[int] = None
    once_at: Omittable[Instant] = None
    dormant: Omittable[bool] = None
    anchor_at: Omittable[Instant] = None
    timezone: str
    dst_gap: DstGap
    dst_overlap: DstOverlap
    window_ms: Omittable[int] = None
    min_interval_ms: Omittable[int] = None
    max_interval_ms: Omittable[int] = None
    catch_up: CatchUpAnswer
    overlap: Overlap
    retries: RetriesAnswer
    success_statuses: list[str]
    criteria: Omittable[dict[str, Any]] = None
    url: str
    method: Method
    headers_json: Omittable[dict[str, str]] = None
    body_json: Omittable[Any] = None
    auth: Omittable[AuthAnswer] = None
    timeout_ms: int
    max_execution_time_ms: int
    max_response_size_kb: int
    redirects_max: int
    policy: Omittable[dict[str, Any]] = None
    compile: CompileMode
    adapt: Adapt
    signals: Omittable[dict[Signal, bool]] = None
    flow: Omittable[FlowAnswer] = None
    keep_bodies: KeepBodies
    redact: Omittable[RedactAnswer] = None
    analysis: bool
    analysis_cooldown_ms: int
    next_run_at: Instant
    last_run_at: Omittable[Instant] = None
    failure_count: int
    paused_until: Omittable[Instant] = None
    frozen_until: Omittable[Instant] = None
    archived_at: Omittable[Instant] = None
    ai_hint_interval_ms: Omittable[int] = None
    ai_hint_next_run_at: Omittable[Instant] = None
    ai_hint_expires_at: Omittable[Instant] = None
    ai_hint_reason: Omittable[str] = None
    plan: PlanAnswer
    hints: list[HintAnswer]
    running: bool
    running_run_id: str | None = None
    version: int
    created_at: Instant
    updated_at: Instant
    file_sets: Omittable[list[FileSetAnswer]] = None
    """Left out of lists."""
    warnings: list[WarningAnswer]


class EndpointsAnswer(Answer):
    """The endpoints of a job, oldest first."""

    endpoints: list[EndpointAnswer]
    next_cursor: Omittable[str] = None
    """What to ask with as `cursor` for the next ones; left out at the end."""


def endpoint_answer(view: EndpointView, owners: Iterable[FileOwner] | None = None) -> EndpointAnswer:
    """An endpoint on the wire, as it stands at the instant of *view*; its *owners* are None in a list."""
    endpoint, state = view.endpoint, view.endpoint.state
    hints, governor = fresh_hints(state.hints, view.now), state.memory.governor
    plan = plan_answer(state.plan)
    return EndpointAnswer.model_validate(
        shown(endpoint)
        | _steering(hints)
        | {
            "id": endpoint.id, "jobId": endpoint.job_id, "nextRunAt": plan.next_run_at or NEVER,
            "lastRunAt": state.last_run_at, "failureCount": state.failure_count,
            "frozenUntil": governor.frozen_until if governor.frozen(view.now) else None,
            "pausedUntil": paused_until(hints, view.now), "archivedAt": endpoint.archived_at, "plan": plan,
            "hints": [hint_answer(hint) for hint in hints], "running": view.running is not None,
            "runningRunId": view.running, "version": endpoint.version, "createdAt": endpoint.created_at,
            "updatedAt": endpoint.updated_at, "fileSets": file_set_answers(owners),
            "warnings": warning_answers((*view.warnings, *edit_warnings(owners or ()))),
        }
    )  # fmt: skip


def endpoints_answer(views: Iterable[EndpointView], next_cursor: str | None = None) -> EndpointsAnswer:
    """Endpoints on the wire."""
    return EndpointsAnswer(endpoints=[endpoint_answer(view) for view in views], next_cursor=next_cursor)


def plan_answer(plan: Plan | None) -> PlanAnswer:
    """*plan* on the wire."""
    if plan is None:
        return PlanAnswer(next_run_at=None, nominal_at=None, source=Source.DORMANT)
    return PlanAnswer(next_run_at=plan.next_run_at, nominal_at=plan.nominal_at, source=plan.source)


def hint_answer(hint: Hint) -> HintAnswer:
    """*hint* on the wire."""
    return HintAnswer(
        kind=hint.kind, author=hint.author, interval_ms=whole_milliseconds(hint.interval), at=hint.at,
        written_at=hint.written_at, expires_at=hint.expires_at, reason=hint.reason,
    )  # fmt: skip


def _steering(hints: tuple[Hint, ...]) -> dict[str, object]:
    """The contract's view of hints: one interval, one one-shot, and the life and reason of what counts first."""
    intervals = sorted((hint for hint in hints if hint.kind is HintKind.INTERVAL), key=_weakness)
    one_shots = sorted((hint for hint in hints if hint.kind is HintKind.ONE_SHOT), key=_instant)
    telling = [*intervals[:1], *one_shots[:1]]
    return {
        "aiHintIntervalMs": whole_milliseconds(intervals[0].interval) if intervals else None,
        "aiHintNextRunAt": one_shots[0].at if one_shots else None,
        "aiHintExpiresAt": telling[0].expires_at if telling else None,
        "aiHintReason": next((hint.reason for hint in telling if hint.reason), None),
    }


def _weakness(hint: Hint) -> tuple[int, int, object]:
    return (-hint.author.rank, -hint.priority, hint.interval)


def _instant(hint: Hint) -> datetime:
    assert hint.at is not None
    return hint.at


def called(endpoint: JobEndpoint) -> dict[str, object]:
    """What a run tells of its endpoint."""
    request = endpoint.request
    return {"id": endpoint.id, "name": endpoint.name, "url": request.url, "method": request.method}
