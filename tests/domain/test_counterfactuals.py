"""What the plan would be without each thing that steers it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cronicorn.domain.counterfactuals import counterfactuals
from cronicorn.domain.endpoint import Baseline
from cronicorn.domain.fixtures import MIDNIGHT, a_pause, an_interval_hint
from tests.domain.policy.history import CRON, HOUR, MINUTE, SECOND, endpoint_with

PLAIN = endpoint_with(None)


def stated(endpoint, **state):
    return replace(endpoint, state=replace(endpoint.state, **state))


def told(endpoint):
    """Each thing thought away, when the call would come without it, and whether that is another instant."""
    found = counterfactuals(MIDNIGHT, endpoint, CRON)
    return {
        each.without: (each.plan.next_run_at - MIDNIGHT if each.plan.next_run_at else None, each.matters)
        for each in found
    }


def test_nothing_steers_a_plain_endpoint():
    assert told(PLAIN) == {}


def test_each_hint_is_thought_away_by_itself():
    hints = (an_interval_hint(MINUTE, ttl=HOUR), a_pause(MIDNIGHT + HOUR))

    assert told(stated(PLAIN, hints=hints)) == {
        "the interval hint of 1m by a person": (HOUR, False),
        "the pause hint by a person": (MINUTE, True),
    }


@pytest.mark.parametrize(
    ("endpoint", "without", "otherwise"),
    [
        (replace(PLAIN, interval_min=10 * MINUTE), "the minimum of 10m", 5 * MINUTE),
        (replace(PLAIN, interval_max=2 * MINUTE), "the maximum of 2m", 5 * MINUTE),
        (stated(PLAIN, failure_count=3), "the 3 failures in a row", 5 * MINUTE),
        (stated(PLAIN, failure_count=1), "the failure", 5 * MINUTE),
        (stated(PLAIN, retry_at=MIDNIGHT + 7 * SECOND, attempt=2), "the retry", 5 * MINUTE),
    ],
)
def test_guardrails_failures_and_retries_are_thought_away(endpoint, without, otherwise):
    endpoint = stated(endpoint, last_run_at=MIDNIGHT, spaced_from=MIDNIGHT)

    assert told(endpoint) == {without: (otherwise, True)}


def test_the_window_is_thought_away():
    spread = endpoint_with(None, baseline=Baseline(interval=5 * MINUTE, anchor_at=MIDNIGHT, window=4 * MINUTE))

    [(without, (otherwise, matters))] = told(spread).items()

    assert (without, matters) == ("the window", True)
    assert otherwise in {timedelta(0), 5 * MINUTE}
