"""Analyses on the wire: the contract calls them sessions. What responses or a model wrote is text, and nothing else."""

import json
from collections.abc import Iterable
from typing import Any

from cronicorn.api.wire_values import Answer, Instant, Omittable, whole_milliseconds
from cronicorn.control.analyses import WARNINGS_TOLD, AnalysisList, AnalysisView
from cronicorn.domain.analysis.analysis import CallMade
from cronicorn.domain.analysis.watching import Occasion
from cronicorn.domain.instant import MILLISECOND
from cronicorn.domain.quota.decision import DenialReason, Denied


class ToolCallAnswer(Answer):
    """A tool that the model called."""

    tool: str
    args: Any = None
    result: Any = None
    refused: bool


class SessionWarningAnswer(Answer):
    """Something that was odd about an analysis."""

    code: str
    message: str


class TokensAnswer(Answer):
    """The tokens of an analysis."""

    input: int
    output: int
    cached: int
    estimated: int
    charged: int


class DeniedAnswer(Answer):
    """What the token quota said when it did not cover an analysis, as of then."""

    reason: DenialReason
    remaining: int
    """Tokens that the budget could still reserve."""
    retry_after_ms: int
    """Earlier it was of no use to ask again."""
    reset_at: Instant


class SessionAnswer(Answer):
    """One analysis of one endpoint."""

    id: str
    endpoint_id: str
    endpoint_name: str
    analyzed_at: Instant
    tool_calls: list[ToolCallAnswer]
    reasoning: str
    token_usage: int | None
    duration_ms: int | None
    warnings: list[SessionWarningAnswer]
    occasion: Occasion
    occasion_detail: str
    quota: str
    denied: Omittable[DeniedAnswer] = None
    model: str
    tokens: TokensAnswer
    cost_usd: Omittable[str] = None
    confidence: Omittable[float] = None
    next_analysis_in_ms: Omittable[int] = None
    next_analysis_at: Omittable[Instant] = None
    warning_codes: list[str]
    """All that was odd, also what the contract has no code for."""
    applied: list[str]
    error: Omittable[str] = None


class SessionsAnswer(Answer):
    """Analyses of an endpoint, newest first."""

    sessions: list[SessionAnswer]
    total: int
    next_cursor: Omittable[str] = None
    """What to ask with as `cursor` for the next ones; left out at the end."""
    next_analysis_at: Omittable[Instant] = None


class AnalysisRequestAnswer(Answer):
    """An analysis that was asked for."""

    status: str
    warnings: list[str]
    """What may keep it from being made, as sentences."""


def sessions_answer(
    found: AnalysisList, views: Iterable[AnalysisView], next_cursor: str | None = None
) -> SessionsAnswer:
    """Those analyses *found* that are the page's on the wire, and from when on the model is asked again."""
    sessions = [session_answer(view) for view in views]
    return SessionsAnswer(
        sessions=sessions, total=found.total, next_cursor=next_cursor, next_analysis_at=found.follow_up_at
    )


def session_answer(view: AnalysisView) -> SessionAnswer:
    """An analysis on the wire."""
    analysis, spent = view.analysis, view.analysis.spent
    percent = analysis.confidence_percent
    return SessionAnswer(
        id=analysis.id,
        endpoint_id=analysis.endpoint_id,
        endpoint_name=view.endpoint_name,
        analyzed_at=analysis.at,
        tool_calls=[_call_answer(call) for call in analysis.calls],
        reasoning=analysis.reasoning,
        token_usage=spent.tokens,
        duration_ms=whole_milliseconds(spent.duration),
        warnings=[
            SessionWarningAnswer(code=code, message=WARNINGS_TOLD[code])
            for code in analysis.warnings
            if code in WARNINGS_TOLD
        ],
        occasion=analysis.why.occasion,
        occasion_detail=analysis.why.detail,
        quota=analysis.quota,
        denied=None if analysis.denied is None else _denied_answer(analysis.denied),
        model=analysis.model,
        tokens=TokensAnswer(
            input=spent.input,
            output=spent.output,
            cached=spent.cached,
            estimated=spent.estimated,
            charged=spent.charged,
        ),
        cost_usd=spent.cost,
        confidence=percent / 100 if percent is not None else None,
        next_analysis_in_ms=whole_milliseconds(analysis.next_analysis),
        next_analysis_at=analysis.next_analysis_at,
        warning_codes=list(analysis.warnings),
        applied=list(analysis.applied),
        error=analysis.error,
    )


def _denied_answer(denied: Denied) -> DeniedAnswer:
    return DeniedAnswer(
        reason=denied.reason,
        remaining=denied.remaining,
        retry_after_ms=denied.retry_after // MILLISECOND,
        reset_at=denied.reset_at,
    )


def _call_answer(call: CallMade) -> ToolCallAnswer:
    try:
        arguments = json.loads(call.arguments)
    except ValueError:
        arguments = call.arguments
    return ToolCallAnswer(tool=call.tool, args=arguments, result=call.result, refused=call.refused)
