"""What the header fields of an answer ask for: Retry-After, RateLimit, Cache-Control and Schedule-Hint."""

from collections.abc import Mapping

from cronicorn.domain.call import Method, Outcome, OutcomeKind
from cronicorn.domain.instant import scaled
from cronicorn.domain.signals.freshness import fresh_for
from cronicorn.domain.signals.hint_builder import HintBuilder, SignalSource, life_of
from cronicorn.domain.signals.rate_limit import RATE_LIMIT_FIELDS, pace_asked
from cronicorn.domain.signals.retry_after import retry_after
from cronicorn.domain.signals.schedule_hint import ScheduleHint, schedule_hint
from cronicorn.domain.signals.signal import Signal

TOO_MANY_REQUESTS = 429
DOUBLINGS_MAX = 5
"""As in the backoff of failures: an interval grows to 32 times at most."""
HEADERS_READ = 200
"""Of more header lines only the first ones are looked at."""
_REDIRECTS = range(300, 400)
_LISTS = RATE_LIMIT_FIELDS | {"cache-control", "schedule-hint"}
"""Several lines of these are one list (RFC 9110, section 5.3); of the others the first one counts."""
_READ = _LISTS | {"age", "etag", "last-modified", "retry-after"}


def fields_of(outcome: Outcome) -> dict[str, str]:
    """The header fields of *outcome* that signals read, by name; none unless the answer is complete."""
    fields: dict[str, str] = {}
    if outcome.kind is not OutcomeKind.RESPONDED:
        return fields
    headers = outcome.headers if len(outcome.headers) <= HEADERS_READ else outcome.headers[:HEADERS_READ]
    for name, value in headers:
        if name in _READ:
            if name not in fields:
                fields[name] = value
            elif name in _LISTS:
                fields[name] = f"{fields[name]}, {value}"
    return fields


def heed_limits(
    builder: HintBuilder, outcome: Outcome, fields: Mapping[str, str], *, success: bool, limited: int
) -> int:
    """Write what the server asks about the pace of calls, after *limited* answers in a row with status 429.

    Returns that number with this answer. Retry-After takes precedence over RateLimit, and either over a guess.
    """
    failed = not success and outcome.status_code not in _REDIRECTS
    told = failed and _heed_retry_after(builder, fields)
    if not told and not RATE_LIMIT_FIELDS.isdisjoint(fields):
        told = _keep_pace(builder, fields, failed=failed)
    if outcome.kind is not OutcomeKind.RESPONDED:
        return limited
    if not failed or outcome.status_code != TOO_MANY_REQUESTS:
        return 0
    limited = min(limited + 1, DOUBLINGS_MAX)
    if not told:
        _back_off(builder, limited)
    return limited


def heed_freshness(builder: HintBuilder, method: Method, fields: Mapping[str, str]) -> None:
    """Ask for no call while the answer is fresh, where an owner wants that."""
    field = fields.get("cache-control")
    if field is None or method is not Method.GET or not builder.signals.speaks(Signal.CACHE_CONTROL):
        return
    fresh = fresh_for(field, fields.get("age"))
    if fresh:
        builder.space_out(SignalSource(Signal.CACHE_CONTROL, "Cache-Control", field), fresh)


def heed_schedule_hint(builder: HintBuilder, fields: Mapping[str, str]) -> bool:
    """Write what Schedule-Hint asks for. Returns whether it takes back what it asked before."""
    field = fields.get("schedule-hint")
    if field is None or not builder.signals.speaks(Signal.SCHEDULE_HINT):
        return False
    hint = schedule_hint(field, builder.now)
    source = SignalSource(Signal.SCHEDULE_HINT, "Schedule-Hint", field, (hint and hint.reason) or "")
    if hint is None:
        builder.said.append((source, "ignored: malformed, or nothing in it is known"))
    elif hint.ends:
        builder.said.append((source, "end what was asked before"))
    else:
        _write_schedule_hint(builder, source, hint)
    return hint is not None and hint.ends


def _write_schedule_hint(builder: HintBuilder, source: SignalSource, hint: ScheduleHint) -> None:
    if hint.interval is not None:
        builder.interval(source, hint.interval, hint.ttl or life_of(hint.interval))
    if hint.once is not None:
        builder.one_shot(source, hint.once)
    if hint.defer:
        builder.defer(source, hint.defer)


def _heed_retry_after(builder: HintBuilder, fields: Mapping[str, str]) -> bool:
    field = fields.get("retry-after")
    if field is None or not builder.signals.speaks(Signal.RETRY_AFTER):
        return False
    wait = retry_after(field, builder.now)
    if wait is None:
        return False
    source = SignalSource(Signal.RETRY_AFTER, "Retry-After", field)
    builder.defer(source, wait)
    builder.one_shot(source, wait)  # Without it the failure backoff would go on after the wait is over.
    return True


def _keep_pace(builder: HintBuilder, fields: Mapping[str, str], *, failed: bool) -> bool:
    """Whether the RateLimit fields ask for a wait."""
    pace = pace_asked(fields, builder.now) if builder.signals.speaks(Signal.RATE_LIMIT) else None
    if pace is None:
        return False
    source = SignalSource(Signal.RATE_LIMIT, pace.field, pace.value)
    if pace.wait:
        builder.defer(source, pace.wait)
        if failed:
            builder.one_shot(source, pace.wait)
    if pace.spacing:
        builder.space_out(source, pace.spacing)
    return bool(pace.wait)


def _back_off(builder: HintBuilder, limited: int) -> None:
    """Space calls out at random up to the base times 2 for each refusal, never closer than the base.

    Full jitter after Brooker, "Exponential backoff and jitter", 2015. Where nothing may tighten the backoff of
    failures does the same without chance.
    """
    if builder.base is None or not builder.tightens or not builder.signals.speaks(Signal.RETRY_AFTER):
        return
    longest = scaled(builder.base, 2.0**limited)
    if builder.interval_max is not None:
        longest = min(longest, builder.interval_max)
    length = builder.base + scaled(max(longest, builder.base) - builder.base, builder.chance())
    source = SignalSource(Signal.RETRY_AFTER, "status", str(TOO_MANY_REQUESTS))
    builder.interval(source, length, life_of(length))
