"""`plan_next_run`: the only place that computes a time.

The rules, in order, each one line of the trace:

1. The baseline proposes an instant: the next one of its cron or anchored grid, or last start + interval, doubled for
   every failure in a row up to 32 times (intervals only).
2. Fresh hints compete. Of interval hints the strongest counts (author, then priority, then the shorter interval); it
   replaces the baseline, slower or faster; only a *once* that comes first keeps its instant. Of one-shots the earliest
   counts; it wins when strictly earlier than what it competes with.
3. A retry wins when it comes before that. An instant that is owed (catch-up, buffered) always wins: it is due now.
4. A past instant becomes now, or now + interval for the two interval sources.
5. The latest defer holds the run back, unless a stronger author asked for the instant.
6. Guardrails: minimum, then maximum, counted from the last start. When they contradict, the maximum wins.
7. A pause beats everything; the run comes at its end.

Rules 1, 2, 4, 6 and 7 are those of the reference scheduler, on which recorded plans and golden vectors rest; what is
added to them is neutral where absent. All that counts from the last start keeps its phase: planning again, however
often, moves no instant further away.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cronicorn.domain.cadence import Grid, next_on_grid, stable_offset
from cronicorn.domain.endpoint import BaselineKind, JobEndpoint
from cronicorn.domain.hint import Author, Hint, HintKind, paused_until
from cronicorn.domain.instant import INTERVAL_LEAST, MICROSECOND, ZERO, scaled, shifted
from cronicorn.domain.plan import Plan, Source
from cronicorn.domain.ports import Cron
from cronicorn.domain.trace import Mark, Step, Trace, Verdict

BACKOFF_EXPONENT_MAX = 5
"""Failures after which an interval no longer doubles: 32 times."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    at: datetime | None
    source: Source
    mark: Mark
    nominal_at: datetime | None = None
    interval: timedelta | None = None
    author: Author | None = None
    amount: int = 0

    def before(self, other: "_Candidate") -> bool:
        return self.at is not None and (other.at is None or self.at < other.at)

    def step(self, verdict: Verdict) -> Step:
        return Step(self.mark, verdict, self.at, self.author, self.amount)


def plan_next_run(now: datetime, endpoint: JobEndpoint, cron: Cron) -> Plan:
    """The next run of *endpoint* as seen at *now* (UTC), its source and the trace of how it came about.

    Total: contradictory, extreme or unreadable schedules give a plan, never an exception. The rules are in the
    module's docstring; the order of the trace is the order in which they spoke.
    """
    if endpoint.state.suspended:
        return Plan(None, Source.SUSPENDED, Trace(now, (Step(Mark.SUSPENDED, Verdict.WON),)))
    steps: list[Step] = []
    chosen = _choose(now, endpoint, cron, steps)
    chosen = _not_past(now, chosen, steps)
    chosen = _deferred(now, endpoint, chosen, steps)
    chosen = _clamped(now, endpoint, chosen, steps)
    chosen = _paused(now, endpoint, chosen, steps)
    nominal_at = chosen.nominal_at or _met(endpoint, chosen.at, cron)
    return Plan(chosen.at, chosen.source, Trace(now, tuple(steps)), nominal_at, is_retry=chosen.mark is Mark.RETRY)


def _met(endpoint: JobEndpoint, at: datetime | None, cron: Cron) -> datetime | None:
    """The nominal instant that a run planned *at* for another reason happens to meet: it stands for that one too."""
    if at is None or _accounted(endpoint, at):
        return None
    grid = Grid(endpoint, cron)
    return shifted(at, -grid.offset) if grid.next(shifted(at, -MICROSECOND)) == at else None


