"""Drafts as stores keep them: columns to look for, and a document with the rest."""

import json
from collections.abc import Mapping

from cronicorn.domain.cells import Cell, Row
from cronicorn.domain.compilation.draft import (
    CompileReason,
    CompileUsage,
    Draft,
    DraftStatus,
    Figures,
    Finding,
    FindingCheck,
    Severity,
    text_of,
)
from cronicorn.domain.fields import Fields, Value, lean, us
from cronicorn.domain.policy.text import policy_from

_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def draft_row(draft: Draft) -> Row:
    """The row of `policy_drafts`, but for its numbers."""
    return {
        "id": draft.id,
        "tenant_id": draft.tenant_id,
        "status": draft.status.value,
        "hash": draft.hash,
        "created_us": us(draft.created_at),
        "document": _encode(_document(draft)),
    }


def draft_of(row: Mapping[str, Cell], endpoint_id: str) -> Draft:
    """The draft in *row*, one of *endpoint_id*. Raises one of `UNREADABLE`."""
    columns: dict[str, Value] = {name: cell for name in _COLUMNS if not isinstance(cell := row[name], bytes)}
    known = Fields({**json.loads(str(row["document"])), **columns})
    policy, replaces = known.text_or_none("policy"), known.text_or_none("replaces")
    return Draft(
        id=known.text("id"), tenant_id=known.text("tenant_id"), endpoint_id=endpoint_id, hash=known.text("hash"),
        status=DraftStatus(known.text("status")), policy=policy_from(policy) if policy is not None else None,
        description=known.text("description"),
        replaces=text_of(policy_from(replaces)) if replaces is not None else None,  # As the endpoint's reads today.
        reason=CompileReason(known.text("reason")), findings=tuple(map(_finding_of, known.parts("findings"))),
        figures=_figures_of(known.part_or_none("figures")), spent=_spent_of(Fields(known.part("spent"))),
        classes=frozenset(str(each) for each in known.items("classes")), compiler=known.number("compiler"),
        created_at=known.instant("created_us"), created_by=known.text("created_by"),
        decided_at=known.instant_or_none("decided_us"), decided_by=known.text_or_none("decided_by"),
    )  # fmt: skip


_COLUMNS = ("id", "tenant_id", "status", "hash", "created_us")


def _document(draft: Draft) -> dict[str, Value]:
    classes: list[Value] = [*sorted(draft.classes)]
    return lean({
        "policy": text_of(draft.policy),
        "description": draft.description,
        "replaces": draft.replaces,
        "reason": draft.reason.value,
        "findings": [_finding_document(each) for each in draft.findings] or None,
        "figures": _figures_document(draft.figures) if draft.figures is not None else None,
        "spent": {
            "model": draft.spent.model, "tokens": draft.spent.tokens, "cached": draft.spent.cached,
            "rounds": draft.spent.rounds, "excess": draft.spent.excess,
        },
        "classes": classes or None,
        "compiler": draft.compiler,
        "created_by": draft.created_by,
        "decided_us": us(draft.decided_at),
        "decided_by": draft.decided_by,
    })  # fmt: skip


def _finding_document(finding: Finding) -> Value:
    return {
        "check": finding.check.value,
        "severity": finding.severity.value,
        "pointer": finding.pointer,
        "message": finding.message,
    }


def _finding_of(document: Mapping[str, Value]) -> Finding:
    known = Fields(document)
    return Finding(
        check=FindingCheck(known.text("check")),
        severity=Severity(known.text("severity")),
        pointer=known.text("pointer"),
        message=known.text("message"),
    )


def _figures_document(figures: Figures) -> dict[str, Value]:
    """Fractions as text: documents hold whole numbers only."""
    return lean({
        "recorded": figures.recorded,
        "calls_a_day_old": _fraction(figures.calls_a_day_old),
        "calls_a_day_new": _fraction(figures.calls_a_day_new),
        "flips_an_hour": _fraction(figures.flips_an_hour),
        "later_share": _fraction(figures.later_share),
        "conclusion": figures.conclusion,
    })  # fmt: skip


def _figures_of(document: Mapping[str, Value] | None) -> Figures | None:
    if document is None:
        return None
    known = Fields(document)
    fractions = {
        name: float(text) if (text := known.text_or_none(name)) is not None else None
        for name in ("calls_a_day_old", "calls_a_day_new", "flips_an_hour", "later_share")
    }
    return Figures(recorded=known.number("recorded"), conclusion=known.text("conclusion"), **fractions)


def _spent_of(known: Fields) -> CompileUsage:
    return CompileUsage(
        model=known.text("model", ""),
        tokens=known.number("tokens", 0),
        cached=known.number("cached", 0),
        rounds=known.number("rounds", 0),
        excess=known.number("excess", 0),
    )


def _fraction(value: float | None) -> str | None:
    return None if value is None else repr(value)
