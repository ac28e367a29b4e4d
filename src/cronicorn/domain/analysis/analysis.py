"""An analysis as it is kept: why it was made, what the model asked and answered, what it took, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from cronicorn.domain.analysis.watching import Occasion, Why
from cronicorn.domain.fields import Fields, Value, lean, length_us, us
from cronicorn.domain.instant import ZERO, shifted
from cronicorn.domain.quota.decision import DenialReason, Denied

CALLS_MAX = 20
"""So many calls of tools are kept."""
TEXT_MAX = 2_000
"""Characters kept of a text: the reasoning, or the arguments or the result of a call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallMade:
    """A tool that the model called."""

    tool: str
    arguments: str
    """JSON."""
    result: str
    """JSON, fitted; or why the call was refused."""
    refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisUsage:
    """What an analysis took."""

    input: int = 0
    output: int = 0
    cached: int = 0
    """That part of `input` which the provider had in its cache."""
    estimated: int = 0
    """Tokens of requests that the provider did not count, by a guess."""
    charged: int = 0
    """What the books were charged: where the provider did not count, all that was reserved at least."""
    cost: str | None = None
    """In US dollars, as a decimal number; None when a price is unknown."""
    duration: timedelta = timedelta(0)

    @property
    def tokens(self) -> int:
        """Counted or guessed."""
        return self.input + self.output + self.estimated


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """One analysis of one endpoint. Nothing in it was applied unless `applied` says so."""

    id: str
    tenant_id: str
    endpoint_id: str
    at: datetime
    """When it began."""
    why: Why
    denied: Denied | None = None
    """What the quota said when the budget did not cover it; `remaining` and the rest are as of then."""
    model: str = ""
    reasoning: str = ""
    confidence_percent: int | None = None
    next_analysis: timedelta | None = None
    """After so long the model wants to look again: as it counts, within bounds."""
    calls: tuple[CallMade, ...] = ()
    warnings: tuple[str, ...] = ()
    applied: tuple[str, ...] = ()
    """What was written, in words: hints as they were stored, or taken back. A proposed rule is only kept here."""
    spent: AnalysisUsage = field(default=AnalysisUsage())
    error: str | None = None
    """Why the model could not answer."""

    @property
    def quota(self) -> str:
        """`granted`, or why the budget did not cover it."""
        return "granted" if self.denied is None else f"denied: {self.denied.reason.value}"

    @property
    def next_analysis_at(self) -> datetime | None:
        """From when on the model wants to look again."""
        return shifted(self.at, self.next_analysis) if self.next_analysis is not None else None

    def document(self) -> dict[str, Value]:
        """The stored form, but for the ids."""
        spent = self.spent
        return lean({
            "at_us": us(self.at),
            "why": [self.why.occasion.value, self.why.detail],
            "denied": _denied_document(self.denied) if self.denied is not None else None,
            "model": self.model,
            "reasoning": self.reasoning,
            "confidence_percent": self.confidence_percent,
            "next_us": length_us(self.next_analysis),
            "calls": [[call.tool, call.arguments, call.result, call.refused] for call in self.calls],
            "warnings": list(self.warnings),
            "applied": list(self.applied),
            "tokens": [spent.input, spent.output, spent.cached, spent.estimated, spent.charged],
            "cost": spent.cost,
            "duration_us": length_us(spent.duration),
            "error": self.error,
        })  # fmt: skip


def analysis_of(tenant_id: str, endpoint_id: str, analysis_id: str, document: Mapping[str, Value]) -> Analysis:
    """What `Analysis.document` stored. Raises ValueError for anything else."""
    fields = Fields(document)
    match fields.items("why"), fields.items("tokens"):
        case [str(occasion), str(detail)], [int(sent), int(received), int(cached), int(estimated), int(charged)]:
            pass
        case [str(occasion), str(detail)], [int(sent), int(received), int(cached), int(estimated)]:
            charged = sent + received + estimated  # What was stored before did not tell.
        case _:
            raise ValueError("not an analysis")
    return Analysis(
        id=analysis_id,
        tenant_id=tenant_id,
        endpoint_id=endpoint_id,
        at=fields.instant("at_us"),
        why=Why(occasion=Occasion(occasion), detail=detail),
        denied=_denied_of(fields),
        model=fields.text("model", ""),
        reasoning=fields.text("reasoning", ""),
        confidence_percent=fields.number_or_none("confidence_percent"),
        next_analysis=fields.length_or_none("next_us"),
        calls=tuple(_call_of(item) for item in fields.items("calls")),
        warnings=tuple(str(item) for item in fields.items("warnings")),
        applied=tuple(str(item) for item in fields.items("applied")),
        spent=AnalysisUsage(
            input=sent,
            output=received,
            cached=cached,
            estimated=estimated,
            charged=charged,
            cost=fields.text_or_none("cost"),
            duration=fields.length("duration_us", timedelta(0)),
        ),
        error=fields.text_or_none("error"),
    )


def _denied_document(denied: Denied) -> dict[str, Value]:
    return {
        "reason": denied.reason.value,
        "remaining": denied.remaining,
        "retry_after_us": length_us(denied.retry_after),
        "reset_at_us": us(denied.reset_at),
    }


def _denied_of(fields: Fields) -> Denied | None:
    part = fields.part_or_none("denied")
    if part is not None:
        said = Fields(part)
        return Denied(
            reason=DenialReason(said.text("reason")),
            remaining=said.number("remaining"),
            retry_after=said.length("retry_after_us"),
            reset_at=said.instant("reset_at_us"),
        )
    told = fields.text("quota", "granted")  # What was stored before only named the reason.
    if told == "granted":
        return None
    reason = DenialReason(told.removeprefix("denied: "))
    return Denied(reason=reason, remaining=0, retry_after=ZERO, reset_at=fields.instant("at_us"))


def bounded(analysis: Analysis) -> Analysis:
    """*analysis* as much of it as is kept."""
    calls = tuple(
        replace(call, arguments=call.arguments[:TEXT_MAX], result=call.result[:TEXT_MAX])
        for call in analysis.calls[:CALLS_MAX]
    )
    return replace(analysis, reasoning=analysis.reasoning[:TEXT_MAX], calls=calls)


def _call_of(item: Value) -> CallMade:
    match item:
        case [str(tool), str(arguments), str(result), bool(refused)]:
            return CallMade(tool=tool, arguments=arguments, result=result, refused=refused)
        case _:
            raise ValueError(f"not a call: {item!r}")
