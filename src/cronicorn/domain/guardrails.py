"""What holds of the hints that answers write, whatever signals and rules say: no endpoint is hurried or starved. Pure.

Intervals are clamped where the plan is made. A pause is interrupted for a look at every maximum, counted from the last
call. What others order of an endpoint, again and again, ends within PAUSE_MAX of its beginning, with a call.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.hint import Author, Hint, HintKind
from cronicorn.domain.instant import INTERVAL_LEAST, LAST_INSTANT, shifted
from cronicorn.domain.plan import Source
from cronicorn.domain.policy.policy import PAUSE_MAX

_HOLDS_BACK = {HintKind.PAUSE, HintKind.DEFER}
_LOOKS = {Source.PAUSED, Source.DEFERRED, Source.CLAMPED_MAX}


def within_guardrails(
    hints: tuple[Hint, ...], before: tuple[Hint, ...], endpoint: JobEndpoint, now: datetime, called_at: datetime | None
) -> tuple[Hint, ...]:
    """*hints*, which replace those *before*, as far as the guardrails of *endpoint* let them be.

    *called_at* is when the call began that this is the answer of; None where another endpoint answered.
    """
    if not hints or all(hint.kind is HintKind.INTERVAL for hint in hints):
        return hints
    own = called_at is not None
    started_at = called_at if own else endpoint.state.spaced_from
    kept = []
    for hint in hints:
        if hint.author is not Author.PERSON and hint.kind is HintKind.ONE_SHOT:
            kept.append(_spaced(hint, started_at))
        elif hint.author is Author.RULE and hint.kind in _HOLDS_BACK:
            if hint not in before:
                if own or not _look_is_due(endpoint, now):
                    begun = _bounded(hint, before, endpoint, started_at=started_at, now=now)
                    kept.append(_watched(begun, endpoint, now, started_at or begun.written_at))
            else:
                looked_at = own and hint.at is not None and hint.at <= now
                kept.append(_watched(hint, endpoint, now, started_at or now) if looked_at else hint)
        else:
            kept.append(hint)
    return tuple(kept)


def _spaced(hint: Hint, started_at: datetime | None) -> Hint:
    """A one-shot, no sooner after the last call than anything may drive an endpoint."""
    least = shifted(started_at, INTERVAL_LEAST) if started_at is not None else None
    if least is None or hint.at is None or hint.at >= least:
        return hint
    return replace(hint, at=least, expires_at=max(hint.expires_at, shifted(least, INTERVAL_LEAST)))


def _look_is_due(endpoint: JobEndpoint, now: datetime) -> bool:
    """Whether a call is waiting to be made that ends what held the endpoint back, or interrupts it."""
    plan = endpoint.state.plan
    due_at = plan.next_run_at if plan is not None else None
    return plan is not None and due_at is not None and due_at <= now and plan.source in _LOOKS


def _bounded(
    hint: Hint, before: Iterable[Hint], endpoint: JobEndpoint, *, started_at: datetime | None, now: datetime
) -> Hint:
    """What goes on with others that held the endpoint back since its last call begins when the first of them did."""
    since = [other.written_at for other in before if other.kind is hint.kind and other.author is Author.RULE]
    begun = min(since, default=now)
    if begun >= now or (started_at is not None and begun <= started_at):
        begun = now
    policy = endpoint.policy
    most = policy.pause_max if policy is not None and hint.kind is HintKind.PAUSE else PAUSE_MAX
    end = shifted(begun, most)
    if hint.kind is HintKind.DEFER and begun == now:
        return hint  # One alone may be as long as its policy lets it.
    assert hint.at is not None
    return replace(hint, written_at=begun, at=min(hint.at, end), expires_at=min(hint.expires_at, end))


def _watched(hint: Hint, endpoint: JobEndpoint, now: datetime, started_at: datetime) -> Hint:
    """A pause no shorter than the minimum, and interrupted for a look when the maximum has passed since a call."""
    if hint.kind is not HintKind.PAUSE:
        return hint
    least = shifted(now, max(endpoint.interval_min or INTERVAL_LEAST, INTERVAL_LEAST))
    most = LAST_INSTANT
    if endpoint.interval_max is not None:
        most = max(shifted(started_at, endpoint.interval_max), now)
    at = min(max(hint.expires_at, least), most)
    return replace(hint, at=at, expires_at=max(hint.expires_at, at))
