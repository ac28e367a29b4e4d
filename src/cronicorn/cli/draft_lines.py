"""A draft of a policy, for people and for programs."""

import json
from collections.abc import Iterator

from cronicorn.cli.instants import written
from cronicorn.control.drafts import DraftView
from cronicorn.control.policy_lines import policy_in_words
from cronicorn.domain.compilation.difference import ChangeKind, PolicyDifference
from cronicorn.domain.compilation.draft import Draft, Figures
from cronicorn.domain.compilation.judging import cadence_of
from cronicorn.domain.policy.text import policy_document

_SIGNS = {ChangeKind.ADDED: "+", ChangeKind.REMOVED: "-", ChangeKind.CHANGED: "~"}


def draft_document(name: str, view: DraftView) -> dict[str, object]:
    """A draft as a JSON object; *name* is that of its endpoint."""
    draft = view.draft
    return {
        "id": draft.id,
        "endpoint": name,
        "status": draft.status.value,
        "reason": draft.reason.value,
        "description": draft.description,
        "policy": policy_document(draft.policy) if draft.policy is not None else None,
        "differences": [
            {"step": each.step.value, "what": each.what, "name": each.name, "before": each.before, "after": each.after}
            for each in view.differences
        ],
        "findings": [
            {
                "check": each.check.value,
                "severity": each.severity.value,
                "pointer": each.pointer,
                "message": each.message,
            }
            for each in draft.findings
        ],
        "unsupported": list(draft.unsupported),
        "figures": _figures(draft.figures) if draft.figures is not None else None,
        "model": draft.spent.model,
        "tokens": draft.spent.tokens,
        "rounds": draft.spent.rounds,
        "created_at": written(draft.created_at),
        "created_by": draft.created_by,
        "decided_at": written(draft.decided_at) if draft.decided_at is not None else None,
        "decided_by": draft.decided_by,
    }


def draft_lines(name: str, view: DraftView) -> Iterator[str]:
    """A draft as lines; *name* is that of its endpoint."""
    draft = view.draft
    yield f"Draft {draft.id} of {name}: {draft.status.value.replace('_', ' ')}"
    yield f"  made {written(draft.created_at)} by {draft.created_by} ({draft.reason}), {_spent(draft)}"
    if draft.decided_at is not None:
        yield f"  decided {written(draft.decided_at)} by {draft.decided_by}"
    if draft.policy is not None:
        yield ""
        yield from policy_in_words(draft.policy, cadence_of(view.endpoint))
    yield ""
    yield from difference_lines(view.differences)
    if draft.findings:
        yield ""
        yield from (f"{each.severity}: {each.pointer or '/'}: {each.message}" for each in draft.findings)
    if draft.figures is not None:
        yield ""
        yield from _figure_lines(draft.figures)


def difference_lines(differences: PolicyDifference) -> Iterator[str]:
    """A line for each part that is not the same."""
    if not differences:
        yield "It changes nothing of the policy in force."
    for each in differences:
        before, after = (json.dumps(value, ensure_ascii=False) for value in (each.before, each.after))
        shown = {ChangeKind.ADDED: after, ChangeKind.REMOVED: before, ChangeKind.CHANGED: f"{before} → {after}"}[
            each.step
        ]
        yield f"{_SIGNS[each.step]} {each.what} {each.name}: {shown}"


def _spent(draft: Draft) -> str:
    rounds = "one round" if draft.spent.rounds == 1 else f"{draft.spent.rounds} rounds"
    return f"{draft.spent.tokens:,} tokens of {draft.spent.model} in {rounds}"


def _figures(figures: Figures) -> dict[str, object]:
    return {
        "recorded_runs": figures.recorded,
        "calls_per_day_before": figures.calls_a_day_old,
        "calls_per_day_after": figures.calls_a_day_new,
        "flips_per_hour": figures.flips_an_hour,
        "later_share": figures.later_share,
        "because": figures.conclusion,
    }


def _figure_lines(figures: Figures) -> Iterator[str]:
    yield f"On {figures.recorded:,} recorded runs: {figures.conclusion}"
    if figures.calls_a_day_old is not None and figures.calls_a_day_new is not None:
        yield f"  calls a day  {figures.calls_a_day_old:,.0f} → {figures.calls_a_day_new:,.0f}"
    if figures.flips_an_hour is not None:
        yield f"  rules come and go  {figures.flips_an_hour:.2f} times an hour"
    if figures.later_share is not None:
        yield f"  found later than it happened  {figures.later_share:.0%} of the times"