def _choose(now: datetime, endpoint: JobEndpoint, cron: Cron, steps: list[Step]) -> _Candidate:
    state = endpoint.state
    baseline = _baseline(now, endpoint, cron)
    rivals = [baseline]
    chosen = baseline
    interval = _interval_hint(now, endpoint, steps)
    if interval is not None:
        rivals.append(interval)
        once = endpoint.baseline.kind is BaselineKind.ONCE
        chosen = interval if not once or interval.before(baseline) else baseline
    one_shot = _one_shot_hint(now, endpoint, steps)
    if one_shot is not None:
        rivals.append(one_shot)
        chosen = one_shot if one_shot.before(chosen) else chosen
    if state.retry_at is not None:
        nominal_at = state.plan.nominal_at if state.plan is not None else None
        retry = _Candidate(state.retry_at, Source.RETRY, Mark.RETRY, nominal_at, amount=state.attempt)
        rivals.append(retry)
        chosen = retry if retry.before(chosen) else chosen
    if state.owed_at is not None:
        chosen = _Candidate(state.owed_at, Source.CATCH_UP, Mark.OWED, state.owed_at, amount=state.owed_count)
        rivals.append(chosen)
    won_or_lost = (rival.step(Verdict.WON if rival is chosen else Verdict.LOST) for rival in rivals)
    steps[:0] = won_or_lost
    if baseline.nominal_at is not None and baseline.nominal_at != baseline.at:
        steps.append(Step(Mark.WINDOW, Verdict.APPLIED if chosen is baseline else Verdict.IDLE, baseline.nominal_at))
    return chosen


def _baseline(now: datetime, endpoint: JobEndpoint, cron: Cron) -> _Candidate:
    kind = endpoint.baseline.kind
    if kind is BaselineKind.INTERVAL:
        return _baseline_interval(now, endpoint, cron)
    grid = Grid(endpoint, cron)
    if kind is BaselineKind.CRON:
        at = grid.next(now)
        nominal_at = None if at is None else shifted(at, -grid.offset)
        return _Candidate(at, Source.BASELINE_CRON, Mark.CRON, nominal_at)
    once_at = endpoint.baseline.once_at
    if kind is BaselineKind.ONCE and once_at is not None and not _accounted(endpoint, once_at):
        return _Candidate(once_at, Source.BASELINE_ONCE, Mark.ONCE, once_at)
    mark = Mark.ONCE if kind is BaselineKind.ONCE else Mark.DORMANT
    return _Candidate(None, Source.DORMANT, mark)


def _accounted(endpoint: JobEndpoint, instant: datetime) -> bool:
    until = endpoint.state.accounted_until
    return until is not None and until >= instant


def _baseline_interval(now: datetime, endpoint: JobEndpoint, cron: Cron) -> _Candidate:
    interval = endpoint.baseline.length
    failures = endpoint.state.failure_count
    factor = 2.0 ** max(min(failures, BACKOFF_EXPONENT_MAX), -1_000)
    base = endpoint.state.spaced_from or now
    grid = Grid(endpoint, cron)
    at = grid.next(max(now, shifted(base, scaled(interval, factor - 1))) if factor > 1 else now)
    if at is not None:
        nominal_at = shifted(at, -grid.offset)
    else:
        at = nominal_at = _repeated(base, scaled(interval, factor), now)
    source = Source.BASELINE_INTERVAL
    return _Candidate(at, source, Mark.INTERVAL, nominal_at, interval, amount=failures)


def _repeated(base: datetime, length: timedelta, now: datetime) -> datetime:
    """The first of `base + n * length`, n from 1, that is not before *now*; the first of all when none is."""
    first = shifted(base, length)
    if first >= now:
        return first
    return next_on_grid(base, length, shifted(now, -MICROSECOND)) or first


def _interval_hint(now: datetime, endpoint: JobEndpoint, steps: list[Step]) -> _Candidate | None:
    base = endpoint.state.spaced_from or now
    source, mark = Source.AI_INTERVAL, Mark.HINT_INTERVAL
    candidates = [
        _Candidate(_repeated(base, hint.interval, now), source, mark, None, hint.interval, hint.author)
        for hint in sorted(_fresh(now, endpoint, HintKind.INTERVAL, steps), key=_by_strength)
        if hint.interval
    ]
    steps.extend(other.step(Verdict.LOST) for other in candidates[1:])
    return candidates[0] if candidates else None


def _one_shot_hint(now: datetime, endpoint: JobEndpoint, steps: list[Step]) -> _Candidate | None:
    candidates = [
        _Candidate(hint.at, Source.AI_ONESHOT, Mark.HINT_ONE_SHOT, None, None, hint.author)
        for hint in sorted(_fresh(now, endpoint, HintKind.ONE_SHOT, steps), key=_by_strength)
    ]
    if not candidates:
        return None
    chosen = candidates[0]
    for other in candidates[1:]:
        chosen = other if other.before(chosen) else chosen
    steps.extend(other.step(Verdict.LOST) for other in candidates if other is not chosen)
    return chosen


