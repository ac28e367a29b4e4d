"""The rules of `plan_next_run`, one by one, with the edge cases of the reference scheduler."""

from datetime import datetime, timedelta

import pytest

from cronicorn.domain.cron import DstGap, DstOverlap
from cronicorn.domain.endpoint import Baseline, EndpointState, JobEndpoint
from cronicorn.domain.fixtures import MIDNIGHT, a_defer, a_one_shot, a_pause, an_endpoint, an_interval_hint, at
from cronicorn.domain.hint import Author, Hint, HintKind
from cronicorn.domain.instant import LAST_INSTANT
from cronicorn.domain.plan import Plan, Source
from cronicorn.domain.planning import plan_next_run
from cronicorn.domain.trace import Mark, Verdict
from tests.domain.strategies import CRON

NOW = at("2026-03-04T10:17:30")
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def free(interval: timedelta | None = None, *hints: Hint, **changes: object) -> JobEndpoint:
    """An endpoint as the reference knows them: its interval counts from now."""
    failures = changes.pop("failure_count", 0)
    state = EndpointState(hints=hints, failure_count=failures)  # type: ignore[arg-type]
    return an_endpoint(baseline=changes.pop("baseline", Baseline(interval=interval)), state=state, **changes)


def cron(expression: str, *hints: Hint, **changes: object) -> JobEndpoint:
    return free(None, *hints, baseline=Baseline(cron=expression), **changes)


def _after(endpoint: JobEndpoint) -> tuple[timedelta | None, str]:
    plan = plan_next_run(NOW, endpoint, CRON)
    return (None if plan.next_run_at is None else plan.next_run_at - NOW), plan.source.value


def interval_hint(interval: timedelta, ttl: timedelta = HOUR) -> Hint:
    return an_interval_hint(interval, now=NOW, ttl=ttl)


def one_shot(after: timedelta, ttl: timedelta = HOUR) -> Hint:
    return a_one_shot(NOW + after, now=NOW, ttl=ttl)


EDGE_CASES = {
    "neither cron nor interval runs after a minute": (free(), (MINUTE, "baseline-interval")),
    "an interval of zero runs now": (free(timedelta(0)), (timedelta(0), "baseline-interval")),
    "a negative interval stays in the past": (free(-5 * SECOND), (-5 * SECOND, "baseline-interval")),
    "a negative hint stays in the past": (free(MINUTE, interval_hint(-5 * SECOND)), (-5 * SECOND, "ai-interval")),
    "a hint of zero is no hint": (free(MINUTE, interval_hint(timedelta(0))), (MINUTE, "baseline-interval")),
    "a failure count of minus one halves the interval": (
        free(MINUTE, failure_count=-1),
        (MINUTE / 2, "baseline-interval"),
    ),
    "one failure doubles the interval": (free(MINUTE, failure_count=1), (2 * MINUTE, "baseline-interval")),
    "five failures make it 32 times as long": (free(MINUTE, failure_count=5), (32 * MINUTE, "baseline-interval")),
    "more failures make it no longer": (free(MINUTE, failure_count=10**6), (32 * MINUTE, "baseline-interval")),
    "a cron does not back off": (cron("*/5 * * * *", failure_count=5), (150 * SECOND, "baseline-cron")),
    "a hint ignores the backoff": (free(MINUTE, interval_hint(MINUTE), failure_count=5), (MINUTE, "ai-interval")),
    "the maximum caps the backoff": (
        free(MINUTE, failure_count=5, interval_max=2 * MINUTE),
        (2 * MINUTE, "clamped-max"),
    ),
    "cron beats interval when both are stored": (
        free(baseline=Baseline(cron="*/5 * * * *", interval=SECOND)),
        (150 * SECOND, "baseline-cron"),
    ),
    "a cron of six fields names seconds": (cron("45 * * * * *"), (15 * SECOND, "baseline-cron")),
    "@daily runs at midnight": (cron("@daily"), (at("2026-03-05") - NOW, "baseline-cron")),
    "L is the last day of the month": (cron("0 0 L * *"), (at("2026-03-31") - NOW, "baseline-cron")),
    "the 30th of February never comes": (cron("0 0 30 2 *"), (None, "baseline-cron")),
    "a cron that can't be read never comes": (cron("nonsense"), (None, "baseline-cron")),
    "a slower hint wins": (free(MINUTE, interval_hint(10 * MINUTE)), (10 * MINUTE, "ai-interval")),
    "a hint replaces a cron": (cron("*/5 * * * *", interval_hint(20 * MINUTE)), (20 * MINUTE, "ai-interval")),
    "an earlier one-shot wins": (free(MINUTE, one_shot(10 * SECOND)), (10 * SECOND, "ai-oneshot")),
    "a one-shot never defers": (free(MINUTE, one_shot(2 * MINUTE)), (MINUTE, "baseline-interval")),
    "a one-shot at the baseline's instant loses": (free(MINUTE, one_shot(MINUTE)), (MINUTE, "baseline-interval")),
    "a one-shot at the hint's instant loses": (
        free(HOUR, interval_hint(MINUTE), one_shot(MINUTE)),
        (MINUTE, "ai-interval"),
    ),
    "the earlier of two kinds of hints wins and the baseline is out": (
        free(SECOND, interval_hint(5 * MINUTE), one_shot(3 * MINUTE)),
        (3 * MINUTE, "ai-oneshot"),
    ),
    "a one-shot beyond its life is honoured while it lives": (
        free(3 * HOUR, one_shot(2 * HOUR, ttl=HOUR / 2)),
        (2 * HOUR, "ai-oneshot"),
    ),
    "a stale one-shot runs now": (free(MINUTE, one_shot(-HOUR)), (timedelta(0), "ai-oneshot")),
    "a lapsed stale one-shot is forgotten": (
        free(MINUTE, one_shot(-HOUR, ttl=-MINUTE)),
        (MINUTE, "baseline-interval"),
    ),
    "a hint that lapses now has lapsed": (
        free(MINUTE, interval_hint(SECOND, ttl=timedelta(0))),
        (MINUTE, "baseline-interval"),
    ),
    "the minimum moves a run later": (free(SECOND, interval_min=MINUTE), (MINUTE, "clamped-min")),
    "the maximum moves a run earlier": (free(HOUR, interval_max=MINUTE), (MINUTE, "clamped-max")),
    "a minimum above the maximum loses": (
        free(MINUTE, interval_min=HOUR, interval_max=SECOND),
        (SECOND, "clamped-max"),
    ),
    "guardrails of zero do not count": (
        free(MINUTE, interval_min=timedelta(0), interval_max=timedelta(0)),
        (MINUTE, "baseline-interval"),
    ),
    "a daily cron with a maximum of two hours runs every two hours": (
        cron("0 0 * * *", interval_max=2 * HOUR),
        (2 * HOUR, "clamped-max"),
    ),
    "a pause beats the guardrails": (
        free(MINUTE, a_pause(NOW + DAY), interval_max=MINUTE),
        (DAY, "paused"),
    ),
    "a pause that ends now is over": (free(MINUTE, a_pause(NOW)), (MINUTE, "baseline-interval")),
}


