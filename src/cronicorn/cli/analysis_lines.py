"""An analysis, for people and for programs."""

from collections.abc import Iterator

from cronicorn.api.wire_analyses import (
    SessionAnswer,
    SessionsAnswer,
    session_answer,
    sessions_answer,
)
from cronicorn.cli.columns import columns
from cronicorn.cli.instants import written
from cronicorn.control.analyses import UNENDED, AnalysisList, AnalysisView, warning_told
from cronicorn.domain.analysis.analysis import Analysis, CallMade
from cronicorn.domain.durations import coarse
from cronicorn.domain.quota.decision import DenialReason, Denied
from cronicorn.domain.untrusted.cleaning import cleaned
from cronicorn.domain.wording import length

_HEADINGS = ("MADE", "ANALYSIS", "WHY", "TOKENS", "OUTCOME")


def analysis_json(view: AnalysisView) -> str:
    """An analysis as a JSON object, with the keys it has in REST."""
    return _json(session_answer(view))


def analyses_json(found: AnalysisList) -> str:
    """Analyses of an endpoint as a JSON object, with the keys it has in REST."""
    return _json(sessions_answer(found, found.views))


def analyses_lines(found: AnalysisList) -> Iterator[str]:
    """Analyses of an endpoint in columns under headings, and from when on the model is asked again."""
    if found.views:
        yield from columns(_HEADINGS, [_cells(view.analysis) for view in found.views])
    else:
        yield "No analysis yet."
    if found.total > len(found.views):
        yield f"{found.total - len(found.views)} more"
    if found.follow_up_at is not None:
        yield again_from(written(found.follow_up_at))


def again_from(when: str) -> str:
    """That the model is asked again from an instant on, written as *when*."""
    return f"again from {when} on, once answers are unlike those of the last analysis"


def _cells(analysis: Analysis) -> tuple[str, ...]:
    return written(analysis.at), analysis.id, _why(analysis), f"{analysis.spent.tokens:,}", _outcome(analysis)


def _outcome(analysis: Analysis) -> str:
    """How an analysis ended, and what came of it."""
    if analysis.error is not None:
        return f"failed: {_line(analysis.error)}"
    if analysis.denied is not None:
        return analysis.quota
    if UNENDED in analysis.warnings:
        return "not ended, nothing changed"
    return f"applied: {_line(', '.join(analysis.applied))}" if analysis.applied else "nothing to change"


def analysis_lines(view: AnalysisView) -> Iterator[str]:
    """An analysis as lines."""
    analysis = view.analysis
    yield f"Analysis {analysis.id} of {view.endpoint_name} ({analysis.endpoint_id})"
    yield f"  made {written(analysis.at)} because of {_why(analysis)}"
    yield f"  {_took(analysis)}"
    if analysis.denied is not None:
        yield f"  {_denied(analysis.denied)}"
    if analysis.error is not None:
        yield f"  failed: {_line(analysis.error)}"
    yield from _result_lines(analysis)
    if analysis.calls:
        yield ""
        yield "It called"
        for call in analysis.calls:
            yield from _call_lines(call)


def _result_lines(analysis: Analysis) -> Iterator[str]:
    if analysis.reasoning:
        sure = f" ({analysis.confidence_percent} % sure)" if analysis.confidence_percent is not None else ""
        yield ""
        yield f"Reasoning{sure}: {_line(analysis.reasoning)}"
    if analysis.next_analysis_at is not None:
        yield f"It wants to look {again_from(written(analysis.next_analysis_at))}."
    yield ""
    yield from (f"applied: {_line(each)}" for each in analysis.applied)
    if not analysis.applied:
        yield "It changed nothing."
    yield from (f"warning: {warning_told(each)}" for each in analysis.warnings)


def _call_lines(call: CallMade) -> Iterator[str]:
    yield f"  {call.tool} {_line(call.arguments)}"
    yield f"    {'refused' if call.refused else 'answered'}: {_line(call.result)}"


def _took(analysis: Analysis) -> str:
    spent = analysis.spent
    parts = {
        "sent": spent.input,
        "cached": spent.cached,
        "received": spent.output,
        "estimated": spent.estimated,
        "charged": spent.charged,
    }
    counts = ", ".join(f"{count:,} {name}" for name, count in parts.items() if count)
    tokens = f"{spent.tokens:,} tokens" + (f" ({counts})" if counts else "")
    model = f" of {analysis.model}" if analysis.model else ""
    cost = f", {spent.cost} USD" if spent.cost is not None else ""
    return f"{tokens}{model}{cost}, took {length(spent.duration)}; quota: {analysis.quota}"


def _denied(denied: Denied) -> str:
    said = f"not made: the quota denied it ({denied.reason.value}), with {denied.remaining:,} tokens left for analyses"
    if denied.reason is DenialReason.TOO_LARGE:
        return f"{said}; only a higher limit helps"
    return f"{said}; worth asking again after {coarse(denied.retry_after)}, all anew at {written(denied.reset_at)}"


def _why(analysis: Analysis) -> str:
    return _line(f"{analysis.why.occasion.value} {analysis.why.detail}")


def _line(text: str) -> str:
    """*text* of a model or an answer in one line, without what a terminal would obey."""
    return " ".join(cleaned(text).split())


def _json(answer: SessionAnswer | SessionsAnswer) -> str:
    return answer.model_dump_json(by_alias=True, indent=2)
