"""What comes in a span, held against the schedule walked step by step, and against counting one by one."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronicorn.adapters.cron.cronsim_cron import CronsimCron
from cronicorn.domain.editing import started
from cronicorn.domain.endpoint import Baseline, EndpointState, JobEndpoint
from cronicorn.domain.finding.forecast import INSTANTS_OF_SCHEDULE_MAX, EvenCalls, Forecast, Forecaster
from cronicorn.domain.finding.host_load import CallTally
from cronicorn.domain.fixtures import MIDNIGHT, a_pause, an_endpoint, an_interval_hint
from cronicorn.domain.hint import Hint
from cronicorn.domain.instant import DAY, HOUR, MINUTE
from cronicorn.domain.preview import PREVIEW_MAX, preview

CRON = CronsimCron()
SECOND = timedelta(seconds=1)
BASELINES = st.one_of(
    st.builds(
        lambda every, anchored, window: Baseline(
            interval=every * SECOND, anchor_at=MIDNIGHT - 77 * SECOND if anchored else None, window=window * SECOND
        ),
        st.integers(30, 90_000), st.booleans(), st.sampled_from([0, 20]),
    ),
    st.builds(
        lambda cron, window: Baseline(cron=cron, zone="Europe/Berlin", window=window * SECOND),
        st.sampled_from(["*/7 * * * *", "30 2 * * *", "0 9-17 * * 1-5", "@hourly", "15 4 1 * *"]),
        st.sampled_from([0, 900]),
    ),
    st.just(Baseline(once_at=MIDNIGHT + 5 * HOUR)),
    st.just(Baseline(dormant=True)),
)  # fmt: skip


Guardrails = tuple[timedelta | None, timedelta | None]
GUARDED: list[Guardrails] = [(None, None), (75 * SECOND, None), (None, 45 * MINUTE), (None, 9 * HOUR)]
"""Least and most distance of runs."""


def planted(baseline: Baseline, guarded: Guardrails = (None, None), **state: object) -> JobEndpoint:
    """An endpoint as it is once it has begun at MIDNIGHT."""
    least, most = guarded
    made = an_endpoint(baseline=baseline, interval_min=least, interval_max=most, state=EndpointState(**state))  # type: ignore[arg-type]
    return started(made, MIDNIGHT, CRON)


def walked(endpoint: JobEndpoint, since: datetime, until: datetime) -> list[datetime]:
    """The same by planning after each run."""
    plans = (plan.next_run_at for plan in preview(endpoint, MIDNIGHT, CRON, PREVIEW_MAX))
    return [at for at in plans if at is not None and since <= at <= until]


HINTS = st.sampled_from([None, 45, 300, 7_200]).flatmap(
    lambda every: st.just(()) if every is None else st.integers(1, 600).map(
        lambda ttl: (an_interval_hint(every * SECOND, ttl=ttl * MINUTE),)
    )
)  # fmt: skip


def check(endpoint: JobEndpoint, since: datetime, until: datetime) -> None:
    """Hold the forecast of *endpoint* against its schedule, as far as that can be walked."""
    plans = preview(endpoint, MIDNIGHT, CRON, PREVIEW_MAX)
    if len(plans) == PREVIEW_MAX and plans[-1].next_run_at is not None:
        until = min(until, plans[-1].next_run_at)

    foreseen = Forecaster(CRON, MIDNIGHT, since, until).foresee(endpoint)

    assert list(foreseen.instants()) == walked(endpoint, since, until)
    assert foreseen.whole or len(plans) == PREVIEW_MAX


@given(BASELINES, HINTS, st.integers(0, 30), st.integers(1, 48))
def test_it_says_what_planning_after_each_run_would(
    baseline: Baseline, hints: tuple[Hint, ...], after: int, length: int
) -> None:
    check(planted(baseline, hints=hints), MIDNIGHT + after * HOUR, MIDNIGHT + (after + length) * HOUR)


@given(BASELINES, st.sampled_from(GUARDED), st.integers(1, 48))
def test_guardrails_hold_in_it(baseline: Baseline, guarded: Guardrails, length: int) -> None:
    check(planted(baseline, guarded), MIDNIGHT, MIDNIGHT + length * HOUR)


def test_a_pause_ends_with_a_run_and_what_rests_calls_nothing() -> None:
    paused = planted(Baseline(interval=HOUR, anchor_at=MIDNIGHT), hints=(a_pause(MIDNIGHT + 90 * MINUTE),))
    resting = planted(Baseline(interval=HOUR, anchor_at=MIDNIGHT), suspended=True)
    forecaster = Forecaster(CRON, MIDNIGHT, MIDNIGHT, MIDNIGHT + 3 * HOUR)

    assert [(at - MIDNIGHT) / HOUR for at in forecaster.foresee(paused).instants()] == [1.5, 2, 3]
    assert forecaster.foresee(resting) == Forecast()


def test_nothing_lies_before_now_and_what_is_overdue_comes_now() -> None:
    endpoint = planted(Baseline(interval=HOUR, anchor_at=MIDNIGHT))
    now = MIDNIGHT + 3.5 * HOUR

    today = Forecaster(CRON, now, MIDNIGHT, MIDNIGHT + 5 * HOUR).foresee(endpoint)
    gone = Forecaster(CRON, now, MIDNIGHT, MIDNIGHT + 2 * HOUR).foresee(endpoint)

    assert [(at - MIDNIGHT) / HOUR for at in today.instants()] == [3.5, 4, 5]
    assert gone.count == 0


def test_what_is_overdue_and_steered_calls_nothing_on_a_day_that_is_over() -> None:
    endpoint = planted(Baseline(interval=HOUR), hints=(an_interval_hint(MINUTE, ttl=9 * HOUR),))

    gone = Forecaster(CRON, MIDNIGHT + 5 * HOUR, MIDNIGHT, MIDNIGHT + 2 * HOUR).foresee(endpoint)

    assert gone == Forecast()


@pytest.mark.parametrize("most", [1.5 * SECOND, timedelta(0), timedelta(days=-1)])
def test_no_guardrail_makes_it_dear(most: timedelta) -> None:
    endpoint = planted(Baseline(interval=2 * SECOND, anchor_at=MIDNIGHT), (None, most))

    foreseen = Forecaster(CRON, MIDNIGHT, MIDNIGHT, MIDNIGHT + 7 * DAY).foresee(endpoint)

    assert len(foreseen.stretches) <= 3
    assert foreseen.count >= 7 * DAY / (2 * SECOND)


def test_a_dense_cron_schedule_goes_on_at_its_pace_and_is_walked_once_for_all() -> None:
    asked = 0

    class Counting(CronsimCron):
        def next(self, schedule, after):
            nonlocal asked
            asked += 1
            return super().next(schedule, after)

    endpoint = planted(Baseline(cron="* * * * *"))
    forecaster = Forecaster(Counting(), MIDNIGHT, MIDNIGHT, MIDNIGHT + 7 * DAY)
    foreseen = [forecaster.foresee(endpoint) for _ in range(50)]

    assert foreseen[0].count == pytest.approx(7 * 24 * 60, abs=1)
    assert {each.count for each in foreseen} == {foreseen[0].count}
    assert asked <= INSTANTS_OF_SCHEDULE_MAX + 1
    assert len(foreseen[0].stretches) <= 3


@given(
    st.lists(st.tuples(st.integers(0, 7_199), st.integers(1, 4_000), st.integers(1, 500)), min_size=1, max_size=6),
    st.sampled_from([60, 600]),
)
def test_calls_are_counted_as_one_by_one(spans: list[tuple[int, int, int]], part: int) -> None:
    parts, tally = 7_200 // part, CallTally(MIDNIGHT, 7_200 // part, part * SECOND)
    expected = [0] * parts
    for first, step, wanted in spans:
        number = min(wanted, (7_199 - first) // step + 1)
        stretch = EvenCalls(first_at=MIDNIGHT + first * SECOND, step=step * SECOND, number=number)
        tally.add("host", Forecast(stretches=(stretch,)))
        for at in stretch.instants():
            expected[(at - MIDNIGHT) // (part * SECOND)] += 1

    (load,) = tally.loads()
    assert list(load.minutes) == list(tally.of("host")) == expected
    assert (load.calls, load.peak, load.endpoints) == (sum(expected), max(expected), len(spans))
    assert max(load.peaks(7)) == load.peak