@pytest.mark.parametrize("name", EDGE_CASES)
def test_an_edge_case_of_the_reference_is_answered_alike(name: str) -> None:
    endpoint, expected = EDGE_CASES[name]

    assert _after(endpoint) == expected


def plan(now: datetime = NOW, **changes: object) -> Plan:
    return plan_next_run(now, an_endpoint(**changes), CRON)


def test_an_anchored_interval_keeps_its_phase_whenever_it_is_planned() -> None:
    baseline = Baseline(interval=MINUTE, anchor_at=MIDNIGHT + 7 * SECOND)

    planned = {plan(NOW + i * SECOND, baseline=baseline).next_run_at for i in range(37)}

    assert planned == {at("2026-03-04T10:18:07")}


def test_the_effective_instant_is_the_nominal_one_and_a_stable_offset() -> None:
    planned = [
        plan(NOW, baseline=Baseline(cron="*/5 * * * *", window=2 * MINUTE), id=name) for name in ("ep1", "ep2", "ep1")
    ]

    offsets = [one.next_run_at - one.nominal_at for one in planned if one.next_run_at and one.nominal_at]
    assert offsets[0] == offsets[2] != offsets[1]
    assert all(timedelta(0) <= offset < 2 * MINUTE for offset in offsets)


@pytest.mark.parametrize(
    ("gap", "expected"),
    [
        (DstGap.RUN_AFTER, "2026-03-29T01:00:00"),
        (DstGap.SKIP, "2026-03-30T00:30:00"),
        (DstGap.SHIFT, "2026-03-29T01:30:00"),
    ],
)
def test_a_time_that_the_clock_skips_follows_the_policy(gap: DstGap, expected: str) -> None:
    baseline = Baseline(cron="30 2 * * *", zone="Europe/Berlin", dst_gap=gap)

    assert plan(at("2026-03-28T12:00"), baseline=baseline).next_run_at == at(expected)


def test_a_time_that_comes_twice_runs_once_unless_both_are_wanted() -> None:
    first, second = at("2026-10-25T00:30"), at("2026-10-25T01:30")

    for policy, expected in ((DstOverlap.DEBIAN, first + 25 * HOUR), (DstOverlap.BOTH, second)):
        baseline = Baseline(cron="30 2 * * *", zone="Europe/Berlin", dst_overlap=policy)
        assert plan(first, baseline=baseline).next_run_at == expected


