"""An analysis, as it is answered, for people."""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from cronicorn.cli.columns import columns
from cronicorn.control.analyses import UNENDED, warning_told
from cronicorn.domain.durations import coarse
from cronicorn.domain.quota.decision import DenialReason
from cronicorn.domain.untrusted.cleaning import cleaned
from cronicorn.domain.wording import length

_HEADINGS = ("MADE", "ANALYSIS", "WHY", "TOKENS", "OUTCOME")


def analyses_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Analyses of an endpoint in columns under headings, and from when on the model is asked again."""
    sessions = found["sessions"]
    if sessions:
        yield from columns(_HEADINGS, [_cells(each) for each in sessions])
    else:
        yield "No analysis yet."
    if found["total"] > len(sessions):
        yield f"{found['total'] - len(sessions)} more"
    if "nextAnalysisAt" in found:
        yield again_from(found["nextAnalysisAt"])


def again_from(when: str) -> str:
    """That the model is asked again from an instant on, written as *when*."""
    return f"again from {when} on, once answers are unlike those of the last analysis"


def _cells(analysis: Mapping[str, Any]) -> tuple[str, ...]:
    tokens = f"{analysis['tokenUsage'] or 0:,}"
    return analysis["analyzedAt"], analysis["id"], _why(analysis), tokens, _outcome(analysis)


def _outcome(analysis: Mapping[str, Any]) -> str:
    """How an analysis ended, and what came of it."""
    if "error" in analysis:
        return f"failed: {_line(analysis['error'])}"
    if "denied" in analysis:
        return str(analysis["quota"])
    if UNENDED in analysis["warningCodes"]:
        return "not ended, nothing changed"
    return f"applied: {_line(', '.join(analysis['applied']))}" if analysis["applied"] else "nothing to change"


def analysis_lines(analysis: Mapping[str, Any]) -> Iterator[str]:
    """An analysis as lines."""
    yield f"Analysis {analysis['id']} of {analysis['endpointName']} ({analysis['endpointId']})"
    yield f"  made {analysis['analyzedAt']} because of {_why(analysis)}"
    yield f"  {_took(analysis)}"
    if "denied" in analysis:
        yield f"  {_denied(analysis['denied'])}"
    if "error" in analysis:
        yield f"  failed: {_line(analysis['error'])}"
    yield from _result_lines(analysis)
    if analysis["toolCalls"]:
        yield ""
        yield "It called"
        for call in analysis["toolCalls"]:
            yield from _call_lines(call)


def _result_lines(analysis: Mapping[str, Any]) -> Iterator[str]:
    if analysis["reasoning"]:
        sure = f" ({round(analysis['confidence'] * 100)} % sure)" if "confidence" in analysis else ""
        yield ""
        yield f"Reasoning{sure}: {_line(analysis['reasoning'])}"
    if "nextAnalysisAt" in analysis:
        yield f"It wants to look {again_from(analysis['nextAnalysisAt'])}."
    yield ""
    yield from (f"applied: {_line(each)}" for each in analysis["applied"])
    if not analysis["applied"]:
        yield "It changed nothing."
    yield from (f"warning: {warning_told(each)}" for each in analysis["warningCodes"])


def _call_lines(call: Mapping[str, Any]) -> Iterator[str]:
    yield f"  {call['tool']} {_line(_text(call['args']))}"
    yield f"    {'refused' if call['refused'] else 'answered'}: {_line(_text(call['result']))}"


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _took(analysis: Mapping[str, Any]) -> str:
    spent = analysis["tokens"]
    names = {"input": "sent", "cached": "cached", "output": "received", "estimated": "estimated", "charged": "charged"}
    counts = ", ".join(f"{spent[field]:,} {name}" for field, name in names.items() if spent[field])
    tokens = f"{analysis['tokenUsage'] or 0:,} tokens" + (f" ({counts})" if counts else "")
    model = f" of {analysis['model']}" if analysis["model"] else ""
    cost = f", {analysis['costUsd']} USD" if "costUsd" in analysis else ""
    took = length(timedelta(milliseconds=analysis["durationMs"] or 0))
    return f"{tokens}{model}{cost}, took {took}; quota: {analysis['quota']}"


def _denied(denied: Mapping[str, Any]) -> str:
    said = f"not made: the quota denied it ({denied['reason']}), with {denied['remaining']:,} tokens left for analyses"
    if denied["reason"] == DenialReason.TOO_LARGE:
        return f"{said}; only a higher limit helps"
    after = coarse(timedelta(milliseconds=denied["retryAfterMs"]))
    return f"{said}; worth asking again after {after}, all anew at {denied['resetAt']}"


def _why(analysis: Mapping[str, Any]) -> str:
    return _line(f"{analysis['occasion']} {analysis['occasionDetail']}")


def _line(text: str) -> str:
    """*text* of a model or an answer in one line, without what a terminal would obey."""
    return " ".join(cleaned(text).split())
