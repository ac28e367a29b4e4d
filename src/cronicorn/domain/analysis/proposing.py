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
from cronicorn.domain.hint import Author, Hint, HintKind, replaced
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
    def words(self) -> tuple[str, ...]:
        """What is wanted, as it is kept."""
        cleared = ("clear hints",) if self.clear else ()
        made = tuple(f"{each.kind.value} {each.length.total_seconds():g} s" for each in self.proposals)
        return (*cleared, *made, *((f"rule: {self.rule}",) if self.rule is not None else ()))


def applied(before: JobEndpoint, staged: Staged, stored: Stored, cron: Cron) -> Change:
    """The endpoint with what was *staged*; unchanged when nothing steers, or it is not scheduled at all."""
    if before.state.suspended or not (staged.proposals or staged.clear):
        return Change(endpoint=before)
    hints = before.state.hints
    if staged.clear:
        hints = tuple(hint for hint in hints if hint.author is not Author.MODEL)
    for proposal in staged.proposals:
        hints = replaced(hints, _hint(proposal, before, stored.now), stored.now)
    hints = within_guardrails(hints, before.state.hints, before, stored.now, None)
    return edited(before, replace(before, state=replace(before.state, hints=hints)), stored, cron)


def reason_kept(text: str) -> str:
    """A reason without what nobody sees, in one line and within its bound."""
    return " ".join(cleaned(text).split())[:REASON_MAX]


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
