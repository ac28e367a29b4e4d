"""Replaying the policy an endpoint ran under over its own record tells what happened."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from cronicorn.domain.endpoint import Baseline
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.replay.replayed import Conclusion
from cronicorn.domain.steering_record import SteeringRecord
from tests.domain.policy.history import MINUTE, SECOND, endpoint_with
from tests.domain.replay.recorded import a_record, replayed

POLICY = {
    "fields": {
        "err": {"path": "$.err", "type": "number"},
        "mean": {"path": "$.err", "type": "number", "agg": "avg", "window": 3},
    },
    "rules": [
        {
            "id": "burst", "when": "err > 6", "until": "err < 3", "for": 2, "probe": "20s", "hold": "2m",
            "action": {"interval": "30s"}, "priority": 1,
        },
        {"id": "calm", "when": "mean < 2", "action": {"interval": "12m"}},
        {"id": "again", "when": "err > 8", "cooldown": "3m", "action": {"run_once": "45s"}},
        {"id": "rest", "when": "err == 5", "action": {"pause": "7m"}},
    ],
}  # fmt: skip
BASELINES = (
    Baseline(interval=5 * MINUTE, anchor_at=MIDNIGHT),
    Baseline(interval=5 * MINUTE),
    Baseline(cron="* * * * *"),
)
ANSWERS = st.lists(
    st.one_of(
        st.integers(0, 10).map(lambda err: {"body": {"err": err}}),
        st.just({"status": 503}),
        st.just({"status": 429, "headers": (("retry-after", "40"),)}),
        st.just({}),
    ),
    min_size=1,
    max_size=40,
)


@given(
    answers=ANSWERS,
    baseline=st.sampled_from(BASELINES),
    late=st.sampled_from([0 * SECOND, timedelta(milliseconds=30), 4 * SECOND]),
    guarded=st.booleans(),
)
@settings(max_examples=150)
def test_the_same_calls_come_and_the_same_is_decided(answers, baseline, late, guarded):
    limits = {"interval_min": 10 * SECOND, "interval_max": 20 * MINUTE} if guarded else {}
    endpoint = endpoint_with(POLICY, baseline=baseline, **limits)
    coming = iter(answers)
    runs = a_record(endpoint, lambda _: next(coming), len(answers), late=late)

    told = replayed(endpoint, runs)

    assert told.together == told.old.calls == told.new.calls == len(runs)
    assert told.old.calls_a_day == told.new.calls_a_day
    assert told.old.flips_an_hour == told.new.flips_an_hour
    assert told.conclusion is not Conclusion.DIFFERS
    assert [(episode.rule, episode.in_force_at) for episode in told.episodes] == entered(runs)


def entered(runs) -> list[tuple[str, datetime]]:
    """Which rules came into force, and when, by the record."""
    records = [SteeringRecord.decode(run.steering) for run in runs if run.steering is not None]
    return [
        (step.rule, record.at)
        for record in records
        for step in (record.own.rules if record.own is not None else ())
        if step.phase.acting and not step.was.phase.acting
    ]


def test_a_record_that_lacks_a_run_is_not_taken_for_the_same():
    endpoint = endpoint_with(POLICY)
    runs = a_record(endpoint, lambda _: {"body": {"err": 4}}, 12)

    told = replayed(endpoint, [*runs[:5], *runs[6:]])

    assert (told.old.calls, told.new.calls, told.together) == (11, 12, 11)


def test_the_state_of_the_endpoint_today_does_not_matter():
    endpoint = endpoint_with(POLICY)
    coming = iter([4, 9, 9, 9, 4, 1, 1, 1, 1, 1, 1, 1])
    runs = a_record(endpoint, lambda _: {"body": {"err": next(coming)}}, 12)
    today = replace(endpoint, state=replace(endpoint.state, suspended=True, slots_issued=400))

    assert replayed(today, runs) == replayed(endpoint, runs)
