"""What a model may want of an endpoint, and the edit that this becomes: clamped, capped, and checked again. Pure.

A proposal is made when the model asks for it, and applied later to the endpoint as stored then. Whatever the model
says, its hints keep within the guardrails, end within HINT_TTL_MAX, and hold an endpoint with a maximum back no longer
than that maximum after its last call.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cronicorn.domain.editing import edited
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.guardrails import within_guardrails
from cronicorn.domain.hint import Author, Hint, HintKind, replaced, without_model
from cronicorn.domain.instant import INTERVAL_LEAST, ZERO, shifted
from cronicorn.domain.policy.policy import PAUSE_MAX
from cronicorn.domain.ports import Cron
from cronicorn.domain.settlement import Change, Stored
from cronicorn.domain.untrusted.cleaning import cleaned

HINT_TTL_DEFAULT = timedelta(minutes=60)
HINT_TTL_MAX = timedelta(hours=4)
REASON_MAX = 200
"""Characters kept of a reason that a model gave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A hint that the model wants."""

    kind: HintKind
    length: timedelta
    """The interval; or how long from now the one-shot or the end of the pause is."""
    ttl: timedelta = HINT_TTL_DEFAULT
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """All that the model wants."""

    proposals: tuple[Proposal, ...] = ()
    """One of each kind at most: a later one replaces an earlier one."""
    clear: bool = False
    """Whether its earlier hints shall go."""
    rule: str | None = None
    """A rule in its own words. It is kept with the analysis, and nothing acts on it."""

    def with_proposal(self, proposal: Proposal) -> "Staged":
        """What is wanted, with *proposal* too."""
        kept = tuple(each for each in self.proposals if each.kind is not proposal.kind)
        return replace(self, proposals=(*kept, proposal))

    @property
    def steers(self) -> bool:
        """Whether anything of it would change the endpoint."""
        return self.clear or bool(self.proposals)


def applied(before: JobEndpoint, staged: Staged, stored: Stored, cron: Cron) -> Change:
    """The endpoint with what was *staged*; unchanged when nothing steers, its analysis is off, or it is suspended."""
    if before.state.suspended or not before.analysis.enabled or not staged.steers:
        return Change(endpoint=before)
    hints = before.state.hints
    if staged.clear:
        hints = without_model(hints)
    for proposal in staged.proposals:
        hints = replaced(hints, _hint(proposal, before, stored.now), stored.now)
    hints = within_guardrails(hints, before.state.hints, before, stored.now, None)
    return edited(before, before.standing(replace(before.state, hints=hints)), stored, cron)


def written(before: JobEndpoint, after: JobEndpoint, now: datetime) -> tuple[str, ...]:
    """What an edit made of the model's hints, in words: those taken back, and those written, as they are stored."""
    earlier, later = _of_model(before), _of_model(after)
    kinds = {hint.kind for hint in later}
    cleared = any(hint.fresh(now) and hint.kind not in kinds for hint in earlier)
    made = tuple(_word(hint) for hint in later if hint not in earlier)
    return (*(("clear hints",) if cleared else ()), *made)


def reason_kept(text: str) -> str:
    """A reason without what nobody sees, in one line and within its bound."""
    return " ".join(cleaned(text).split())[:REASON_MAX]


def _of_model(endpoint: JobEndpoint) -> list[Hint]:
    return [hint for hint in endpoint.state.hints if hint.author is Author.MODEL]


def _word(hint: Hint) -> str:
    length = hint.interval if hint.at is None else hint.at - hint.written_at
    assert length is not None, "an interval, or an instant"
    return f"{hint.kind.value} {length.total_seconds():g} s"


def _hint(proposal: Proposal, endpoint: JobEndpoint, now: datetime) -> Hint:
    ttl = min(max(proposal.ttl, INTERVAL_LEAST), HINT_TTL_MAX)
    reason = reason_kept(proposal.reason) or None
    if proposal.kind is HintKind.INTERVAL:
        return Hint(
            kind=HintKind.INTERVAL,
            author=Author.MODEL,
            written_at=now,
            expires_at=shifted(now, ttl),
            interval=_clamped(proposal.length, endpoint),
            reason=reason,
        )
    length = min(max(proposal.length, ZERO), HINT_TTL_MAX)
    at = shifted(now, length) if proposal.kind is HintKind.ONE_SHOT else _pause_end(length, endpoint, now)
    expires_at = max(shifted(now, ttl), shifted(at, ttl)) if proposal.kind is HintKind.ONE_SHOT else at
    return Hint(kind=proposal.kind, author=Author.MODEL, written_at=now, expires_at=expires_at, at=at, reason=reason)


def _clamped(interval: timedelta, endpoint: JobEndpoint) -> timedelta:
    least = max(endpoint.interval_min or INTERVAL_LEAST, INTERVAL_LEAST)
    return max(min(interval, endpoint.interval_max or interval), least)


def _pause_end(length: timedelta, endpoint: JobEndpoint, now: datetime) -> datetime:
    """The end of a pause: within the cap of the policy, and a maximum after the last call."""
    most = endpoint.policy.pause_max if endpoint.policy is not None else PAUSE_MAX
    at = shifted(now, min(length, most))
    if endpoint.interval_max is None:
        return at
    return max(now, min(at, shifted(endpoint.state.spaced_from or now, endpoint.interval_max)))
