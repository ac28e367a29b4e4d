"""Drafts of policies on the wire."""

from collections.abc import Iterable
from typing import Any

from cronicorn.api.wire_values import Answer, Instant
from cronicorn.control.drafts import DraftView
from cronicorn.control.policy_lines import policy_in_words
from cronicorn.domain.compilation.difference import ChangeKind, PartDifference
from cronicorn.domain.compilation.draft import (
    CompileReason,
    Draft,
    DraftStatus,
    Figures,
    Finding,
    FindingCheck,
    Severity,
)
from cronicorn.domain.compilation.judging import cadence_of
from cronicorn.domain.policy.text import policy_document


class FindingAnswer(Answer):
    """What a validator says of a draft."""

    check: FindingCheck
    severity: Severity
    pointer: str
    message: str


class FiguresAnswer(Answer):
    """What a draft would have made of the recorded answers."""

    recorded_runs: int
    calls_per_day_before: float | None
    calls_per_day_after: float | None
    flips_per_hour: float | None
    later_share: float | None
    because: str


class PartDifferenceAnswer(Answer):
    """One field, rule or limit that a draft would change."""

    step: ChangeKind
    what: str
    name: str
    before: Any
    after: Any


class DraftSummaryAnswer(Answer):
    """A draft as it is listed."""

    id: str
    endpoint_id: str
    status: DraftStatus
    reason: CompileReason
    model: str
    tokens: int
    rounds: int
    created_at: Instant
    created_by: str
    decided_at: Instant | None
    decided_by: str | None


class DraftAnswer(DraftSummaryAnswer):
    """A draft with all that is known of it. `differences` are to the policy that is in force now."""

    description: str
    policy: dict[str, Any] | None
    in_words: list[str]
    differences: list[PartDifferenceAnswer]
    findings: list[FindingAnswer]
    unsupported: list[str]
    figures: FiguresAnswer | None
    cached_tokens: int
    hash: str


class DraftsAnswer(Answer):
    """The drafts of an endpoint, newest first."""

    drafts: list[DraftSummaryAnswer]


def draft_answer(view: DraftView) -> DraftAnswer:
    """A draft on the wire."""
    draft = view.draft
    policy = draft.policy
    return DraftAnswer(
        **_summary(draft), description=draft.description,
        policy=policy_document(policy) if policy is not None else None,
        in_words=policy_in_words(policy, cadence_of(view.endpoint)) if policy is not None else [],
        differences=list(map(_difference, view.differences)), findings=list(map(_finding, draft.findings)),
        unsupported=list(draft.unsupported), figures=_figures(draft.figures) if draft.figures is not None else None,
        cached_tokens=draft.spent.cached, hash=draft.hash,
    )  # fmt: skip


def drafts_answer(drafts: Iterable[Draft]) -> DraftsAnswer:
    """Drafts on the wire."""
    return DraftsAnswer(drafts=[DraftSummaryAnswer(**_summary(draft)) for draft in drafts])


def _summary(draft: Draft) -> dict[str, Any]:
    return {
        "id": draft.id, "endpoint_id": draft.endpoint_id, "status": draft.status, "reason": draft.reason,
        "model": draft.spent.model, "tokens": draft.spent.tokens, "rounds": draft.spent.rounds,
        "created_at": draft.created_at, "created_by": draft.created_by, "decided_at": draft.decided_at,
        "decided_by": draft.decided_by,
    }  # fmt: skip


def _difference(part: PartDifference) -> PartDifferenceAnswer:
    return PartDifferenceAnswer(step=part.step, what=part.what, name=part.name, before=part.before, after=part.after)


def _finding(finding: Finding) -> FindingAnswer:
    return FindingAnswer(
        check=finding.check, severity=finding.severity, pointer=finding.pointer, message=finding.message
    )


def _figures(figures: Figures) -> FiguresAnswer:
    return FiguresAnswer(
        recorded_runs=figures.recorded, calls_per_day_before=figures.calls_a_day_old,
        calls_per_day_after=figures.calls_a_day_new, flips_per_hour=figures.flips_an_hour,
        later_share=figures.later_share, because=figures.conclusion,
    )  # fmt: skip