def test_the_strongest_author_sets_the_interval() -> None:
    hints = tuple(
        Hint(kind=HintKind.INTERVAL, author=author, written_at=NOW, expires_at=NOW + HOUR, interval=interval)
        for author, interval in ((Author.MODEL, SECOND), (Author.PERSON, 9 * MINUTE), (Author.SIGNAL, 2 * SECOND))
    )

    assert _after(free(MINUTE, *hints)) == (9 * MINUTE, "ai-interval")


def test_an_interval_of_any_length_competes() -> None:
    hints = (interval_hint(timedelta.max), interval_hint(timedelta.min))

    planned = plan_next_run(NOW, free(MINUTE, hints[0]), CRON)

    assert planned.next_run_at == LAST_INSTANT
    assert plan_next_run(NOW, free(MINUTE, *hints), CRON).source is Source.AI_INTERVAL


def test_the_latest_defer_counts_in_whatever_order_they_were_written() -> None:
    defers = [a_defer(NOW + minutes * MINUTE, now=NOW) for minutes in (5, 9, 7)]

    planned = plan_next_run(NOW, free(MINUTE, *defers), CRON)

    assert (planned.next_run_at, planned.source) == (NOW + 9 * MINUTE, Source.DEFERRED)
    assert [step.verdict for step in planned.trace.steps if step.mark is Mark.DEFER] == [
        Verdict.APPLIED, Verdict.IDLE, Verdict.IDLE,
    ]  # fmt: skip


def test_a_one_shot_of_a_stronger_author_passes_a_defer() -> None:
    endpoint = free(MINUTE, a_defer(NOW + HOUR, now=NOW), one_shot(SECOND))

    assert _after(endpoint) == (SECOND, "ai-oneshot")


def test_the_maximum_ends_a_defer_and_the_run_still_stands_for_its_instant() -> None:
    baseline = Baseline(interval=MINUTE, anchor_at=MIDNIGHT)
    state = EndpointState(hints=(a_defer(NOW + HOUR, now=NOW),))

    planned = plan(baseline=baseline, interval_max=10 * MINUTE, state=state)

    assert (planned.source, planned.nominal_at) == (Source.CLAMPED_MAX, at("2026-03-04T10:18:00"))


def test_a_lapsed_pause_holds_nothing_back_wherever_it_would_have_ended() -> None:
    pause = Hint(kind=HintKind.PAUSE, author=Author.RULE, written_at=NOW, expires_at=NOW, at=NOW + DAY)

    assert _after(free(MINUTE, pause)) == (MINUTE, "baseline-interval")


def test_a_pause_leaves_a_dormant_endpoint_dormant() -> None:
    planned = plan(baseline=Baseline(dormant=True), state=EndpointState(hints=(a_pause(NOW + HOUR),)))

    assert (planned.next_run_at, planned.source) == (None, Source.DORMANT)


def test_a_short_pause_does_not_bring_the_one_instant_forward() -> None:
    baseline = Baseline(once_at=NOW + HOUR)

    planned = plan(baseline=baseline, state=EndpointState(hints=(a_pause(NOW + MINUTE),)))

    assert planned.next_run_at == NOW + HOUR


def test_a_long_pause_holds_the_one_instant_back_and_it_still_runs() -> None:
    baseline = Baseline(once_at=NOW + MINUTE)

    planned = plan(baseline=baseline, state=EndpointState(hints=(a_pause(NOW + HOUR),)))

    assert (planned.next_run_at, planned.nominal_at, planned.source) == (NOW + HOUR, NOW + MINUTE, Source.PAUSED)


def test_an_owed_instant_runs_now_whatever_a_slow_call_left_behind() -> None:
    hint = interval_hint(SECOND)
    state = EndpointState(hints=(hint,), spaced_from=NOW - MINUTE, owed_at=NOW - 10 * SECOND)

    planned = plan(state=state)

    assert (planned.next_run_at, planned.source) == (NOW, Source.CATCH_UP)
    assert planned.nominal_at == NOW - 10 * SECOND


def test_an_interval_hint_keeps_its_phase_from_the_last_start() -> None:
    state = EndpointState(hints=(interval_hint(7 * MINUTE),), spaced_from=NOW - 10 * MINUTE)

    planned = {plan(NOW + i * SECOND, state=state).next_run_at for i in range(100)}

    assert planned == {NOW + 4 * MINUTE}


def test_backoff_counts_from_the_last_start() -> None:
    baseline = Baseline(interval=MINUTE, anchor_at=MIDNIGHT)
    state = EndpointState(failure_count=5, spaced_from=at("2026-03-04T10:00"))

    planned = {plan(NOW + i * SECOND, baseline=baseline, state=state).next_run_at for i in range(100)}

    assert planned == {at("2026-03-04T10:32")}
