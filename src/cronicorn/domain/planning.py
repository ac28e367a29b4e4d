"""`plan_next_run`, and `plan_of` that it is made of: the only place that computes a time.

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

from datetime import datetime, timedelta
from typing import NamedTuple

from cronicorn.domain.cadence import Grid, next_on_grid
from cronicorn.domain.endpoint import BaselineKind, JobEndpoint
from cronicorn.domain.hint import Author, Hint, HintKind, paused_until
from cronicorn.domain.instant import INTERVAL_LEAST, MICROSECOND, ZERO, scaled, shifted
from cronicorn.domain.plan import Plan, Source
from cronicorn.domain.ports import Cron
from cronicorn.domain.trace import Mark, Step, Trace, Verdict

BACKOFF_EXPONENT_MAX = 5
"""Failures after which an interval no longer doubles: 32 times."""


class Basis(NamedTuple):
    """What of the state of an endpoint its next plan rests on."""

    suspended: bool
    hints: tuple[Hint, ...]
    failure_count: int
    spaced_from: datetime | None
    accounted_until: datetime | None
    owed_at: datetime | None
    owed_count: int
    attempt: int = 1
    retry_at: datetime | None = None
    retried_at: datetime | None = None
    """The nominal instant that a retry stands for."""


class _Candidate(NamedTuple):
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
    state = endpoint.state
    basis = Basis(
        state.suspended, state.hints, state.failure_count, state.spaced_from, state.accounted_until, state.owed_at,
        state.owed_count, state.attempt, state.retry_at, state.plan.nominal_at if state.plan is not None else None,
    )  # fmt: skip
    return plan_of(now, basis, Grid(endpoint, cron))


def plan_of(now: datetime, basis: Basis, grid: Grid) -> Plan:
    """As `plan_next_run`, for the endpoint of *grid*, and from *basis* in place of the endpoint's state."""
    if basis.suspended:
        return Plan(None, Source.SUSPENDED, Trace(now, (Step(Mark.SUSPENDED, Verdict.WON),)))
    steps: list[Step] = []
    chosen = _choose(now, basis, grid, steps)
    chosen = _not_past(now, chosen, steps)
    if basis.hints:
        chosen = _deferred(now, basis, chosen, steps)
    chosen = _clamped(now, basis, grid, chosen, steps)
    if basis.hints:
        chosen = _paused(now, basis, grid, chosen, steps)
    nominal_at = chosen.nominal_at or _met(basis, grid, chosen.at)
    return Plan(chosen.at, chosen.source, Trace(now, tuple(steps)), nominal_at, is_retry=chosen.mark is Mark.RETRY)


def _met(basis: Basis, grid: Grid, at: datetime | None) -> datetime | None:
    """The nominal instant that a run planned *at* for another reason happens to meet: it stands for that one too."""
    if at is None or _accounted(basis, at):
        return None
    return grid.nominal(at) if grid.next(shifted(at, -MICROSECOND)) == at else None


def _choose(now: datetime, basis: Basis, grid: Grid, steps: list[Step]) -> _Candidate:
    baseline = _baseline(now, basis, grid)
    rivals = [baseline]
    chosen = baseline
    interval = _interval_hint(now, basis, steps) if basis.hints else None
    if interval is not None:
        rivals.append(interval)
        once = grid.kind is BaselineKind.ONCE
        chosen = interval if not once or interval.before(baseline) else baseline
    one_shot = _one_shot_hint(now, basis, steps) if basis.hints else None
    if one_shot is not None:
        rivals.append(one_shot)
        chosen = one_shot if one_shot.before(chosen) else chosen
    if basis.retry_at is not None:
        retry = _Candidate(basis.retry_at, Source.RETRY, Mark.RETRY, basis.retried_at, amount=basis.attempt)
        rivals.append(retry)
        chosen = retry if retry.before(chosen) else chosen
    if basis.owed_at is not None:
        chosen = _Candidate(basis.owed_at, Source.CATCH_UP, Mark.OWED, basis.owed_at, amount=basis.owed_count)
        rivals.append(chosen)
    steps[:0] = [rival.step(Verdict.WON if rival is chosen else Verdict.LOST) for rival in rivals]
    if baseline.nominal_at is not None and baseline.nominal_at != baseline.at:
        steps.append(Step(Mark.WINDOW, Verdict.APPLIED if chosen is baseline else Verdict.IDLE, baseline.nominal_at))
    return chosen


def _baseline(now: datetime, basis: Basis, grid: Grid) -> _Candidate:
    kind = grid.kind
    if kind is BaselineKind.INTERVAL:
        return _baseline_interval(now, basis, grid)
    if kind is BaselineKind.CRON:
        at = grid.next(now)
        return _Candidate(at, Source.BASELINE_CRON, Mark.CRON, None if at is None else grid.nominal(at))
    once_at = grid.endpoint.baseline.once_at
    if kind is BaselineKind.ONCE and once_at is not None and not _accounted(basis, once_at):
        return _Candidate(once_at, Source.BASELINE_ONCE, Mark.ONCE, once_at)
    mark = Mark.ONCE if kind is BaselineKind.ONCE else Mark.DORMANT
    return _Candidate(None, Source.DORMANT, mark)


def _accounted(basis: Basis, instant: datetime) -> bool:
    until = basis.accounted_until
    return until is not None and until >= instant