def _fresh(now: datetime, endpoint: JobEndpoint, kind: HintKind, steps: list[Step]) -> list[Hint]:
    of_kind = [hint for hint in endpoint.state.hints if hint.kind is kind]
    steps.extend(
        Step(Mark.HINT_LAPSED, Verdict.LOST, hint.expires_at, hint.author) for hint in of_kind if not hint.fresh(now)
    )
    return [hint for hint in of_kind if hint.fresh(now)]


def _by_strength(hint: Hint) -> tuple[int, int, timedelta]:
    """Sorts hints: the strongest author first, then the highest priority, then the shortest interval."""
    return (-hint.author.rank, -hint.priority, hint.interval or ZERO)


def _not_past(now: datetime, chosen: _Candidate, steps: list[Step]) -> _Candidate:
    if chosen.at is None or chosen.at >= now:
        return chosen
    if chosen.interval is not None:
        at = shifted(now, chosen.interval)
        nominal_at = at if chosen.source is Source.BASELINE_INTERVAL else None
        steps.append(Step(Mark.PAST, Verdict.APPLIED, at))
        return replace(chosen, at=at, nominal_at=nominal_at)
    steps.append(Step(Mark.PAST, Verdict.APPLIED, now))
    return replace(chosen, at=now)


def _deferred(now: datetime, endpoint: JobEndpoint, chosen: _Candidate, steps: list[Step]) -> _Candidate:
    hints = _fresh(now, endpoint, HintKind.DEFER, steps)
    for hint in sorted(hints, key=lambda hint: (hint.at or now, hint.author.rank), reverse=True):
        outranked = (
            chosen.source is Source.AI_ONESHOT and chosen.author is not None and chosen.author.rank > hint.author.rank
        )
        if chosen.at is None or hint.at is None or hint.at <= chosen.at or outranked:
            steps.append(Step(Mark.DEFER, Verdict.LOST if outranked else Verdict.IDLE, hint.at, hint.author))
            continue
        steps.append(Step(Mark.DEFER, Verdict.APPLIED, hint.at, hint.author))
        chosen = replace(chosen, at=hint.at, source=Source.DEFERRED)
    return chosen


def _clamped(now: datetime, endpoint: JobEndpoint, chosen: _Candidate, steps: list[Step]) -> _Candidate:
    base = endpoint.state.spaced_from or now
    if endpoint.interval_min and chosen.at is not None:
        floor = shifted(base, endpoint.interval_min)
        applied = chosen.at < floor
        steps.append(Step(Mark.CLAMP_MIN, Verdict.APPLIED if applied else Verdict.IDLE, floor))
        if applied:
            chosen = replace(chosen, at=floor, source=Source.CLAMPED_MIN)
    if endpoint.interval_max and chosen.at is not None:
        ceiling = shifted(base, endpoint.interval_max)
        if endpoint.state.spaced_from is not None:
            # A call may outlast the maximum, and no maximum drives an endpoint that runs faster than INTERVAL_LEAST.
            ceiling = max(ceiling, shifted(base, INTERVAL_LEAST), now)
        applied = chosen.at > ceiling
        steps.append(Step(Mark.CLAMP_MAX, Verdict.APPLIED if applied else Verdict.IDLE, ceiling))
        if applied:
            # A run can stand for an instant that was held back, not for one that comes after it.
            natural = None if chosen.nominal_at is None else shifted(chosen.nominal_at, stable_offset(endpoint))
            nominal_at = chosen.nominal_at if natural is not None and natural <= ceiling else None
            chosen = replace(chosen, at=ceiling, source=Source.CLAMPED_MAX, nominal_at=nominal_at)
    return chosen


def _paused(now: datetime, endpoint: JobEndpoint, chosen: _Candidate, steps: list[Step]) -> _Candidate:
    until = paused_until(endpoint.state.hints, now)
    if until is None:
        return chosen
    once = endpoint.baseline.kind is BaselineKind.ONCE
    # Nothing is held back where nothing was planned: a dormant endpoint stays dormant, and *once* is never early.
    idle = endpoint.baseline.kind is not BaselineKind.CRON if chosen.at is None else once and chosen.at >= until
    steps.append(Step(Mark.PAUSE, Verdict.IDLE if idle else Verdict.WON, until))
    return chosen if idle else _Candidate(until, Source.PAUSED, Mark.PAUSE, chosen.nominal_at if once else None)