def _baseline_interval(now: datetime, basis: Basis, grid: Grid) -> _Candidate:
    interval, failures = grid.endpoint.baseline.length, basis.failure_count
    base, after, length = basis.spaced_from or now, now, interval
    if failures:
        factor = 2.0 ** max(min(failures, BACKOFF_EXPONENT_MAX), -1_000)
        length = scaled(interval, factor)
        if factor > 1:
            after = max(now, shifted(base, scaled(interval, factor - 1)))
    at = grid.next(after)
    if at is not None:
        nominal_at = grid.nominal(at)
    else:
        at = nominal_at = _repeated(base, length, now)
    return _Candidate(at, Source.BASELINE_INTERVAL, Mark.INTERVAL, nominal_at, interval, None, failures)


def _repeated(base: datetime, length: timedelta, now: datetime) -> datetime:
    """The first of `base + n * length`, n from 1, that is not before *now*; the first of all when none is."""
    first = shifted(base, length)
    if first >= now:
        return first
    return next_on_grid(base, length, shifted(now, -MICROSECOND)) or first


def _interval_hint(now: datetime, basis: Basis, steps: list[Step]) -> _Candidate | None:
    hints = _fresh(now, basis, HintKind.INTERVAL, steps)
    if not hints:
        return None
    base = basis.spaced_from or now
    source, mark = Source.AI_INTERVAL, Mark.HINT_INTERVAL
    candidates = [
        _Candidate(_repeated(base, hint.interval, now), source, mark, None, hint.interval, hint.author)
        for hint in sorted(hints, key=_by_strength)
        if hint.interval
    ]
    steps.extend(other.step(Verdict.LOST) for other in candidates[1:])
    return candidates[0] if candidates else None


def _one_shot_hint(now: datetime, basis: Basis, steps: list[Step]) -> _Candidate | None:
    hints = _fresh(now, basis, HintKind.ONE_SHOT, steps)
    if not hints:
        return None
    candidates = [
        _Candidate(hint.at, Source.AI_ONESHOT, Mark.HINT_ONE_SHOT, None, None, hint.author)
        for hint in sorted(hints, key=_by_strength)
    ]
    chosen = candidates[0]
    for other in candidates[1:]:
        chosen = other if other.before(chosen) else chosen
    steps.extend(other.step(Verdict.LOST) for other in candidates if other is not chosen)
    return chosen


def _fresh(now: datetime, basis: Basis, kind: HintKind, steps: list[Step]) -> list[Hint]:
    fresh = []
    for hint in basis.hints:
        if hint.kind is kind:
            if hint.fresh(now):
                fresh.append(hint)
            else:
                steps.append(Step(Mark.HINT_LAPSED, Verdict.LOST, hint.expires_at, hint.author))
    return fresh


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
        return chosen._replace(at=at, nominal_at=nominal_at)
    steps.append(Step(Mark.PAST, Verdict.APPLIED, now))
    return chosen._replace(at=now)


def _deferred(now: datetime, basis: Basis, chosen: _Candidate, steps: list[Step]) -> _Candidate:
    hints = _fresh(now, basis, HintKind.DEFER, steps)
    if not hints:
        return chosen
    for hint in sorted(hints, key=lambda hint: (hint.at or now, hint.author.rank), reverse=True):
        outranked = (
            chosen.source is Source.AI_ONESHOT and chosen.author is not None and chosen.author.rank > hint.author.rank
        )
        if chosen.at is None or hint.at is None or hint.at <= chosen.at or outranked:
            steps.append(Step(Mark.DEFER, Verdict.LOST if outranked else Verdict.IDLE, hint.at, hint.author))
            continue
        steps.append(Step(Mark.DEFER, Verdict.APPLIED, hint.at, hint.author))
        chosen = chosen._replace(at=hint.at, source=Source.DEFERRED)
    return chosen


def _clamped(now: datetime, basis: Basis, grid: Grid, chosen: _Candidate, steps: list[Step]) -> _Candidate:
    least, most = grid.endpoint.interval_min, grid.endpoint.interval_max
    base = basis.spaced_from or now
    if least and chosen.at is not None:
        floor = shifted(base, least)
        applied = chosen.at < floor
        steps.append(Step(Mark.CLAMP_MIN, Verdict.APPLIED if applied else Verdict.IDLE, floor))
        if applied:
            chosen = chosen._replace(at=floor, source=Source.CLAMPED_MIN)
    if most and chosen.at is not None:
        ceiling = shifted(base, most)
        if basis.spaced_from is not None:
            # A call may outlast the maximum, and no maximum drives an endpoint that runs faster than INTERVAL_LEAST.
            ceiling = max(ceiling, shifted(base, INTERVAL_LEAST), now)
        applied = chosen.at > ceiling
        steps.append(Step(Mark.CLAMP_MAX, Verdict.APPLIED if applied else Verdict.IDLE, ceiling))
        if applied:
            # A run can stand for an instant that was held back, not for one that comes after it.
            natural = None if chosen.nominal_at is None else shifted(chosen.nominal_at, grid.offset)
            nominal_at = chosen.nominal_at if natural is not None and natural <= ceiling else None
            chosen = chosen._replace(at=ceiling, source=Source.CLAMPED_MAX, nominal_at=nominal_at)
    return chosen


def _paused(now: datetime, basis: Basis, grid: Grid, chosen: _Candidate, steps: list[Step]) -> _Candidate:
    until = paused_until(basis.hints, now)
    if until is None:
        return chosen
    once = grid.kind is BaselineKind.ONCE
    # Nothing is held back where nothing was planned: a dormant endpoint stays dormant, and *once* is never early.
    idle = grid.kind is not BaselineKind.CRON if chosen.at is None else once and chosen.at >= until
    steps.append(Step(Mark.PAUSE, Verdict.IDLE if idle else Verdict.WON, until))
    return chosen if idle else _Candidate(until, Source.PAUSED, Mark.PAUSE, chosen.nominal_at if once else None)
